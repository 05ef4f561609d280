"""From a generation to events: what every endpoint that generates text shares."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, Callable

from router import frames
from router.errors import ApiError, TimedOut
from router.events import Event, Finish, Idle, ToolCallStart, Usage
from router.schema import ChatRequest
from router.toolcalls import Assembler
from router.worker import Generation

HEARTBEAT = 15.0
"""Seconds without a chunk after which a sign of life is sent. LangChain gives up after 120
seconds between chunks, and neither comments nor pieces held back for a tool call count."""


def chat_assembler(chat: ChatRequest, generation: Generation) -> Assembler:
    return Assembler(
        generation.format,
        chat.usable_tools,
        stop=chat.stop,
        reasoning_open=generation.reasoning_open,
        parallel=chat.parallel_tool_calls,
        bare=chat.answer_schema is None,
        must_call=chat.tool_choice.mode == "required",
    )


def text_assembler(stop: tuple[str, ...], generation: Generation) -> Assembler:
    """A continued text is text whatever is in it: no markup of the model's means anything."""
    return Assembler(frames.OutputFormat(), [], stop=stop)


class Answer:
    """One request being answered, with what is worth knowing about it afterwards.

    ``assembler`` makes what turns the pieces of one sequence into events.
    """

    def __init__(
        self,
        generation: Generation,
        assembler: Callable[[Generation], Assembler],
        *,
        timeout: float,
    ) -> None:
        self.usage = Usage(prompt_tokens=generation.prompt_tokens)
        self.tool_calls: list[str] = []
        self.outcome = "abort"
        self.malformed_calls = 0
        self.first_token_at: float | None = None
        self._generation = generation
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._assemblers = [assembler(generation) for _ in range(generation.request.sequences)]

    async def events(self) -> AsyncGenerator[tuple[int, Event]]:
        """Events of all choices, each with the index of its choice; one Finish per choice.

        ``Idle`` comes whenever HEARTBEAT seconds pass without another event. Raises Internal
        when the model dies, TimedOut when ``timeout`` seconds have passed.
        """
        try:
            async with contextlib.aclosing(self._events()) as events:
                async for event in events:
                    yield event
        except ApiError:
            self.outcome = "error"
            raise

    async def _events(self) -> AsyncGenerator[tuple[int, Event]]:
        last_event = time.monotonic()
        while not self._generation.finished:
            now = time.monotonic()
            if now >= self._deadline:
                raise self._timed_out()
            beat = last_event + HEARTBEAT
            if now >= beat:
                last_event = now
                yield 0, Idle()
                continue
            frame = await self._generation.receive(min(beat, self._deadline) - now)
            self.usage.cached_tokens = self._generation.cached_tokens
            if frame is None:
                continue
            for event in self._assembled(frame):
                last_event = time.monotonic()
                yield frame.index, event

    def _assembled(self, frame: frames.Piece | frames.Ended) -> list[Event]:
        assembler = self._assemblers[frame.index]
        if isinstance(frame, frames.Ended):
            events = assembler.finish(frame.reason)
        else:
            self.first_token_at = self.first_token_at or time.monotonic()
            self.usage.completion_tokens += frame.tokens
            events = assembler.feed(frame.text, frame.tokens, frame.logprobs)
            if assembler.done:
                self._generation.cancel(frame.index)
                events += assembler.finish("stop")
        self._note(events)
        return events

    def _note(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, ToolCallStart):
                self.tool_calls.append(event.name)
            elif isinstance(event, Finish):
                self.outcome = event.reason
                self.usage.reasoning_tokens = sum(a.reasoning_tokens for a in self._assemblers)
                self.malformed_calls = sum(a.malformed for a in self._assemblers)

    def _timed_out(self) -> TimedOut:
        return TimedOut(
            f"The answer took more than {self._timeout:g} seconds (defaults.timeout in"
            " config.json). Ask for fewer tokens or raise the limit."
        )
