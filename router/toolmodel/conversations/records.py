"""Records to be filled in: as a tool that ends a run, or as JSON in the answer."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from router.toolmodel.conversations.messages import Message, assistant, calling, returned, user
from router.toolmodel.conversations.requests import MAYBE, ask, filled, holes, said
from router.toolmodel.conversations.text import article, drawn
from router.toolmodel.conversations.tools import (
    Offered,
    Parameter,
    Tool,
    offered,
    parameter_of,
)
from router.toolmodel.conversations.values import Kind

FILE = Path(__file__).parent / "records.toml"

SCHEMA_PROMPT = """\
Answer with a JSON document that fits this JSON Schema:
{schema}"""
"""The words with which the engine hands a response format to the model; a test compares."""

FINAL_NAMES = (
    *("final result", "final answer", "respond", "submit answer", "return result", "final output"),
    *("output", "finish", "give answer", "structured output", "respond to user"),
)
FINAL_ABOUT = (
    *(
        "The final response which ends this conversation",
        "Give the final answer",
        "Report the result",
    ),
    *("Return the final output in this structure", "Respond to the user in this format"),
)


@dataclass(frozen=True)
class Record:
    """``tool`` has the facts as asks (statements, ``@``) and the members as parameters."""

    tool: Tool
    offered: Offered


@cache
def _written() -> tuple[Tool, ...]:
    entries = tomllib.loads(FILE.read_text(encoding="utf-8"))["record"]
    return tuple(
        Tool(
            domain="output",
            names=(entry["name"],),
            about=(f"A {entry['name']}", f"The extracted {entry['name']}"),
            asks=tuple(entry["facts"]),
            parameters={name: parameter_of(name, one) for name, one in entry["members"].items()},
        )
        for entry in entries
    )


def record(random: Random, style: str) -> Record:
    base = random.choice(_written()) if random.random() < 0.65 else _invented(random)
    if random.random() < 0.4:
        return Record(base, offered(random, base, random.choice((style, "pascal"))))
    tool = Tool("output", FINAL_NAMES, FINAL_ABOUT, base.asks, base.parameters)
    return Record(tool, offered(random, tool, style))


def _invented(random: Random) -> Tool:
    noun = drawn(random, "word")
    members: dict[str, Parameter] = {}
    for _ in range(random.randint(1, 4)):
        name = drawn(random, random.choice(("noun", "rare")))
        kind = random.choice(
            (
                Kind("text", "{made}"),
                Kind("text", "{phrase}"),
                Kind("text", "{id}"),
                Kind("integer", [1, 999]),
            )
        )
        members[name] = Parameter((name,), kind)
    parts = [f"{name} {{{name}}}" for name in members]
    stated = [f"its {name} is {{{name}}}" for name in members]
    asks = (
        f"{article(noun)} with {', '.join(parts)}",
        f"the {noun}: {', '.join(stated)}",
        "; ".join(stated),
    )
    return Tool("output", (noun,), (f"The {noun}", article(noun).capitalize()), asks, members)


def schema_prompt(record: Record) -> str:
    schema = record.offered.definition["function"]["parameters"]
    return SCHEMA_PROMPT.format(schema=json.dumps(schema, ensure_ascii=False))


def _filled(random: Random, record: Record) -> tuple[str, Mapping[str, Any]]:
    """A text with facts and the members that it states."""
    pattern = MAYBE.sub(
        lambda part: part[1] if random.random() < 0.6 else "", random.choice(record.tool.asks)
    )
    values = {own: one.kind.draw(random) for own, one in record.tool.parameters.items()}
    return filled(pattern, values), record.offered.arguments(values, holes(pattern))


def final_call(random: Random, record: Record, tool: Offered | None) -> list[Message]:
    """The facts come from the request or, with ``tool``, from its result."""
    text, members = _filled(random, record)
    call = calling((record.offered.name, members))
    if tool is None:
        return [user(_task(random, text)), call]
    return [*_looked_up(random, tool, text, members), call]


def _looked_up(
    random: Random, tool: Offered, text: str, members: Mapping[str, Any]
) -> list[Message]:
    one = ask(random, tool)
    content = text if random.random() < 0.5 else json.dumps(members, ensure_ascii=False)
    return [
        user(said(random, one)),
        calling((tool.name, one.arguments)),
        returned(content),
    ]


def _task(random: Random, text: str) -> str:
    return random.choice(TASKS).format(text=text)


TASKS = (
    *("Extract the data: {text}", "{text}", "{text}", "Fill in the form from this text: {text}"),
    *(
        "Extract the information from: '{text}'",
        "Turn this into structured data. {text}",
        "Parse this: {text}",
    ),
    *("Here is what I know: {text}", "{text}. Give me the structured result."),
)


def as_json(random: Random, record: Record) -> list[Message]:
    """The answer is the record as a JSON document."""
    text, members = _filled(random, record)
    return [user(_task(random, text)), assistant(json.dumps(members, ensure_ascii=False))]
