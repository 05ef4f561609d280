"""The older endpoint, which continues a text."""

from __future__ import annotations

from conformance.check import MUST, SHOULD, check
from conformance.client import Exchange
from conformance.expect import json_object, refused, status
from conformance.failure import expect
from conformance.session import Json, Session
from conformance.transcript import Transcript

PROMPT = "Once upon a time there was a small house at the edge of"
TOKENS = 8
FINISH_REASONS = ("stop", "length", "content_filter")


async def complete(session: Session, **fields: object) -> Exchange:
    """POST /completions: a few tokens, greedy."""
    usual = {"model": session.target.model, "prompt": PROMPT, "max_tokens": TOKENS}
    body = {**usual, "temperature": 0, **fields}
    return await session.request("POST", "/completions", json_body=body, fresh=False)


async def completed(session: Session, **fields: object) -> Json:
    answered = await complete(session, **fields)
    status(answered, 200)
    return json_object(answered)


@check("completions.shape", level=SHOULD, cite=["SPEC:33821"], needs=("completions",))
async def shape(session: Session) -> None:
    """A completion is a text_completion with choices of text, and usage that adds up."""
    body = await completed(session)
    _judge_head(body)
    choices = body.get("choices")
    expect(isinstance(choices, list) and len(choices) == 1, "one choice", choices)
    for choice in choices or []:
        _judge_choice(choice)
        expect(choice["finish_reason"] in FINISH_REASONS, "a finish_reason", choice)
        expect("message" not in choice, "no message: this is no chat", choice)
    _judge_usage(body.get("usage"))


@check("completions.stream", level=SHOULD, cite=["SPEC:33821"], needs=("completions",))
async def stream(session: Session) -> None:
    """A stream is chunks of text_completion, one finish_reason, usage if asked for, [DONE]."""
    answered = await complete(session, stream=True, stream_options={"include_usage": True})
    status(answered, 200)
    kind = answered.received.header("content-type") or "none"
    expect(kind.startswith("text/event-stream"), "content-type text/event-stream", kind)
    transcript = Transcript.of(answered)
    well_formed(transcript)
    _judge_usage(transcript.data[-1].get("usage"))


def well_formed(transcript: Transcript) -> None:
    """What a stream of this endpoint is: of any prompts and choices."""
    problems = transcript.reader.problems + transcript.problems
    expect(not problems, "clean server-sent events", "; ".join(problems))
    done = [event.data == "[DONE]" for event in transcript.reader.events]
    expect(done.count(True) == 1 and done[-1], "[DONE] once and last", done.count(True))
    reasons: dict[int, list[str | None]] = {}
    for chunk in transcript.data:
        _judge_head(chunk)
        for choice in chunk["choices"]:
            _judge_choice(choice)
            expect("delta" not in choice, "text, no delta: this is no chat", choice)
            reasons.setdefault(choice["index"], []).append(choice["finish_reason"])
    expect(bool(reasons), "a choice", transcript.data)
    for found in reasons.values():
        expect(sum(map(bool, found)) == 1, "one finish_reason", found)
        expect(found[-1] in FINISH_REASONS, "the finish_reason last", found)
    if (transcript.request.get("stream_options") or {}).get("include_usage"):
        last = transcript.data[-1]
        expect(last["choices"] == [], "a last chunk without choices for usage", last)


@check("completions.unsupported", level=MUST, cite=["OURS"], needs=("completions",))
async def unsupported(session: Session) -> None:
    """`suffix`, `best_of` and `echo` are honoured, or refused by name."""
    echoed = await complete(session, echo=True)
    if not _is_refused(echoed, "echo"):
        text = json_object(echoed)["choices"][0]["text"]
        expect(text.startswith(PROMPT), "a text that begins with the prompt", text)
    suffixed = await complete(session, suffix=" the old forest, where the tall trees grow.")
    if not _is_refused(suffixed, "suffix"):
        plain = (await completed(session))["usage"]["prompt_tokens"]
        found = json_object(suffixed)["usage"]["prompt_tokens"]
        expect(found > plain, f"more prompt tokens than {plain}: the suffix counts", found)
    if not _is_refused(await complete(session, best_of=2), "best_of"):
        # Who chooses the best cannot be seen from outside, but who knows the rule can.
        fewer = await complete(session, n=2, best_of=1)
        expect(_is_refused(fewer, "best_of", "n"), "400 for a best_of below n", fewer.received.text)


def _is_refused(answered: Exchange, *params: str) -> bool:
    if answered.received.status == 200:
        return False
    param = refused(answered)["param"]
    expect(param in params, f"error.param {' or '.join(params)}", param)
    return True


def _judge_head(body: Json) -> None:
    expect(body.get("object") == "text_completion", "object text_completion", body)
    expect(isinstance(body.get("id"), str) and bool(body["id"]), "an id", body)
    expect(type(body.get("created")) is int, "an integer created", body)
    expect(isinstance(body.get("model"), str), "a model", body)
    expect(isinstance(body.get("choices"), list), "a list of choices", body)


def _judge_choice(choice: Json) -> None:
    expect(isinstance(choice.get("text"), str), "a string text", choice)
    expect(type(choice.get("index")) is int, "an integer index", choice)
    expect("finish_reason" in choice, "a finish_reason, null or not", choice)
    expect("logprobs" in choice, "logprobs, null or not", choice)


def _judge_usage(usage: Json | None) -> None:
    expect(isinstance(usage, dict), "usage", usage)
    assert usage is not None
    counts = [usage.get(f"{name}_tokens") for name in ("prompt", "completion", "total")]
    expect(all(type(count) is int and count >= 0 for count in counts), "three counts", usage)
    prompt, completion, total = (int(count or 0) for count in counts)
    expect(prompt > 0 and prompt + completion == total, "counts that add up", usage)
    expect(completion <= TOKENS, f"{TOKENS} tokens at most", usage)
