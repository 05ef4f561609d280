from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from router import completionwire
from router.events import Event, Finish, Idle, TextDelta, Usage
from router.frames import TokenLogprob, TopLogprob


def token(raw: bytes, *others: tuple[str, float]) -> TokenLogprob:
    top = [TopLogprob(text, value, text.encode()) for text, value in others]
    return TokenLogprob(raw.decode("utf-8", "backslashreplace"), -1.0, raw, top)


EURO = "\N{EURO SIGN}".encode()
EVENTS: list[tuple[int, Event]] = [
    (0, TextDelta("a", (token(b"a"),))),
    (1, TextDelta("x", (token(b"x"),))),
    (0, Idle()),
    (0, TextDelta("\N{EURO SIGN}", (token(EURO[:2]), token(EURO[2:])))),
    (0, TextDelta("b", (token(b"b", ("c", -0.5), ("d", -0.7)),))),
    (1, Finish("length")),
    (0, Finish("stop")),
]


async def played() -> AsyncIterator[tuple[int, Event]]:
    for event in EVENTS:
        yield event


def whole() -> Any:
    made = completionwire.completion(played(), model="m", beginnings=["", ""], counts=Usage(1))
    return asyncio.run(made)


def streamed() -> list[Any]:
    async def main() -> list[Any]:
        chunks = completionwire.chunks(
            played(), model="m", beginnings=["", ""], include_usage=False, counts=Usage()
        )
        return [chunk async for chunk in chunks]

    return asyncio.run(main())


def test_logprobs_in_the_older_shape() -> None:
    first, second = whole()["choices"]
    assert first["logprobs"] == {
        "tokens": ["a", "\\xe2\\x82", "\\xac", "b"],
        "token_logprobs": [-1.0] * 4,
        "top_logprobs": [
            {"a": -1.0},
            {"\\xe2\\x82": -1.0},
            {"\\xac": -1.0},
            {"c": -0.5, "d": -0.7, "b": -1.0},
        ],
        "text_offset": [0, 1, 1, 2],
    }
    assert second["logprobs"]["text_offset"] == [0]


def test_a_stream_is_the_answer_in_parts() -> None:
    for index, choice in enumerate(whole()["choices"]):
        parts = [c for chunk in streamed() for c in chunk["choices"] if c["index"] == index]
        assert "".join(part["text"] for part in parts) == choice["text"]
        reasons = [part["finish_reason"] for part in parts]
        assert reasons == [*[None] * (len(parts) - 1), choice["finish_reason"]]
        for name, values in choice["logprobs"].items():
            assert [v for p in parts if p["logprobs"] for v in p["logprobs"][name]] == values
