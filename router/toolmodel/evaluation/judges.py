"""What counts as right. Each judge is a pure function of a reply and of what was expected."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import jsonschema

from router.toolmodel.evaluation import held_out
from router.toolmodel.evaluation.alternatives import fits
from router.toolmodel.evaluation.cases import Fact, Step
from router.toolmodel.evaluation.reply import Call, Reply

MARKUP = re.compile(r'</?tool_call|"arguments"\s*:')
"""A call that stayed text: it was malformed, or nothing was offered to call."""

NUMBER = re.compile(r"\d+(?:\.\d+)?")
THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
LIST_MARKER = re.compile(r"^\s*\d+[.)]\s", re.MULTILINE)


def right_function(calls: Sequence[Call], step: Step) -> bool:
    """One call, of the function that was wanted, whatever its arguments."""
    return [call.name for call in calls] == [step.name]


def exact(calls: Sequence[Call], steps: Sequence[Step]) -> bool:
    """These calls in this order, no other ones, each with just these arguments."""
    return len(calls) == len(steps) and begins(calls, steps)


def begins(calls: Sequence[Call], steps: Sequence[Step]) -> bool:
    """So far the calls are those of the steps."""
    return len(calls) <= len(steps) and all(map(_same, calls, steps))


def exact_set(calls: Sequence[Call], steps: Sequence[Step]) -> bool:
    """These calls in any order, no other ones."""
    left = list(steps)
    for call in calls:
        fulfilled = next((step for step in left if _same(call, step)), None)
        if fulfilled is None:
            return False
        left.remove(fulfilled)
    return not left


def _same(call: Call, step: Step) -> bool:
    if call.name != step.name:
        return False
    return fits(_filled(call.name, call.arguments), _filled(step.name, step.arguments))


def _filled(name: str, arguments: Any) -> Any:
    """The arguments as the function gets them: to leave one out is to say its default."""
    if not isinstance(arguments, dict):
        return arguments
    properties = held_out.schema(name)["properties"]
    defaults = {key: part["default"] for key, part in properties.items() if "default" in part}
    return defaults | arguments


def in_words(reply: Reply) -> bool:
    """An answer without a call, made or only written."""
    return bool(reply.text.strip()) and not reply.calls and not MARKUP.search(reply.text)


def grounded(reply: Reply, facts: Sequence[Fact], known: str) -> bool:
    """In words, with all the facts, and with no number that the conversation has not."""
    return says(reply, facts) and _numbers(reply.text) <= _numbers(known)


def says(reply: Reply, facts: Sequence[Fact]) -> bool:
    """In words, with all the facts: as whole words and numbers, in upper or lower case."""
    text = _plain(reply.text)
    ways = ([fact] if isinstance(fact, str) else fact for fact in facts)
    return in_words(reply) and all(any(_mentions(text, way) for way in fact) for fact in ways)


def _mentions(text: str, fact: str) -> bool:
    whole = rf"(?<!\w)(?<!\d\.){re.escape(_plain(fact))}(?!\w|\.\d)"
    return re.search(whole, text) is not None


def _numbers(text: str) -> set[float]:
    bare = LIST_MARKER.sub("", _plain(text))
    return {float(number) for number in NUMBER.findall(bare)}


def _plain(text: str) -> str:
    return THOUSANDS.sub("", text.replace("\u2019", "'")).casefold()


def valid(reply: Reply, schema: dict[str, Any]) -> bool:
    """JSON of the schema and nothing else."""
    try:
        jsonschema.validate(json.loads(reply.text), schema)
    except (ValueError, jsonschema.ValidationError):
        return False
    return True


def right_values(reply: Reply, schema: dict[str, Any], values: dict[str, Any]) -> bool:
    return valid(reply, schema) and fits(json.loads(reply.text), values)
