"""Our own recordings, replayed as those of OpenAI are: a replay that needs no package index."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from dataclasses import replace

from conformance.client import Exchange
from conformance.frameworks import given, known
from conformance.record import cassette
from conformance.replay import exact
from conformance.replay.exact_answers import with_scripts
from conformance.replay.journal import Journal
from conformance.replay.judges import judge
from conformance.replay.outcome import Outcome
from conformance.replay.recording import Recording
from conformance.replay.replaying import Replay, cassettes
from conformance.replay.selfcheck import self_check


def replayed(recordings: list[Recording]) -> list[Outcome]:
    heard: list[Outcome] = []

    async def run() -> None:
        async with exact.stage() as target:
            await Replay(target, judge, heard.append, Journal(None)).run(cassettes(recordings))

    asyncio.run(run())
    return heard


def test_what_frameworks_asked_is_answered_as_it_was() -> None:
    """Errors among it. The model says what it said, because some requests answer its calls."""
    recordings = with_scripts(cassette.read())
    outcomes = replayed(recordings)
    assert len(outcomes) == len(recordings) > 150
    assert {one.expected for one in outcomes} == {200, 400, 404}
    assert [f"{one.id}: {fault}" for one in outcomes for fault in one.faults] == []
    assert [one.id for one in outcomes if one.excuse] == []


def test_nothing_is_wrong_with_the_recordings() -> None:
    assert [(one.id, problem) for one, problem in self_check(cassette.read(), judge)] == []


def test_every_framework_was_recorded_in_every_scenario() -> None:
    scenarios = {"text", "stream", "memory", "tool", "parallel", "structured", "errors"}
    names = [program.name for program in given([f"{name}={sys.executable}" for name in known()])]
    recorded = {one.cassette for one in cassette.read()}
    assert recorded == {f"{name}/{scenario}" for name in names for scenario in scenarios}


def test_a_server_that_answers_otherwise_is_found_out() -> None:
    """As if OpenAI had not known a model that the server knows."""
    [asked] = [one for one in cassette.read() if one.id == "openai/text#0"]
    [refused] = [one for one in cassette.read() if one.id == "openai/errors#0"]
    forged = replace(asked, exchange=Exchange(asked.exchange.sent, refused.exchange.received))
    [outcome] = replayed([forged])
    assert [fault.kind for fault in outcome.faults] == ["status"]


def test_the_program_replays_them_without_a_package_index() -> None:
    command = [sys.executable, "-m", "conformance.replay", "--ours", "--engine", "scripted"]
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    done = subprocess.run(
        [*command, "--only", "openai-responses/*"],
        capture_output=True,
        text=True,
        env=os.environ | nowhere,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"\*\*all\*\* +10 +10\b", done.stdout), done.stdout
