"""Chat completions in one piece."""

from __future__ import annotations

import time
from typing import Any

from conformance import schemas
from conformance.check import MUST, SHOULD, check
from conformance.expect import json_object, refused, status
from conformance.failure import NotApplicable, expect
from conformance.session import QUESTION, Json, Session

NATURAL = 512
"""Tokens in which most models have said hello and come to an end by themselves."""
COUNTING = "Count from one to a hundred in words, separated by commas."
LONG = "Always mention the weather at sea, the height of the waves and the ships in sight. " * 8
NO_SILENT_IGNORE = "honour the field, or answer 400 and name it in error.param"


async def natural(session: Session) -> Json:
    """The answer that many checks share: greedy, and long enough to end by itself."""
    return await session.answer(max_tokens=NATURAL)


def said(answer: Json) -> str:
    return answer["choices"][0]["message"].get("content") or ""


def thought(answer: Json) -> str:
    message = answer["choices"][0]["message"]
    return message.get("reasoning_content") or message.get("reasoning") or ""


# --- the object ---------------------------------------------------------------------


@check("chat.schema", level=MUST, cite=["SPEC:33507"])
async def schema(session: Session) -> None:
    """A completion has the members of the reference, each of its type."""
    fault = schemas.fault(await natural(session), schemas.COMPLETION)
    expect(fault is None, "a chat.completion", fault, "send null for what there is none of")


@check("chat.always_present", level=SHOULD, cite=["OURS"])
async def always_present(session: Session) -> None:
    """The members that OpenAI always sends are there, null or not."""
    answer = await natural(session)
    for owner, names in (
        (answer, {"service_tier", "system_fingerprint"}),
        (answer["choices"][0]["message"], {"annotations"}),
    ):
        expect(names <= set(owner), f"keys {', '.join(sorted(names))}", sorted(owner))


@check("chat.id_unique", level=MUST, cite=["SPEC:33507", "PEER:llama.cpp"])
async def id_unique(session: Session) -> None:
    """Every completion has an id of its own."""
    ids = [(await session.answer(max_tokens=1, fresh=True))["id"] for _ in range(5)]
    expect(all(ids) and len(set(ids)) == 5, "5 ids", ids, "take ids from a random source")


@check("chat.id_prefix", level=SHOULD, cite=["SPEC:33507"])
async def id_prefix(session: Session) -> None:
    """The id of a chat completion begins with `chatcmpl-`."""
    name = (await natural(session))["id"]
    expect(name.startswith("chatcmpl-"), "chatcmpl-…", name)


@check("chat.created_now", level=SHOULD, cite=["SPEC:33507"])
async def created_now(session: Session) -> None:
    """`created` is the time of the answer in whole seconds."""
    before = time.time()
    created = (await session.answer(max_tokens=1, fresh=True))["created"]
    expect(type(created) is int, "an integer", created)
    expect(before - 5 <= created <= time.time() + 5, f"about {before:.0f}", created)


@check("chat.model_echo", level=SHOULD, cite=["SPEC:33507"])
async def model_echo(session: Session) -> None:
    """`model` is the id that was asked for, or the listed model that it stands for."""
    name = (await natural(session))["model"]
    if name == session.target.model:
        return
    listed = await session.request("GET", "/models", fresh=False)
    known = [model.get("id") for model in json_object(listed).get("data", [])]
    expect(name in known, f"{session.target.model} or a listed model", name)


@check("chat.content_type_of_content", level=MUST, cite=["SPEC:31629"])
async def content_type_of_content(session: Session) -> None:
    """The message is the assistant's; its content is a string or null, and what was said."""
    for answer in (await natural(session), await session.answer(COUNTING, max_tokens=1)):
        message = answer["choices"][0]["message"]
        expect(message.get("role") == "assistant", "role assistant", message)
        content = message.get("content", ...)
        expect(content is None or isinstance(content, str), "a string or null", message)
        used = answer["usage"]["completion_tokens"]
        expect(bool(content or thought(answer)) or used <= 2, f"the text of {used} tokens", message)


# --- how it ends --------------------------------------------------------------------


@check("chat.finish_stop", level=MUST, cite=["SPEC:33507"])
async def finish_stop(session: Session) -> None:
    """An answer that ends by itself has the finish_reason stop."""
    answer = await natural(session)
    reason, used = answer["choices"][0]["finish_reason"], answer["usage"]["completion_tokens"]
    if reason == "length" and used >= NATURAL:
        raise NotApplicable(f"the model does not end within {NATURAL} tokens")
    expect(reason == "stop", "finish_reason stop", f"{reason} after {used} tokens")


@check("chat.finish_length", level=MUST, cite=["SPEC:33507"])
async def finish_length(session: Session) -> None:
    """An answer cut at `max_tokens` has the finish_reason length and no token more."""
    _cut_at(1, await session.answer(COUNTING, max_tokens=1))


@check("chat.max_completion_tokens", level=MUST, cite=["SPEC:33105", "FW:pydantic-ai"])
async def max_completion_tokens(session: Session) -> None:
    """`max_completion_tokens` holds, and beside `max_tokens` the smaller of the two."""
    _cut_at(3, await session.answer(COUNTING, max_completion_tokens=3))
    for limits in ({"max_tokens": 3}, {"max_tokens": 32, "max_completion_tokens": 3}):
        both: Json = {"max_completion_tokens": 32, **limits}
        exchange = await session.chat(COUNTING, **both)
        if exchange.received.status == 400:
            param = refused(exchange)["param"]
            expect(param in both, f"error.param one of {sorted(both)}", param, NO_SILENT_IGNORE)
        else:
            status(exchange, 200)
            _cut_at(3, json_object(exchange))


def _cut_at(limit: int, answer: Json) -> None:
    used, reason = answer["usage"]["completion_tokens"], answer["choices"][0]["finish_reason"]
    expect(used <= limit, f"{limit} tokens at most", used, "count every generated token")
    expect(reason == "length", "finish_reason length", reason)


@check("chat.stop", level=MUST, cite=["SPEC:63253"])
async def stop(session: Session) -> None:
    """A stop sequence, alone or in an array, ends the answer before it and is not sent."""
    whole = said(await natural(session)).strip()
    if len(whole) < 8:
        raise NotApplicable("the model says too little to be stopped")
    # What greedy sampling says once it says again, so this sequence will come.
    words = whole.split()
    sequence = words[(len(words) - 1) // 2][-4:]
    before = whole[: whole.find(sequence)].rstrip()
    for form in (sequence, ["☃☃", sequence]):
        answer = await session.answer(max_tokens=NATURAL, stop=form)
        text, reason = said(answer).strip(), answer["choices"][0]["finish_reason"]
        expect(sequence not in text, f"nothing from {sequence!r} on", text, NO_SILENT_IGNORE)
        expect(reason == "stop", "finish_reason stop", reason)
        if whole.startswith(text) and not thought(answer):
            expect(text == before, f"all of {before!r}", text, "cut only what was matched")


@check("chat.stop_limit", level=SHOULD, cite=["SPEC:63253"])
async def stop_limit(session: Session) -> None:
    """Five stop sequences are one too many: 400, and the field is named."""
    refused(await session.chat(max_tokens=1, stop=["☃a", "☃b", "☃c", "☃d", "☃e"]), "stop")


# --- usage --------------------------------------------------------------------------


@check("chat.usage_math", level=MUST, cite=["SPEC:32211"])
async def usage_math(session: Session) -> None:
    """Usage counts prompt and completion, and their sum is the total."""
    for answer in (await natural(session), await session.answer(COUNTING, max_tokens=1)):
        usage = answer["usage"]
        names = ("prompt_tokens", "completion_tokens", "total_tokens")
        counts = [usage.get(name) for name in names]
        expect(all(type(n) is int and n >= 0 for n in counts), "three counts", usage)
        prompt, completion, total = counts
        expect(prompt > 0, "a prompt of some tokens", usage)
        expect(completion > 0 or not said(answer), "a completion of some tokens", usage)
        expect(prompt + completion == total, f"total_tokens {prompt + completion}", total)


@check("chat.usage_details", level=SHOULD, cite=["SPEC:32211"])
async def usage_details(session: Session) -> None:
    """Cached tokens are a part of the prompt's, reasoning tokens of the completion's."""
    usage = (await natural(session))["usage"]
    for kind, part in (("prompt", "cached"), ("completion", "reasoning")):
        details = usage.get(f"{kind}_tokens_details") or {}
        count: Any = details.get(f"{part}_tokens")
        expect(type(count) is int, f"{kind}_tokens_details.{part}_tokens", usage)
        whole = usage[f"{kind}_tokens"]
        expect(0 <= count <= whole, f"{part}_tokens from 0 to {whole}", count)


@check("chat.usage_prompt_stable", level=SHOULD, cite=["OURS"])
async def usage_prompt_stable(session: Session) -> None:
    """The same request has the same prompt_tokens again, also when its prompt is cached."""
    counts = []
    for _ in range(2):
        answer = await session.answer(LONG + QUESTION, max_tokens=1, fresh=True)
        counts.append(answer["usage"]["prompt_tokens"])
    hint = "prompt_tokens includes what came from a cache; say how much in cached_tokens"
    expect(counts[0] == counts[1], f"{counts[0]} twice", counts, hint)


# --- what is asked for --------------------------------------------------------------


@check("chat.n", level=MUST, cite=["SPEC:33105", "OURS"])
async def several(session: Session) -> None:
    """`n` of 2 gives two choices, or a 400 that names n; never one choice in silence."""
    exchange = await session.chat(max_tokens=4, n=2)
    if exchange.received.status == 400:
        refused(exchange, "n")
        return
    status(exchange, 200)
    indices = sorted(choice["index"] for choice in json_object(exchange)["choices"])
    expect(indices == [0, 1], "choices 0 and 1", indices, NO_SILENT_IGNORE)


@check("chat.temperature_zero", level=SHOULD, cite=["OURS"])
async def temperature_zero(session: Session) -> None:
    """At temperature 0 the same request has the same answer."""
    first, again = [
        said(await session.answer(COUNTING, max_tokens=24, fresh=fresh)) for fresh in (False, True)
    ]
    expect(first == again, first, again, "take the likeliest token at temperature 0")


@check("chat.sampling_ranges", level=MUST, cite=["SPEC:33105"])
async def sampling_ranges(session: Session) -> None:
    """A sampling field outside its range is a 400 that names it."""
    for name, value in (
        *(("temperature", 2.1), ("temperature", -0.1), ("top_p", 1.1)),
        *(("presence_penalty", 3), ("frequency_penalty", -3), ("top_logprobs", 21)),
    ):
        fields: Json = {name: value}
        if name == "top_logprobs":
            fields["logprobs"] = True
        refused(await session.chat(max_tokens=1, **fields), name)


@check("chat.null_optionals", level=MUST, cite=["SPEC:33105"])
async def null_optionals(session: Session) -> None:
    """An optional field of null is as good as one that is absent."""
    nullable = (
        *("frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_logprobs"),
        *("metadata", "modalities", "n", "reasoning_effort", "response_format", "seed"),
        *("service_tier", "stop", "store", "stream", "stream_options", "temperature", "top_p"),
        *("tools", "user"),
    )
    nulls: Json = dict.fromkeys(nullable)
    status(await session.chat(**nulls, max_tokens=1, max_completion_tokens=None), 200)
    status(await session.chat(max_tokens=None, max_completion_tokens=1), 200)


@check("chat.unknown_fields", level=MUST, cite=["SPEC:33105", "OURS"])
async def unknown_fields(session: Session) -> None:
    """Fields that change nothing here, known or not, are ignored."""
    exchange = await session.chat(
        max_tokens=1, store=False, metadata={"team": "a"}, user="ada", service_tier="auto",
        safety_identifier="ada", prompt_cache_key="a", verbosity="low", x_foo={"bar": [1]},
    )  # fmt: skip
    status(exchange, 200)


@check("chat.logprobs", level=SHOULD, cite=["SPEC:31862", "PEER:llama.cpp"])
async def logprobs(session: Session) -> None:
    """Log probabilities spell the content token by token, or a 400 names the field."""
    exchange = await session.chat(COUNTING, max_tokens=16, logprobs=True, top_logprobs=2)
    if exchange.received.status == 400:
        param = refused(exchange)["param"]
        expect(param in ("logprobs", "top_logprobs"), "error.param logprobs", param)
        return
    status(exchange, 200)
    answer = json_object(exchange)
    given = answer["choices"][0].get("logprobs")
    fault = schemas.fault(given, schemas.LOGPROBS)
    expect(fault is None, "logprobs", fault, NO_SILENT_IGNORE)
    judge_logprobs(given["content"] or [], said(answer), 2)


def judge_logprobs(entries: list[Json], text: str, most: int) -> None:
    """Each token of the text with 1 to ``most`` alternatives."""
    expect(all(e["logprob"] <= 0 for e in entries), "logarithms of 0 at most", entries)
    counts = {len(e["top_logprobs"]) for e in entries}
    expect(counts <= set(range(1, most + 1)), f"1 to {most} alternatives", counts)
    spelt = b"".join(_bytes(entry) for entry in entries).decode("utf-8", "replace").strip()
    expect(spelt == text.strip(), f"tokens of {text!r}", spelt)


def _bytes(entry: Json) -> bytes:
    return entry["token"].encode() if entry["bytes"] is None else bytes(entry["bytes"])
