"""Chat completions over a real socket, played by the scripted engine, read by OpenAI's SDK."""

from __future__ import annotations

import json
import re
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from router.tests.conftest import MODEL, Server
from router.tests.scripts import WEATHER, deltas, events, script

# --- the whole answer ---


def test_every_member_is_there(scripted: Server) -> None:
    body = scripted.chat(script("Paris it is.")).json()
    assert list(body) == [
        "id",
        "object",
        "created",
        "model",
        "choices",
        "service_tier",
        "system_fingerprint",
        "usage",
    ]
    assert body["id"].startswith("chatcmpl-")
    assert len(body["id"]) == len("chatcmpl-") + 29
    assert body["object"] == "chat.completion"
    assert body["model"] == MODEL
    (choice,) = body["choices"]
    assert choice == {
        "index": 0,
        "message": {
            "role": "assistant",
            "content": "Paris it is.",
            "refusal": None,
            "annotations": [],
        },
        "logprobs": None,
        "finish_reason": "stop",
    }
    usage = body["usage"]
    assert usage["completion_tokens"] == 3
    assert usage["prompt_tokens"] > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + 3
    assert usage["prompt_tokens_details"] == {"cached_tokens": 0, "audio_tokens": 0}
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 0


def test_several_choices(scripted: Server) -> None:
    client = scripted.client()
    answer = client.chat.completions.create(
        model=MODEL, n=2, messages=[{"role": "user", "content": script("one two")}]
    )
    assert [c.index for c in answer.choices] == [0, 1]
    assert [c.message.content for c in answer.choices] == ["one two", "one two"]
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 4


@pytest.mark.parametrize("stop", ["END", ["never", "END"]])
def test_a_stop_string_and_what_follows_it_are_not_sent(scripted: Server, stop: Any) -> None:
    pieces = ["before E", "N", "D after"]
    body = scripted.chat(script("", pieces=pieces), stop=stop).json()
    assert body["choices"][0]["message"]["content"] == "before "
    assert body["choices"][0]["finish_reason"] == "stop"
    streamed = events(scripted, script("", pieces=pieces), stop=stop)
    assert "".join(d.get("content") or "" for d in deltas(streamed)) == "before "


def test_near_misses_and_tails_are_kept(scripted: Server) -> None:
    pieces = ["E", "N", "X is 3 ", "<"]
    body = scripted.chat(script("", pieces=pieces), stop="END").json()
    assert body["choices"][0]["message"]["content"] == "ENX is 3 <"


def test_whether_there_was_more_to_say_is_not_known_at_the_limit(scripted: Server) -> None:
    for limit, reason in ((3, "length"), (4, "stop")):
        body = scripted.chat(script("one two three"), max_tokens=limit).json()
        assert body["choices"][0]["message"]["content"] == "one two three"
        assert body["choices"][0]["finish_reason"] == reason


def test_running_out_of_tokens(scripted: Server) -> None:
    for field in ("max_tokens", "max_completion_tokens"):
        body = scripted.chat(script("one two three"), **{field: 2}).json()
        assert body["choices"][0]["finish_reason"] == "length"
        assert body["usage"]["completion_tokens"] == 2


def test_reasoning_is_not_content(scripted: Server) -> None:
    body = scripted.chat(script("<think>two plus two</think>\n\nFour.")).json()
    message = body["choices"][0]["message"]
    assert message["content"] == "Four."
    assert message["reasoning_content"] == "two plus two"
    assert body["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0
    opened = scripted.chat(script("two</think>Four.", reasoning_open=True)).json()
    assert opened["choices"][0]["message"]["reasoning_content"] == "two"


def test_logprobs(scripted: Server) -> None:
    client = scripted.client()
    answer = client.chat.completions.create(
        model=MODEL,
        logprobs=True,
        top_logprobs=1,
        messages=[{"role": "user", "content": script("héllo you")}],
    )
    assert answer.choices[0].logprobs is not None
    entries = answer.choices[0].logprobs.content or []
    assert "".join(e.token for e in entries) == answer.choices[0].message.content
    assert bytes(entries[0].bytes or []).decode() == entries[0].token
    assert all(e.logprob <= 0 and len(e.top_logprobs) == 1 for e in entries)
    streamed = events(scripted, script("héllo you"), logprobs=True)
    tokens = [
        e["token"]
        for chunk in streamed
        for c in chunk["choices"]
        for e in (c["logprobs"] or {"content": []})["content"]
    ]
    assert "".join(tokens) == "héllo you"


# --- the stream ---


def test_the_stream_is_openais(scripted: Server) -> None:
    chunks = events(scripted, script("one two"))
    assert {c["object"] for c in chunks} == {"chat.completion.chunk"}
    assert len({(c["id"], c["created"], c["model"], c["system_fingerprint"]) for c in chunks}) == 1
    assert all("usage" not in c for c in chunks)
    assert deltas(chunks) == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "one"},
        {"content": " two"},
        {},
    ]
    reasons = [c["choices"][0]["finish_reason"] for c in chunks]
    assert reasons == [None, None, None, "stop"]
    assert all(c["choices"][0]["logprobs"] is None for c in chunks)


def test_the_usage_chunk(scripted: Server) -> None:
    chunks = events(scripted, script("one two"), stream_options={"include_usage": True})
    assert [c["usage"] for c in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1]["choices"] == []
    whole = scripted.chat(script("one two")).json()
    assert chunks[-1]["usage"] == whole["usage"]


@pytest.mark.parametrize("options", [None, {}, {"include_obfuscation": True}])
def test_stream_options_are_tolerated(scripted: Server, options: object) -> None:
    assert deltas(events(scripted, script("x"), stream_options=options))[-1] == {}


def test_the_headers_of_a_stream(scripted: Server) -> None:
    response = scripted.chat(script("x"), stream=True)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    assert "content-length" not in response.headers
    assert response.headers["x-request-id"].startswith("req_")
    assert response.headers["openai-processing-ms"].isdigit()


def test_several_choices_in_a_stream(scripted: Server) -> None:
    chunks = events(scripted, script("one two"), n=2)
    for choice in (0, 1):
        parts = deltas(chunks, choice)
        assert [p.get("role") for p in parts].count("assistant") == 1
        assert "".join(p.get("content") or "" for p in parts) == "one two"
        assert parts[-1] == {}


def test_streamed_reasoning(scripted: Server) -> None:
    parts = deltas(events(scripted, script("", pieces=["<thi", "nk>hm", "m</think>", "Four."])))
    assert "".join(p.get("reasoning_content") or "" for p in parts) == "hmm"
    assert "".join(p.get("content") or "" for p in parts) == "Four."


def test_an_engine_fault_is_one_error_event(scripted: Server) -> None:
    faulty = script("one two three", mishap={"kind": "error", "after": 2})
    body = scripted.chat(faulty, stream=True).text
    *_, last = [line for line in body.split("\n\n") if line]
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "engine_fault"
    assert "[DONE]" not in body
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": faulty}]
    stream = scripted.client().chat.completions.create(model=MODEL, messages=messages, stream=True)
    with pytest.raises(openai.APIError) as caught:
        list(stream)
    assert caught.value.code == "engine_fault"
    with pytest.raises(openai.InternalServerError):
        scripted.client().chat.completions.create(model=MODEL, messages=messages)


# --- errors, as the SDK sees them ---


def test_the_sdk_raises_the_right_class(scripted: Server) -> None:
    client = scripted.client()
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "x"}]
    with pytest.raises(openai.BadRequestError) as bad:
        client.chat.completions.create(model=MODEL, messages=messages, temperature=3)
    assert bad.value.param == "temperature"
    assert bad.value.code == "decimal_above_max_value"
    assert "temperature" in bad.value.message
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="no-such-model", messages=messages)
    assert missing.value.code == "model_not_found"
    assert missing.value.param is None
    long: list[ChatCompletionMessageParam] = [{"role": "user", "content": "word " * 9000}]
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as big:
            client.chat.completions.create(model=MODEL, messages=long, stream=stream)
        assert big.value.code == "context_length_exceeded"
        assert "8192" in big.value.message
        assert max(int(n) for n in re.findall(r"\d+", big.value.message)) >= 9000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("audio", {"voice": "alloy", "format": "wav"}),
        ("web_search_options", {}),
        ("prediction", {"type": "content", "content": "x"}),
    ],
)
def test_what_is_not_honoured_is_refused_by_name(
    scripted: Server, field: str, value: object
) -> None:
    response = scripted.chat("x", tools=[WEATHER], **{field: value})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == field
    assert response.json()["error"]["code"] == "unsupported_parameter"


def test_what_changes_nothing_is_ignored(scripted: Server) -> None:
    extras = {
        "store": True,
        "metadata": {"a": "b"},
        "user": "me",
        "service_tier": "auto",
        "safety_identifier": "x",
        "prompt_cache_key": "x",
        "verbosity": "low",
        "x_foo": 1,
        "temperature": None,
        "stop": None,
        "tools": None,
        "response_format": None,
    }
    assert scripted.chat("x", **extras).status_code == 200


def test_roles_and_content_forms(scripted: Server) -> None:
    messages = [
        {"role": "system", "content": "one"},
        {"role": "developer", "content": [{"type": "text", "text": "two"}]},
        {"role": "user", "content": [{"text": "a", "type": "text"}, {"type": "text", "text": "b"}]},
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "42"}]},
    ]
    body = scripted.http.post(
        "/v1/chat/completions", json={"model": MODEL, "messages": messages}
    ).json()
    assert body["choices"][0]["message"]["content"] == "The result is: 42"
