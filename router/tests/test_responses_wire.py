"""Whatever a model does, the events of its response keep to one grammar."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import itertools
import json
import re
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any, Literal, get_args

import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import ResponseStreamEvent

from router import sse
from router.errors import ApiError, Internal
from router.events import (
    Event,
    Finish,
    Idle,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallStart,
    Usage,
)
from router.frames import Sampling, TokenLogprob, TopLogprob
from router.responses import wire
from router.responses.response import ResponseObject
from router.schema import ResponsesRequest

Json = dict[str, Any]

GRAMMAR = re.compile(
    r"""created (in_progress\ )+
    (?:
        output_item.added\ (?:
            content_part.added\ (?:output_text.delta\ |in_progress\ )*
                output_text.done\ content_part.done
          | reasoning_summary_part.added\ (?:reasoning_summary_text.delta\ |in_progress\ )*
                reasoning_summary_text.done\ reasoning_summary_part.done
          | (?:function_call_arguments.delta\ |in_progress\ )* function_call_arguments.done
        )\ output_item.done\ (?:in_progress\ )*
    )+
    (?:completed|incomplete)""".replace("created (", r"created\ ("),
    re.VERBOSE,
)


def about(counts: Usage | None = None) -> ResponseObject:
    asked = ResponsesRequest.parse({"model": "m", "input": "hi"})
    return ResponseObject(asked, model="m", sampling=Sampling(), counts=counts or Usage())


async def played(*script: Event | Exception) -> AsyncGenerator[tuple[int, Event]]:
    for event in script:
        if isinstance(event, Exception):
            raise event
        yield 0, event


def streamed(*script: Event | Exception) -> list[Json]:
    async def collect() -> list[Json]:
        return [event async for event in wire.stream(played(*script), about())]

    return asyncio.run(collect())


def whole(*script: Event) -> Json:
    return asyncio.run(wire.response(played(*script), about()))


def answer(index: int, arguments: list[str]) -> list[Event]:
    deltas = [ToolCallDelta(index, part) for part in arguments]
    return [ToolCallStart(index, f"call_{index}", "f"), *deltas]


ENTRY = TokenLogprob("b", -0.5, b"b", [TopLogprob("b", -0.5, b"b")])

words = st.text("ab ", min_size=1, max_size=3)
stretch = st.one_of(
    st.builds(lambda text: [TextDelta(text)], words),
    st.builds(lambda text: [ReasoningDelta(text)], words),
    st.just([Idle()]),
    st.builds(answer, st.just(0), st.lists(words, max_size=3)),
)
reasons = st.sampled_from(["stop", "length", "tool_calls"])


@settings(deadline=None)
@given(st.lists(stretch, max_size=8), reasons)
def test_the_grammar_of_a_stream(
    stretches: list[list[Event]], reason: Literal["stop", "length", "tool_calls"]
) -> None:
    found = streamed(*[event for stretch in stretches for event in stretch], Finish(reason))
    kinds = " ".join(event["type"].removeprefix("response.") for event in found)
    assert GRAMMAR.fullmatch(kinds), kinds
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    check_items(found)


def test_the_sdk_reads_every_event_strictly() -> None:
    models = {
        get_args(model.model_fields["type"].annotation)[0]: model
        for model in get_args(get_args(ResponseStreamEvent)[0])
    }
    told = [ReasoningDelta("a"), TextDelta("b", (ENTRY,)), *answer(0, ["{}"]), Finish("stop")]
    for event in streamed(*told):
        models[event["type"]].model_validate_json(json.dumps(event), strict=True)


def test_the_sdk_follows_every_stream() -> None:
    """With signs of life at every place, and each kind of item behind each other."""
    kinds: list[Callable[[int], list[Event]]] = [
        lambda place: [ReasoningDelta("a"), Idle(), ReasoningDelta("b")],
        lambda place: [TextDelta("a"), Idle(), TextDelta("b")],
        lambda place: [*answer(place, ["{", "}"]), Idle()],
    ]
    for one, other in itertools.product(kinds, repeat=2):
        script = [Idle(), *one(0), *other(1), Finish("stop")]
        with served(script) as client, client.responses.stream(model="m", input="hi") as stream:
            [*_, last] = stream
            final = stream.get_final_response()
        assert last.type == "response.completed"
        texts = [event.text for event in script if isinstance(event, TextDelta)]
        assert final.output_text == "".join(texts)


@contextlib.contextmanager
def served(script: list[Event]) -> Iterator[openai.OpenAI]:
    """A client of a server that answers with the stream of a script."""

    async def encoded() -> bytes:
        events = wire.stream(played(*script), about())
        return b"".join([part async for part in sse.named(events)])

    body = asyncio.run(encoded())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request).start()
        url = f"http://127.0.0.1:{server.server_port}"
        with openai.OpenAI(base_url=url, api_key="unused", max_retries=0) as client:
            yield client


def check_items(found: list[Json]) -> None:
    """An item is the same from its first event to the response at the end."""
    ended = found[-1]["response"]
    added = [event for event in found if event["type"] == "response.output_item.added"]
    done = [event for event in found if event["type"] == "response.output_item.done"]
    assert [event["output_index"] for event in added] == list(range(len(added)))
    assert [event["item"] for event in done] == ended["output"]
    for begun, over in zip(added, done, strict=True):
        assert begun["output_index"] == over["output_index"]
        for key in begun["item"].keys() & {"id", "type", "call_id", "name", "role"}:
            assert begun["item"][key] == over["item"][key]
        own = [e for e in found if e.get("item_id") == over["item"]["id"]]
        assert {event["output_index"] for event in own} == {over["output_index"]}
        deltas = "".join(event["delta"] for event in own if event["type"].endswith(".delta"))
        assert deltas == told_by(over["item"])
    assert {event["response"]["id"] for event in found if "response" in event} == {ended["id"]}


def told_by(item: Json) -> str:
    if item["type"] == "function_call":
        arguments: str = item["arguments"]
        return arguments
    return "".join(part["text"] for part in item.get("content") or item["summary"])


@settings(deadline=None)
@given(st.lists(stretch, max_size=4), reasons)
def test_a_stream_ends_with_the_response_that_is_sent_without_one(
    stretches: list[list[Event]], reason: Literal["stop", "length", "tool_calls"]
) -> None:
    script = [*[event for stretch in stretches for event in stretch], Finish(reason)]
    one, other = whole(*script), streamed(*script)[-1]["response"]
    assert nameless(one) == nameless(other)


def nameless(response: Json) -> Json:
    """Without what is made anew for each response."""
    output = [{**item, "id": ""} for item in response["output"]]
    return {**response, "id": "", "created_at": 0, "completed_at": 0, "output": output}


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Internal("It broke.", code="engine_fault"), "engine_fault"),
        (KeyError("x"), "internal_error"),
    ],
)
def test_a_failure_is_an_error_and_a_failed_response(failure: Exception, code: str) -> None:
    *_, error, failed = streamed(TextDelta("one"), failure)
    assert (error["type"], failed["type"]) == ("error", "response.failed")
    assert error["error"]["code"] == code
    assert failed["sequence_number"] == error["sequence_number"] + 1
    response = failed["response"]
    assert (response["status"], response["completed_at"]) == ("failed", None)
    told = {"code": "server_error", "message": error["error"]["message"]}
    assert response["error"] == told


def test_without_a_stream_the_failure_itself_comes_out() -> None:
    with pytest.raises(ApiError):
        whole(TextDelta("one"), Internal("It broke."))  # type: ignore[arg-type]


def test_a_sign_of_life_repeats_what_is_in_progress() -> None:
    created, begun, sign, *_ = streamed(Idle(), TextDelta("a"), Finish("stop"))
    assert sign == {**begun, "sequence_number": 2}
    assert created["response"] == begun["response"]


def test_a_cut_is_shown_where_it_happened() -> None:
    ended = whole(TextDelta("a"), *answer(0, ["{}"]), TextDelta("b"), Finish("length"))
    assert [item["status"] for item in ended["output"]] == ["completed", "completed", "incomplete"]
    assert whole(*answer(0, ["{}"]), Finish("length"))["output"][0]["status"] == "completed"


def test_usage() -> None:
    counts = Usage(prompt_tokens=5, cached_tokens=3, completion_tokens=2, reasoning_tokens=1)
    made = asyncio.run(wire.response(played(Finish("stop")), about(counts)))
    assert made["usage"] == {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 7,
    }
