"""The embedded model on real MLX, over a real socket."""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import time
from typing import Any

import httpx
import pytest

from router.tests.conftest import MODEL, Server, wait_until

COUNTRIES = [
    *("France", "Italy", "Spain", "Germany", "Japan", "Egypt", "Russia", "Greece"),
    *("Austria", "Norway", "Ireland", "Poland", "China", "Portugal", "England", "Hungary"),
]


def ask(server: Server, question: str, **fields: Any) -> dict[str, Any]:
    body: dict[str, Any] = server.chat(question, **{"temperature": 0, **fields}).json()
    return body


def text(body: dict[str, Any], choice: int = 0) -> str:
    return str(body["choices"][choice]["message"]["content"])


def test_the_capital_of_france(real: Server) -> None:
    body = ask(real, "What is the capital of France?")
    assert "Paris" in text(body)
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"]["prompt_tokens"] == 37
    assert body["usage"]["completion_tokens"] == 7


def test_the_stream_equals_the_answer(real: Server) -> None:
    with real.client().chat.completions.stream(
        model=MODEL,
        temperature=0,
        messages=[{"role": "user", "content": "What is the capital of France?"}],
        stream_options={"include_usage": True},
    ) as stream:
        parts = [e.delta for e in stream if e.type == "content.delta"]
        final = stream.get_final_completion()
    whole = ask(real, "What is the capital of France?")
    assert len(parts) > 3
    assert "".join(parts) == final.choices[0].message.content == text(whole)
    assert final.usage is not None
    assert final.usage.completion_tokens == whole["usage"]["completion_tokens"]


def test_one_seed_one_answer(real: Server) -> None:
    def told(seed: int) -> str:
        return text(ask(real, "Tell me a story.", temperature=1, seed=seed, max_tokens=20))

    assert told(7) == told(7)
    assert len({told(7), told(8), told(9)}) > 1


def test_choices_differ_under_one_seed(real: Server) -> None:
    body = ask(real, "Tell me a story.", temperature=1, seed=1, n=2, max_tokens=20)
    assert len(body["choices"]) == 2
    assert text(body, 0) != text(body, 1)


def test_logprobs(real: Server) -> None:
    body = ask(real, "What is the capital of France?", logprobs=True, top_logprobs=3)
    entries = body["choices"][0]["logprobs"]["content"]
    assert "".join(e["token"] for e in entries) == text(body)
    for entry in entries:
        assert entry["logprob"] <= 0
        assert len(entry["top_logprobs"]) == 3
        # Greedy: the token that was taken is the likeliest one.
        assert entry["top_logprobs"][0]["token"] == entry["token"]
        assert bytes(entry["bytes"]).decode() == entry["token"]


def test_logit_bias(real: Server) -> None:
    paris = " Paris"
    usual = ask(real, "What is the capital of France?", logprobs=True)
    assert paris in [e["token"] for e in usual["choices"][0]["logprobs"]["content"]]
    biased = ask(real, "What is the capital of France?", logit_bias={"7042": -100})
    assert paris not in text(biased)
    far = real.chat("x", logit_bias={"999999": 1})
    assert far.status_code == 400
    assert far.json()["error"]["param"] == "logit_bias"


def test_stop_is_text_not_tokens(real: Server) -> None:
    body = ask(real, "What is the capital of France?", stop="ital of Fra")
    assert text(body) == "The cap"
    assert body["choices"][0]["finish_reason"] == "stop"
    assert wait_until(lambda: real.metric("num_requests_running") == 0, 2)


def test_a_text_is_continued_without_a_template(real: Server) -> None:
    """As text, and as the same tokens; beside another prompt it goes on as it does alone."""
    prompts = ["The capital of France is", [504, 3575, 282, 4649, 314], "One, two, three,"]
    body: dict[str, Any] = {"model": MODEL, "temperature": 0, "max_tokens": 6, "logprobs": 2}
    whole = real.http.post("/v1/completions", json={**body, "prompt": prompts}).json()
    as_text, as_tokens, counted = whole["choices"]
    assert as_text["text"].startswith(" Paris")
    assert as_tokens["text"] == as_text["text"]
    assert counted["text"].startswith(" four, five")
    alone = real.http.post("/v1/completions", json={**body, "prompt": prompts[2]}).json()
    assert alone["choices"][0]["text"] == counted["text"]
    logprobs = as_text["logprobs"]
    assert "".join(logprobs["tokens"]) == as_text["text"]
    for at, token, top in zip(
        logprobs["text_offset"], logprobs["tokens"], logprobs["top_logprobs"], strict=True
    ):
        assert as_text["text"][at:].startswith(token)
        assert token in top
        assert len(top) == 2
    far = real.http.post("/v1/completions", json={**body, "prompt": [49152]})
    assert far.json()["error"]["param"] == "prompt"


def test_the_prompts_of_a_request_share_what_was_read(real: Server) -> None:
    story = " ".join(f"Chapter {i}: nothing happened." for i in range(8))
    body: dict[str, Any] = {"model": MODEL, "max_tokens": 1, "seed": 5}
    first = real.http.post("/v1/completions", json={**body, "prompt": story}).json()
    cached = first["usage"]["prompt_tokens"] - 1
    both = real.http.post("/v1/completions", json={**body, "prompt": [story, story]}).json()
    assert both["usage"]["prompt_tokens"] == 2 * first["usage"]["prompt_tokens"]
    assert both["usage"]["prompt_tokens_details"]["cached_tokens"] == 2 * cached
    said = {choice["text"] for choice in both["choices"]}
    assert said == {first["choices"][0]["text"]}


def test_the_second_turn_reads_only_what_is_new(real: Server) -> None:
    """And what was read before does not change the answer."""
    messages = [{"role": "user", "content": "My name is Ada. What is the capital of Peru?"}]
    body: dict[str, Any] = {"model": MODEL, "temperature": 0, "messages": messages}
    first = real.http.post("/v1/chat/completions", json=body).json()
    messages += [first["choices"][0]["message"], {"role": "user", "content": "What is my name?"}]
    second = real.http.post("/v1/chat/completions", json=body).json()
    cached = second["usage"]["prompt_tokens_details"]["cached_tokens"]
    said = first["usage"]["prompt_tokens"] + first["usage"]["completion_tokens"]
    assert said <= cached < second["usage"]["prompt_tokens"]
    fresh = real.http.post("/v1/chat/completions", json={**body, "n": 2}).json()
    assert fresh["usage"]["prompt_tokens"] == second["usage"]["prompt_tokens"]
    assert text(fresh) == text(second)
    assert real.metric("prefix_cache_hits_total") >= cached
    other = [{"role": "system", "content": "You are a pirate."}, *messages]
    changed = real.http.post("/v1/chat/completions", json={**body, "messages": other}).json()
    assert changed["usage"]["prompt_tokens_details"]["cached_tokens"] < 16


def test_a_prefill_that_was_cancelled_is_not_lost(real: Server) -> None:
    """A client that gave up in a long prefill and asks again finds what was read already."""
    story = " ".join(f"Chapter {i}: nothing happened." for i in range(200))
    body: dict[str, Any] = {
        "model": MODEL,
        "max_tokens": 1,
        "messages": [{"role": "user", "content": story}],
    }
    before = real.metric("kv_cache_bytes")
    with real.unread(body):  # until mlx-lm needs its second block of KV, 256 tokens a block
        assert wait_until(lambda: real.metric("kv_cache_bytes") > before + 20_000_000, 30)
    assert wait_until(real.idle, 2)  # the end of a chunk of 64 tokens
    usage = real.http.post("/v1/chat/completions", json=body).json()["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] >= 256


def test_length(real: Server) -> None:
    body = ask(real, "Tell me a long story.", max_tokens=5)
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 5


def test_a_prompt_that_does_not_fit(real: Server) -> None:
    started = time.monotonic()
    response = real.chat("word " * 9000, stream=True)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "context_length_exceeded"
    assert "8192" in error["message"]
    assert time.monotonic() - started < 5


def test_a_call_in_a_format_the_template_does_not_know(real: Server) -> None:
    """The model never calls a tool by itself, but it copies an example well."""
    tool = {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
    call = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rome"}}\n</tool_call>'
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": f"Repeat exactly: {call}"},
        {"role": "assistant", "content": call},
        {"role": "user", "content": f"Repeat exactly: {call}"},
    ]
    body = {"model": MODEL, "messages": messages, "tools": [tool], "temperature": 0}
    answer = real.http.post("/v1/chat/completions", json=body).json()
    message = answer["choices"][0]["message"]
    assert answer["choices"][0]["finish_reason"] == "tool_calls", message
    (made,) = message["tool_calls"]
    assert made["function"]["name"] == "get_weather"
    assert json.loads(made["function"]["arguments"]) == {"city": "Rome"}
    messages += [message, {"role": "tool", "tool_call_id": made["id"], "content": "sunny"}]
    second = real.http.post("/v1/chat/completions", json={**body, "max_tokens": 40})
    assert second.status_code == 200


def test_sixteen_at_once_do_not_cross(real: Server) -> None:
    """All share every decoding step, and each gets the answer it gets alone.

    Not always to the letter: a batch rounds differently, and a close decision can tip.
    """

    def answer(country: str) -> str:
        with httpx.Client(base_url=real.url, timeout=120) as client:
            body = {
                "model": MODEL,
                "temperature": 0,
                "max_tokens": 12,
                "messages": [{"role": "user", "content": f"What is the capital of {country}?"}],
            }
            return text(client.post("/v1/chat/completions", json=body).json())

    alone = [answer(country) for country in COUNTRIES]
    assert len(set(alone)) == len(COUNTRIES)
    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        together = list(threads.map(answer, COUNTRIES))
    same = [one == other for one, other in zip(alone, together, strict=True)]
    assert sum(same) >= 14
    for index, said in enumerate(together):
        assert said not in alone[:index] + alone[index + 1 :]


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_frees_its_sequence(real: Server, stream: bool) -> None:
    body = {
        "model": MODEL,
        "stream": stream,
        "messages": [{"role": "user", "content": "Tell me a very long story."}],
    }
    with real.unread(body):
        assert wait_until(lambda: real.metric("num_requests_running") == 1, 10)
    assert wait_until(real.idle, 1)


def test_kill_the_model_process_mid_stream(real: Server) -> None:
    body = {
        "model": MODEL,
        "stream": True,
        "messages": [{"role": "user", "content": "Tell me a very long story."}],
    }
    with real.http.stream("POST", "/v1/chat/completions", json=body) as response:
        lines = (line for line in response.iter_lines() if line)
        next(lines)
        os.kill(real.model_process(), signal.SIGKILL)
        killed = time.monotonic()
        rest = list(lines)
        assert time.monotonic() - killed < 2
    assert "error" in json.loads(rest[-1].removeprefix("data: "))
    assert real.http.get("/health").status_code == 200
    assert "Paris" in text(ask(real, "What is the capital of France?"))
