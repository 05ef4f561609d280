from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

import pytest

from router import frames, pipeline
from router.errors import TimedOut
from router.events import Event, Finish, Idle, TextDelta
from router.schema import ChatRequest
from router.tests import scripts
from router.worker import Worker


def answer(script: dict[str, Any], *, timeout: float = 10, **fields: Any) -> list[Event]:
    """The events that a script becomes, through a real process of the scripted engine."""
    messages = [{"role": "user", "content": scripts.script(**script)}]
    chat = ChatRequest.parse({"model": "m", "messages": messages, **fields})

    async def main() -> list[Event]:
        worker = await Worker.start("m", frames.EngineSpec(engine="scripted"))
        try:
            generation = await worker.generate(frames.Generate(0, messages, n=chat.n))
            assembler = partial(pipeline.chat_assembler, chat)
            made = pipeline.Answer(generation, assembler, timeout=timeout)
            return [event async for _, event in made.events()]
        finally:
            await worker.stop()

    return asyncio.run(main())


def test_signs_of_life_in_a_long_prefill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "HEARTBEAT", 0.1)
    events = answer({"text": "done", "prefill_ms": 550})
    assert 3 <= events.count(Idle()) <= 6
    assert events[-2:] == [TextDelta("done"), Finish("stop")]


def test_signs_of_life_while_a_call_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces come all the time, but nothing that a client would see."""
    monkeypatch.setattr(pipeline, "HEARTBEAT", 0.1)
    call = {"name": "f", "arguments": {"text": "word " * 20}}
    script = {"text": f"<tool_call>{json.dumps(call)}</tool_call>", "rate": 40}
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    events = answer(script, tools=tools)
    assert events.count(Idle()) >= 3
    assert events[-1] == Finish("tool_calls")


def test_no_sign_of_life_is_needed_in_a_lively_stream() -> None:
    assert Idle() not in answer({"text": "one two three", "rate": 50})


def test_an_answer_that_takes_too_long() -> None:
    with pytest.raises(TimedOut, match=r"defaults\.timeout"):
        answer({"text": "one two three", "mishap": {"kind": "stall", "after": 1}}, timeout=0.3)
