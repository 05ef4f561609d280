"""Responses on the wire: the events of one answer, in which items open, grow and close.

The order of the events and their members are those of api.openai.com (recorded 2026-01 and
later). One item is open at a time; its id, type and place are the same in every event and in
the response at the end, because clients check that.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from router.errors import ApiError
from router.events import (
    Event,
    Finish,
    Idle,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallStart,
)
from router.responses.items import Item
from router.responses.output import Call, Growing, Message, Thought
from router.responses.response import ResponseObject
from router.sse import presentable

Json = dict[str, Any]

ENDINGS = ("response.completed", "response.incomplete", "response.failed")


async def response(events: AsyncIterator[tuple[int, Event]], about: ResponseObject) -> Json:
    """Events to the response as it ended, completed or incomplete."""
    narrator = _Narrator(about)
    told = narrator.begin()
    async for _, event in events:
        told = narrator.tell(event)
    ended: Json = told[-1]["response"]
    return ended


async def stream(
    events: AsyncIterator[tuple[int, Event]], about: ResponseObject
) -> AsyncGenerator[Json]:
    """Events to those of a stream; the last is one of ``ENDINGS``, with the response in it."""
    narrator = _Narrator(about)
    for told in narrator.begin():
        yield told
    try:
        async for _, event in events:
            for told in narrator.tell(event):
                yield told
    except Exception as error:
        for told in narrator.fail(presentable(error)):
            yield told


class _Narrator:
    """Tells one answer in the words of the Responses API, and numbers them from 0."""

    def __init__(self, about: ResponseObject) -> None:
        self._about = about
        self._told = 0
        self._out: list[Json] = []
        self._output: list[Item] = []
        self._open: Growing | None = None

    def begin(self) -> list[Json]:
        self._tell("created", response=self._about.begun())
        self._tell("in_progress", response=self._about.begun())
        return self._take()

    def tell(self, event: Event) -> list[Json]:
        match event:
            case TextDelta(text, entries):
                self._message().say(text, entries)
            case ReasoningDelta(text):
                self._thought().think(text)
            case ToolCallStart(_, call_id, name):
                self._close()
                self._open = Call(len(self._output), self._tell, call_id=call_id, name=name)
            case ToolCallDelta(_, arguments):
                assert isinstance(self._open, Call)
                self._open.pass_on(arguments)
            case Finish(reason):
                self._end(cut=reason == "length")
            case Idle():
                self._tell("in_progress", response=self._about.begun())
        return self._take()

    def fail(self, error: ApiError) -> list[Json]:
        self._event("error", **error.envelope())
        self._tell("failed", response=self._about.failed(self._output, error))
        return self._take()

    def _message(self) -> Message:
        if not isinstance(self._open, Message):
            self._close()
            self._open = Message(len(self._output), self._tell)
        return self._open

    def _thought(self) -> Thought:
        if not isinstance(self._open, Thought):
            self._close()
            self._open = Thought(len(self._output), self._tell)
        return self._open

    def _close(self, *, cut: bool = False) -> None:
        if self._open:
            self._output.append(self._open.end(cut=cut))
        self._open = None

    def _end(self, *, cut: bool) -> None:
        """Clients look for a message or a call, so silence is an empty message."""
        self._close(cut=cut)
        if all(item["type"] == "reasoning" for item in self._output):
            self._message()
            self._close(cut=cut)
        ended = self._about.ended(self._output, cut=cut)
        self._tell("incomplete" if cut else "completed", response=ended)

    def _tell(self, kind: str, **members: Any) -> None:
        self._event(f"response.{kind}", **members)

    def _event(self, type: str, **members: Any) -> None:
        self._out.append({"type": type, **members, "sequence_number": self._told})
        self._told += 1

    def _take(self) -> list[Json]:
        out, self._out = self._out, []
        return out
