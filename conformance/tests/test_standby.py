"""Programs that stay."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from conformance import standby
from conformance.frameworks import Framework, Program
from conformance.programs import Ran, Told
from conformance.standby import Standby
from conformance.target import Target
from conformance.tests.refusing import refusing

NAMES = [field.name for field in fields(Told)]
CODE = f"""
import json, os, sys, time, urllib.request
for line in sys.stdin:
    scenario = line.strip()
    print(scenario, file=sys.stderr, flush=True)
    if scenario == "ask":
        try:
            urllib.request.urlopen(os.environ["OPENAI_BASE_URL"] + "/chat/completions", b"{{}}")
        except urllib.error.HTTPError:
            pass
    if scenario == "end":
        sys.exit(3)
    if scenario == "sleep":
        time.sleep(60)
    if scenario != "mumble":
        print(json.dumps(dict.fromkeys({NAMES}, os.getpid())), flush=True)
    else:
        print("hm", flush=True)
"""


def ran(folder: Path, *scenarios: str) -> list[Ran]:
    """What the program makes of one scenario after the other."""
    (folder / "main.py").write_text(CODE, encoding="utf-8")
    program = Program(Framework("some", {"chat": ""}), "chat", Path(sys.executable), folder)

    async def all_of_them(target: Target) -> list[Ran]:
        async with Standby() as programs:
            return [await programs.ran(program, name, target) for name in scenarios]

    with refusing() as base_url:
        return asyncio.run(all_of_them(Target(base_url, "some-model", frozenset())))


def pid(one: Ran) -> int:
    return int(json.loads(one.said)["version"])


def test_a_process_stays(tmp_path: Path) -> None:
    first, second = ran(tmp_path, "text", "tool")
    assert pid(first) == pid(second)
    assert (first.code, first.complained, second.complained) == (0, "text\n", "tool\n")
    assert "--scenario tool " in second.command


def test_what_it_asks_is_of_its_scenario(tmp_path: Path) -> None:
    assert [one.asked for one in ran(tmp_path, "ask", "text", "ask")] == [1, 0, 1]


@pytest.mark.parametrize(("scenario", "code"), [("end", 3), ("mumble", 0), ("sleep", None)])
def test_one_that_does_not_tell_is_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: str, code: int | None
) -> None:
    monkeypatch.setattr(standby, "LIMIT", 1)
    monkeypatch.setattr(standby, "FAREWELL", 0.1)
    first, failed, last = ran(tmp_path, "text", scenario, "text")
    assert (failed.code, failed.told) == (code, None)
    assert pid(last) != pid(first)
