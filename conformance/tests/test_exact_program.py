"""The exact tier from recordings to outcomes, on what our own recordings have."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from conformance.record import cassette
from conformance.replay import exact
from conformance.replay.exact_answers import holds_words
from conformance.replay.exact_total import Total
from conformance.replay.outcome import Outcome
from conformance.replay.recording import Recording
from conformance.tests.openai_answers import CHAT, COMPLETION, MESSAGE, recording


def spoken(recordings: list[Recording]) -> list[Outcome]:
    async def run() -> list[Outcome]:
        async with exact.stage() as target:
            return await exact.spoken(recordings, target)

    return asyncio.run(run())


def test_recorded_answers_are_said_again() -> None:
    """Every one that is there, and there are many."""
    recordings = cassette.read()
    outcomes = spoken(recordings)
    assert len(outcomes) == len(list(filter(holds_words, recordings))) > 100
    assert [str(fault) for one in outcomes for fault in one.faults] == []
    assert [one.excuse for one in outcomes if one.excuse] == []


def test_a_call_of_a_tool_that_was_not_offered_is_found_out() -> None:
    """The router makes text of it, as it does of any call that its client could not carry out."""
    [call] = [one for one in cassette.read() if one.id == "openai/tool#0"]
    body = {name: value for name, value in call.request.items() if name != "tools"}
    sent = replace(call.exchange.sent, body=json.dumps(body).encode())
    [outcome] = spoken([replace(call, exchange=replace(call.exchange, sent=sent))])
    assert {fault.where for fault in outcome.faults} == {
        "choices[0].content",
        "choices[0].finish_reason",
        "choices[0].tool_calls",
    }


def test_an_answer_that_the_grammar_forbids_is_found_out() -> None:
    """A call of a tool that was offered, but was not to be called."""
    [call] = [one for one in cassette.read() if one.id == "openai/tool#0"]
    other = {"type": "function", "function": {"name": "get_time"}}
    body = {**call.request, "tools": [*call.request["tools"], other], "tool_choice": other}
    sent = replace(call.exchange.sent, body=json.dumps(body).encode())
    [outcome] = spoken([replace(call, exchange=replace(call.exchange, sent=sent))])
    assert outcome.faults == (exact.FORBIDDEN,)


def test_an_answer_of_more_than_text_and_calls_is_excused_and_not_counted() -> None:
    choice = {**COMPLETION["choices"][1], "message": {**MESSAGE, "annotations": [{}]}}
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
    [outcome] = outcomes = spoken([recording({"choices": [choice]}, CHAT, **asked)])
    assert outcome.excuse == "answered with annotations"
    assert Total.of(outcomes).told == 0
