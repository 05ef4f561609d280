"""What the checks of frameworks make of a program, whatever it tells."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance import (
    checks,  # noqa: F401  registers the checks
    programs,
)
from conformance.check import carried_out
from conformance.frameworks import ROOT, Framework, Program, given, known
from conformance.report import json as documents
from conformance.report import program as words
from conformance.runner import Result, Runner
from conformance.session import Session
from conformance.target import Profile, Target
from conformance.tests.counting import counting

NOWHERE = "http://127.0.0.1:9/v1"
"""Nothing listens on the discard port."""

HONEST: dict[str, Any] = {
    "version": "1.2.3",
    "answer": "",
    "streamed": [],
    "tool_calls": [],
    "usage": None,
    "error": None,
}
PARIS, LONDON = (
    {"name": "get_weather", "arguments": {"city": city}} for city in ("Paris", "London")
)
RAISED = {"type": "some.NotFound", "message": "There is no model no-such-model."}
TOLD: dict[str, dict[str, Any]] = {
    "text": {"answer": "Paris."},
    "stream": {"answer": "1, 2, 3", "streamed": ["", "1,", " 2,", " 3"]},
    "memory": {"answer": "You are Alice."},
    "tool": {"answer": "It has 21 degrees.", "tool_calls": [PARIS]},
    "parallel": {"answer": "21 and 14 degrees.", "tool_calls": [LONDON, PARIS]},
    "structured": {"answer": '{"age": 31, "name": "Anna"}'},
    "errors": {"error": RAISED},
}
"""By scenario, what is right."""

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("text", {"answer": ""}, "the capital of France"),
    ("stream", {"streamed": ["1, 2, 3"]}, "at least 3 pieces"),
    ("stream", {"streamed": ["", "1, 2,", " 3"]}, "at least 3 pieces"),
    ("stream", {"answer": "1, 2, 3, 4"}, "pieces of the answer"),
    ("memory", {"answer": "Who are you?"}, "the user's name"),
    ("tool", {"tool_calls": []}, "the calls"),
    ("tool", {"tool_calls": [PARIS, PARIS]}, "the calls"),
    ("tool", {"tool_calls": [LONDON]}, "the calls"),
    ("tool", {"tool_calls": [{**PARIS, "arguments": {"city": "Paris", "day": 1}}]}, "the calls"),
    ("tool", {"answer": "It is sunny."}, "21, the result for Paris"),
    ("parallel", {"tool_calls": [PARIS]}, "the calls"),
    ("parallel", {"answer": "21 degrees."}, "14, the result for London"),
    ("structured", {"answer": '{"name": "Anna", "age": "31"}'}, "Anna, who is 31"),
    ("structured", {"answer": "Anna"}, "Anna, who is 31"),
    ("errors", {"error": None, "answer": "Paris."}, "some.NotFound"),
    ("errors", {"error": {**RAISED, "type": "some.Error"}}, "some.NotFound"),
    ("errors", {"error": {**RAISED, "message": "404"}}, "a message that names the model"),
]


def program(folder: Path, code: str, readme: str = "") -> Program:
    """A program of a framework that does not exist."""
    (folder / "main.py").write_text(code, encoding="utf-8")
    (folder / "README.md").write_text(readme, encoding="utf-8")
    framework = Framework("some", {"chat": "some.NotFound"})
    return Program(framework, "chat", Path(sys.executable), folder)


def telling(line: dict[str, Any]) -> str:
    return f"print({json.dumps(json.dumps(HONEST | line))})"


def judge(base_url: str = NOWHERE, *capabilities: str) -> Runner:
    """A SHOULD is a MUST here."""
    able = frozenset({"agents", *capabilities})
    target = Target(base_url, "some-model", able, api_key="secret")
    return Runner(Session(target), None, Profile("some", frozenset()), strict=True)


def judged(program: Program, scenario: str, by: Runner | None = None) -> Result:
    """What the scenario's check says."""
    check = next(c for c in carried_out([program]) if c.id == f"fw.{scenario}[{program.name}]")
    return asyncio.run((by or judge()).result(check))


@pytest.mark.parametrize("scenario", TOLD)
def test_what_is_right_passes(tmp_path: Path, scenario: str) -> None:
    found = judged(program(tmp_path, telling(TOLD[scenario])), scenario)
    assert (found.outcome, found.expected, found.actual) == ("pass", "", "")


@pytest.mark.parametrize(("scenario", "lie", "expected"), WRONG)
def test_what_is_wrong_fails(
    tmp_path: Path, scenario: str, lie: dict[str, Any], expected: str
) -> None:
    found = judged(program(tmp_path, telling(TOLD[scenario] | lie)), scenario)
    assert found.outcome == "fail"
    assert found.expected.startswith(expected)


@pytest.mark.parametrize(
    ("code", "expected", "actual"),
    [
        ("print('hello')", "one line of JSON", "hello"),
        (f"print('hello')\n{telling({})}", "one line of JSON", "hello"),
        ("print('{}')", "one line of JSON", "{}"),
        ("raise KeyError('choices')", "exit code 0", "1; KeyError: 'choices'"),
        ("import time\ntime.sleep(60)", "an end within 1 s", "none; nothing on standard error"),
    ],
)
def test_a_program_that_does_not_do_its_part_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, expected: str, actual: str
) -> None:
    monkeypatch.setattr(programs, "LIMIT", 1)
    found = judged(program(tmp_path, code), "text")
    assert found.outcome == "fail"
    assert found.expected.startswith(expected)
    assert found.actual.startswith(actual)


def test_a_missing_interpreter_or_program_is_a_failure(tmp_path: Path) -> None:
    there = program(tmp_path, "")
    for missing in (
        replace(there, python=tmp_path / "python"),
        replace(there, folder=tmp_path / "nowhere"),
    ):
        found = judged(missing, "text")
        assert (found.outcome, found.actual) == ("fail", "none")


def test_the_program_knows_the_server_and_nothing_else_of_the_suite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/some/where")
    monkeypatch.setenv("OPENAI_ORG_ID", "mine")
    names = ("OPENAI_API_KEY", "MLX_ROUTER_MODEL", "PYTHONPATH", "OPENAI_ORG_ID")
    code = f"import os, sys\nsys.exit(str([os.environ.get(name) for name in {names}]))"
    found = judged(program(tmp_path, code), "text")
    assert found.actual == "1; ['secret', 'some-model', None, None]"


README = """
```sh
pip install some
python talk.py --flag "two words"
```
`python not_fenced.py`
```console
$ python talk.py --flag "two words"
So it goes.
$ python talk.py
$ python main.py
```
"""


def test_the_examples_are_the_commands_of_the_readme(tmp_path: Path) -> None:
    there = program(tmp_path, "", README)
    assert there.examples() == [["talk.py", "--flag", "two words"], ["talk.py"]]
    talk = tmp_path / "talk.py"
    talk.write_text("import sys\nassert sys.argv[1:] in ([], ['--flag', 'two words'])")
    assert judged(there, "examples").outcome == "pass"
    talk.write_text("import sys\nsys.exit(len(sys.argv))")
    assert judged(there, "examples").actual.startswith("3;")


def test_there_need_be_no_examples(tmp_path: Path) -> None:
    assert judged(program(tmp_path, "", "$ python main.py"), "examples").outcome == "n/a"


@pytest.mark.parametrize("name", known())
def test_a_readme_shows_every_program_of_its_folder(name: str) -> None:
    (usual, *_) = given([f"{name}=python"])
    texts = {path.name: path.read_text(encoding="utf-8") for path in usual.folder.glob("*.py")}
    shown = {script for script, *_ in usual.examples()}
    parts = {part for part in texts if any(_uses(text, part) for text in texts.values())}
    assert {n for n in texts if not n.startswith("test_")} - parts - {"main.py"} == shown


def _uses(text: str, script: str) -> bool:
    """Is the script imported or started there?"""
    module = script.removesuffix(".py")
    return bool(re.search(rf"^(from|import) {module}\b|\"{re.escape(script)}\"", text, re.M))


def test_usage_is_not_compared_where_the_server_does_not_count(tmp_path: Path) -> None:
    found = judged(program(tmp_path, telling({})), "usage")
    assert (found.outcome, found.actual) == ("n/a", "needs agents, metrics")


NOTHING = {"prompt_tokens": 0, "completion_tokens": 0}


@pytest.mark.parametrize(
    ("usage", "step", "outcome", "expected"),
    [
        (NOTHING, 0, "pass", ""),
        (NOTHING, 1, "fail", "of this round, as counted"),
        ({**NOTHING, "prompt_tokens": 1}, 0, "fail", "of text"),
        (None, 0, "fail", "of text"),
    ],
)
def test_usage_is_what_the_server_told_and_counted(
    tmp_path: Path, usage: dict[str, int] | None, step: int, outcome: str, expected: str
) -> None:
    """The program asks nothing."""
    with counting(step) as base_url:
        asks_nothing = program(tmp_path, telling({"usage": usage}))
        found = judged(asks_nothing, "usage", judge(base_url, "metrics"))
    assert found.outcome == outcome
    assert found.expected.endswith(expected)


def test_what_a_program_cost_that_broke_off_is_not_held_against_others(tmp_path: Path) -> None:
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    broken.mkdir()
    whole.mkdir()
    other = replace(program(broken, "raise KeyError"), framework=Framework("other", {"chat": ""}))
    asks_nothing = program(whole, telling({"usage": NOTHING}))
    with counting(step=1) as base_url:
        by = judge(base_url, "metrics")
        assert judged(other, "text", by).outcome == "fail"
        assert judged(asks_nothing, "usage", by).outcome == "pass"


def test_reports_have_the_program(tmp_path: Path) -> None:
    code = f"import sys\nprint('so it goes', file=sys.stderr)\n{telling(TOLD['text'])}"
    found = judged(program(tmp_path, code), "text")
    assert found.ran
    text = words.text(found.ran)
    assert "standard error:\nso it goes" in text
    assert "secret" not in text
    row = json.loads(documents.render([found], "some", "", {}))["results"][0]["program"]
    assert (row["version"], row["stderr"], row["requests"]) == ("1.2.3", "so it goes\n", 0)


def test_every_program_has_its_expectations() -> None:
    folders = {path.parent.name for path in ROOT.glob("agents/*/main.py")}
    assert folders == set(known())


def test_a_framework_is_given_in_all_its_variants() -> None:
    first, *others = given(["openai=/some/python"])
    assert (first.name, first.usual, first.python) == ("openai", True, Path("/some/python"))
    assert [other.name for other in others] == [
        f"openai-{variant}" for variant in known()["openai"].variants[1:]
    ]


def test_examples_are_of_no_variant() -> None:
    ids = {check.id for check in carried_out(given(["openai=/some/python"]))}
    assert {"fw.text[openai]", "fw.text[openai-responses]", "fw.examples[openai]"} <= ids
    assert "fw.examples[openai-responses]" not in ids


@pytest.mark.parametrize(
    ("argument", "problem"),
    [("nobody=python", "there is no framework 'nobody'; known are"), ("openai", "openai=PATH")],
)
def test_what_is_not_understood_is_named(argument: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        given([argument])
