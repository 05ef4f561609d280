"""Text completions over a real socket, played by the scripted engine, read by OpenAI's SDK."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import openai
import pytest
from openai.types import Completion

from router.tests.conftest import MODEL, Server, Start, wait_until
from router.tests.scripts import WEATHER, call, script

PATH = "/v1/completions"


def completed(server: Server, prompt: object, **fields: object) -> httpx.Response:
    return server.http.post(PATH, json={"model": MODEL, "prompt": prompt} | fields)


def choices(server: Server, prompt: object, **fields: object) -> Any:
    return completed(server, prompt, **fields).json()["choices"]


def streamed(server: Server, prompt: Any, **fields: Any) -> list[Completion]:
    """The chunks of a stream as the SDK reads them."""
    client = server.client()
    stream = client.completions.create(model=MODEL, prompt=prompt, stream=True, **fields)
    return list(stream)


def texts(chunks: list[Completion], count: int = 1) -> list[str]:
    """The text of each choice."""
    parts = [choice for chunk in chunks for choice in chunk.choices]
    return ["".join(part.text for part in parts if part.index == i) for i in range(count)]


# --- the whole answer ---


def test_every_member_is_there(scripted: Server) -> None:
    body = completed(scripted, script("Paris it is.")).json()
    assert list(body) == [
        "id",
        "object",
        "created",
        "model",
        "choices",
        "system_fingerprint",
        "usage",
    ]
    assert body["id"].startswith("cmpl-")
    assert body["object"] == "text_completion"
    assert body["model"] == MODEL
    assert body["choices"] == [
        {"text": "Paris it is.", "index": 0, "logprobs": None, "finish_reason": "stop"}
    ]
    usage = body["usage"]
    assert usage["completion_tokens"] == 3
    assert usage["total_tokens"] == usage["prompt_tokens"] + 3


def test_the_sdk_reads_it_strictly(scripted: Server) -> None:
    made = completed(scripted, "Once upon", logprobs=2).json()
    Completion.model_validate(made, strict=True)
    answer = scripted.client().completions.create(model=MODEL, prompt="Once upon")
    assert answer.choices[0].text == "You said: Once upon"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 2


def test_several_prompts_and_several_choices_of_each(scripted: Server) -> None:
    prompts = [script("one two"), "b", script("three")]
    found = choices(scripted, prompts, n=2)
    assert [choice["index"] for choice in found] == list(range(6))
    said = ["one two"] * 2 + ["You said: b"] * 2 + ["three"] * 2
    assert [choice["text"] for choice in found] == said
    assert texts(streamed(scripted, prompts, n=2), 6) == said
    usage = completed(scripted, ["a b", "c", "d e f"], n=2, max_tokens=1).json()["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (6, 6)


def test_token_ids(scripted: Server) -> None:
    assert choices(scripted, [7, 8])[0]["text"] == "You said: 7 8"
    assert [c["text"] for c in choices(scripted, [[7], [8, 9]])] == ["You said: 7", "You said: 8 9"]


def test_sixteen_tokens_where_nobody_says_how_many(
    scripted: Server, start_server: Start, tmp_path: Any
) -> None:
    long = script("word " * 30)
    (choice,) = choices(scripted, long)
    assert (len(choice["text"].split()), choice["finish_reason"]) == (16, "length")
    assert len(choices(scripted, long, max_tokens=20)[0]["text"].split()) == 20
    config = tmp_path / "c.json"
    config.write_text(json.dumps({"defaults": {"max_tokens": 4, "stream": True}}))
    server = start_server("--engine", "scripted", "--config", str(config))
    assert len(choices(server, long, stream=False)[0]["text"].split()) == 4
    assert completed(server, "x").headers["content-type"].startswith("text/event-stream")


def test_the_text_is_what_the_model_says(scripted: Server) -> None:
    """Markup that means something in a chat is text here, and white space is kept."""
    raw = f"\n <think>hm</think>\n{call('get_weather', city='Oslo')}<|im_end|> \n"
    assert choices(scripted, script(raw), tools=[WEATHER])[0]["text"] == raw
    assert texts(streamed(scripted, script(raw))) == [raw]


@pytest.mark.parametrize("stop", ["END", ["never", "END"]])
def test_a_stop_string_and_what_follows_it_are_not_sent(scripted: Server, stop: Any) -> None:
    prompts = [script("", pieces=["before E", "N", "D after"]), script("", pieces=["E", "N", "X"])]
    found = choices(scripted, prompts, stop=stop)
    assert [choice["text"] for choice in found] == ["before ", "ENX"]
    assert {choice["finish_reason"] for choice in found} == {"stop"}
    assert texts(streamed(scripted, prompts, stop=stop), 2) == ["before ", "ENX"]


def test_echo(scripted: Server) -> None:
    prompts = ["a END", "b"]
    said = ["a ENDYou said: a ", "bYou said: b"]
    assert [c["text"] for c in choices(scripted, prompts, echo=True, stop="END")] == said
    assert texts(streamed(scripted, prompts, echo=True, stop="END"), 2) == said


def test_logprobs(scripted: Server) -> None:
    client = scripted.client()
    made = client.completions.create(model=MODEL, logprobs=1, prompt=script("h\u00e9llo you"))
    logprobs = made.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.tokens == ["h\u00e9llo", " you"]
    assert logprobs.text_offset == [0, 5]
    assert logprobs.token_logprobs is not None
    assert logprobs.top_logprobs == [
        {token: value}
        for token, value in zip(logprobs.tokens, logprobs.token_logprobs, strict=True)
    ]
    chunks = streamed(scripted, script("h\u00e9llo you"), logprobs=0)
    offsets = [c.choices[0].logprobs.text_offset for c in chunks if c.choices[0].logprobs]
    assert offsets == [[0], [5]]


# --- the stream ---


def test_the_stream_is_openais(scripted: Server) -> None:
    options = {"stream_options": {"include_usage": True}}
    body = completed(scripted, script("one two"), stream=True, **options)
    assert body.headers["content-type"].startswith("text/event-stream")
    *lines, last = [line.removeprefix("data: ") for line in body.text.split("\n\n") if line]
    assert last == "[DONE]"
    *chunks, total = [json.loads(line) for line in lines]
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}
    assert len({(c["id"], c["created"], c["model"], c["system_fingerprint"]) for c in chunks}) == 1
    assert [c["usage"] for c in chunks] == [None] * len(chunks)
    assert [chunk["choices"] for chunk in chunks] == [
        [{"text": "one", "index": 0, "logprobs": None, "finish_reason": None}],
        [{"text": " two", "index": 0, "logprobs": None, "finish_reason": None}],
        [{"text": "", "index": 0, "logprobs": None, "finish_reason": "stop"}],
    ]
    assert total["choices"] == []
    assert total["usage"] == completed(scripted, script("one two")).json()["usage"]


def test_without_being_asked_no_usage_is_streamed(scripted: Server) -> None:
    assert all(chunk.usage is None and chunk.choices for chunk in streamed(scripted, "x"))


def test_without_v1(scripted: Server) -> None:
    body = {"model": MODEL, "prompt": "x"}
    assert scripted.http.post("/completions", json=body).json()["object"] == "text_completion"


# --- errors, and clients that leave ---


def test_the_sdk_raises_the_right_class(scripted: Server) -> None:
    client = scripted.client()
    with pytest.raises(openai.BadRequestError) as bad:
        client.completions.create(model=MODEL, prompt="x", suffix="y")
    assert (bad.value.param, bad.value.code) == ("suffix", "unsupported_parameter")
    with pytest.raises(openai.NotFoundError) as missing:
        client.completions.create(model="no-such-model", prompt="x")
    assert missing.value.code == "model_not_found"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("prompt", ["word " * 9000, ["x", "word " * 9000], [5] * 9000])
def test_a_prompt_that_does_not_fit(scripted: Server, stream: bool, prompt: object) -> None:
    response = completed(scripted, prompt, stream=stream)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["param"], error["code"]) == ("prompt", "context_length_exceeded")
    assert "8192" in error["message"]


def test_an_engine_fault_is_one_error_event(scripted: Server) -> None:
    faulty = script("one two three", mishap={"kind": "error", "after": 2})
    body = completed(scripted, faulty, stream=True).text
    *_, last = [line for line in body.split("\n\n") if line]
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "engine_fault"
    assert "[DONE]" not in body
    with pytest.raises(openai.InternalServerError):
        scripted.client().completions.create(model=MODEL, prompt=["fine", faulty])


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("prefill_ms", [0, 30_000])
def test_a_client_that_leaves_frees_all_its_sequences(
    scripted: Server, stream: bool, prefill_ms: int
) -> None:
    slow = script("tick " * 200, rate=10, prefill_ms=prefill_ms)
    before = scripted.metric("request_success_total")
    body = {"model": MODEL, "prompt": [slow, slow], "n": 2, "max_tokens": 200, "stream": stream}
    count = "num_requests_waiting" if prefill_ms else "num_requests_running"
    with scripted.unread(body, PATH):
        assert wait_until(lambda: scripted.metric(count) == 4, 5)
    assert wait_until(scripted.idle, 1)
    assert wait_until(lambda: scripted.metric("request_success_total") == before + 1, 2)
    generated = scripted.metric("generation_tokens_total")
    time.sleep(0.3)
    assert scripted.metric("generation_tokens_total") == generated
