"""What is asked, and what is right: the cases in ``data/``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

import msgspec

from router.toolmodel.evaluation.alternatives import preferred
from router.toolmodel.evaluation.held_out import DATA
from router.toolmodel.evaluation.reply import Call

Fact = str | list[str]
"""What an answer must say; of a list, one."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One call, written ``{name: arguments}``, and what it returns. Arguments may have
    alternatives (see ``alternatives``)."""

    call: dict[str, dict[str, Any]]
    result: str

    @property
    def name(self) -> str:
        (name,) = self.call
        return name

    @property
    def arguments(self) -> dict[str, Any]:
        return self.call[self.name]

    @property
    def written(self) -> Call:
        """The call with one value for each argument."""
        return Call(self.name, preferred(self.arguments))


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request, the names of the tools offered with it, the calls that fulfil it, and what the
    answer says afterwards."""

    request: str
    tools: list[str]
    steps: list[Step]
    facts: list[Fact] = []


class Talk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """User and assistant by turns, the user first and last; a step is the assistant's call
    before its next turn. ``facts`` are what the answer to the last turn says."""

    turns: list[str | Step]
    tools: list[str] = []
    facts: list[Fact] = []


class Extraction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text, a JSON Schema, and what JSON of that schema says of the text."""

    request: str
    schema: dict[str, Any]
    values: dict[str, Any]


@dataclass(frozen=True)
class Cases:
    single: list[Task]
    parallel: list[Task]
    chains: list[Task]
    failures: list[Task]
    memory: list[Talk]
    small_talk: list[Talk]
    no_fitting_tool: list[Talk]
    no_tools: list[Talk]
    extraction: list[Extraction]


def load() -> Cases:
    quiet = _file("quiet")
    return Cases(
        single=_tasks("single"),
        parallel=_tasks("parallel"),
        chains=_tasks("chains"),
        failures=_tasks("failures"),
        memory=_talks(_file("memory")["case"]),
        small_talk=_talks(quiet["small_talk"]),
        no_fitting_tool=_talks(quiet["no_fitting_tool"]),
        no_tools=_talks(quiet["no_tools"]),
        extraction=_extractions(**_file("extraction")),
    )


def _file(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))


def _tasks(name: str) -> list[Task]:
    return msgspec.convert(_file(name)["case"], list[Task])


def _talks(tables: list[Any]) -> list[Talk]:
    return msgspec.convert(tables, list[Talk])


def _extractions(schemas: dict[str, Any], case: list[dict[str, Any]]) -> list[Extraction]:
    """In the file a case names one of the schemas, whose properties are all required."""
    whole = {
        name: {"type": "object", **schema, "required": list(schema["properties"])}
        for name, schema in schemas.items()
    }
    tables = [{**table, "schema": whole[table["schema"]]} for table in case]
    return msgspec.convert(tables, list[Extraction])
