"""Tools: what is written down about one, and one as it is offered, with its names drawn."""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from router.toolmodel.conversations.values import Kind, Value, kind_of

FOLDER = Path(__file__).parent / "tools"
PARAPHRASES = Path(__file__).parent / "paraphrases.toml"

STYLES = (
    ("snake",) * 11
    + ("camel",) * 3
    + ("pascal",) * 3
    + ("plugin",) * 3
    + (*("kebab", "mcp", "dotted", "suffixed"),)
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """``names`` and ``about`` are spellings to choose from, ``about`` may be empty."""

    names: tuple[str, ...]
    kind: Kind
    about: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True)
class Tool:
    """``asks`` start with ``?`` (a question), ``!`` (an imperative) or ``~`` (a noun phrase) and
    hold parameters as ``{name}``; parts in ``[...]`` may be left out. ``fields`` are the patterns
    of the values a result brings. ``noun`` and ``verb`` (its two forms) are what an invented
    tool was made from."""

    domain: str
    names: tuple[str, ...]
    about: tuple[str, ...]
    asks: tuple[str, ...]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    results: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    noun: str = ""
    verb: str = ""


@dataclass(frozen=True)
class Offered:
    """``keys`` are the argument names by the tool's own parameter names, in the schema's order."""

    tool: Tool
    name: str
    keys: Mapping[str, str]
    definition: dict[str, Any]

    def arguments(self, values: Mapping[str, Value], mentioned: Collection[str]) -> dict[str, Any]:
        """Those of a call, in the schema's order, which the grammar holds calls to."""
        return {key: values[own].json for own, key in self.keys.items() if own in mentioned}


@cache
def _paraphrases() -> dict[str, list[str]]:
    return tomllib.loads(PARAPHRASES.read_text(encoding="utf-8"))


@cache
def written() -> tuple[Tool, ...]:
    """Every tool of the folder, in a fixed order."""
    files = sorted(FOLDER.glob("*.toml"))
    return tuple(
        _tool(file.stem, entry)
        for file in files
        for entry in tomllib.loads(file.read_text(encoding="utf-8"))["tool"]
    )


def named(name: str) -> Tool:
    return next(tool for tool in written() if name in tool.names)


def _tool(domain: str, entry: Mapping[str, Any]) -> Tool:
    parameters = {
        name: parameter_of(name, one) for name, one in entry.get("parameters", {}).items()
    }
    names = _split(entry["names"])
    return Tool(
        domain=entry.get("domain", domain),
        names=names,
        about=_split(entry["about"]),
        asks=(*entry["asks"], *_paraphrases().get(names[0], ())),
        parameters=parameters,
        results=tuple(entry.get("results", ())),
        answers=tuple(entry.get("answers", ())),
        fields=entry.get("fields", {}),
    )


def parameter_of(name: str, entry: Mapping[str, Any]) -> Parameter:
    return Parameter(
        names=_split(entry.get("names", name.replace("_", " "))),
        kind=kind_of(entry),
        about=_split(entry.get("about", "")),
        required=not entry.get("optional", False),
    )


def _split(variants: str) -> tuple[str, ...]:
    return tuple(filter(None, variants.split("|")))


def spelled(words: str, style: str, domain: str = "") -> str:
    """``get city time`` in a naming style; ``domain`` is what plugin styles put in front."""
    parts = re.split(r"[ _]", words)
    snake = "_".join(parts).lower()
    camel = parts[0].lower() + "".join(part[:1].upper() + part[1:] for part in parts[1:])
    prefix = domain.replace("_", "")
    return {
        "snake": snake,
        "camel": camel,
        "pascal": camel[:1].upper() + camel[1:],
        "plugin": f"{prefix.capitalize()}-{snake}",
        "kebab": snake.replace("_", "-"),
        "mcp": f"mcp__{prefix}__{snake}",
        "dotted": f"{prefix}.{snake}",
        "suffixed": f"{snake}_tool",
    }[style]


def offered(random: Random, tool: Tool, style: str) -> Offered:
    keys = _keys(random, tool, style)
    name = spelled(random.choice(tool.names), style, tool.domain)
    function: dict[str, Any] = {"name": name}
    if len(tool.names) == 1 or random.random() < 0.94:
        function["description"] = random.choice(tool.about) + random.choice(("", "", "."))
    function["parameters"] = _schema(random, tool, keys)
    return Offered(tool, name, keys, {"type": "function", "function": function})


SHUFFLED_SHARE = 0.6
"""Of the tools: who knows the parameters by their places swaps two numbers of a request."""

ORDERED = ("arithmetic", "math")
"""Domains in which a comes before b."""


def _ordered(random: Random, tool: Tool) -> list[str]:
    """The tool's own parameter names; often those that are required come first."""
    names = list(tool.parameters)
    if tool.domain not in ORDERED and random.random() < SHUFFLED_SHARE:
        random.shuffle(names)
        if random.random() < 0.5:
            names.sort(key=lambda own: not tool.parameters[own].required)
    return names


def _keys(random: Random, tool: Tool, style: str) -> dict[str, str]:
    in_camel = style in ("camel", "pascal", "plugin") and random.random() < 0.6
    keys: dict[str, str] = {}
    for own in _ordered(random, tool):
        parameter = tool.parameters[own]
        free = [
            name
            for name in (spelled(one, "camel" if in_camel else "snake") for one in parameter.names)
            if name not in keys.values()
        ]
        keys[own] = random.choice(free or [f"{own}_{len(keys) + 1}"])
    return keys


def _schema(random: Random, tool: Tool, keys: Mapping[str, str]) -> dict[str, Any]:
    described = random.choice((0.0, 0.6, 0.6, 1.0))
    titled = random.random() < 0.1
    definitions: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    for own, key in keys.items():
        parameter = tool.parameters[own]
        schema = parameter.kind.schema(random)
        if parameter.kind.form == "object" and random.random() < 0.3:
            definitions[key.capitalize()] = schema
            schema = {"$ref": f"#/$defs/{key.capitalize()}"}
        if not parameter.required and random.random() < 0.15:
            schema = {"anyOf": [schema, {"type": "null"}], "default": None}
        if titled:
            schema["title"] = key.replace("_", " ").title()
        if parameter.about and random.random() < described:
            schema["description"] = random.choice(parameter.about)
        properties[key] = schema
    whole: dict[str, Any] = {"type": "object", "properties": properties}
    required = [key for own, key in keys.items() if tool.parameters[own].required]
    if required:
        whole["required"] = required
    if definitions:
        whole["$defs"] = definitions
    if random.random() < 0.1:
        whole["additionalProperties"] = False
    return whole
