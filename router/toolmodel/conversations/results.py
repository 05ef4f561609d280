"""What a tool brings back, and the answer that says so."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from router.toolmodel.conversations.requests import Ask, filled, usable
from router.toolmodel.conversations.text import drawn, expand, sentence_case
from router.toolmodel.conversations.values import Value

DONE = (
    "ok",
    "OK",
    "done",
    "Done",
    "success",
    "true",
    '{"status": "ok"}',
    '{"success": true}',
    "null",
    "",
)
CONFIRMATIONS = ("Done.", "Done!", "It's done.", "That's done.")

PLAIN_NUMBER_SHARE = 0.5
"""Of the JSON results whose numbers are numbers, not strings."""

REPEATED_SHARE = 0.45
"""Of results in words that are repeated as they are: what they say is never lost that way."""

ODD_SHARE = 0.12
"""Of results that say something no template foresees; the answer repeats it."""

SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "temperature": ("temperature", "temp", "degrees"),
    "condition": ("condition", "conditions", "weather", "description"),
    "price": ("price", "amount", "cost", "total"),
    "status": ("status", "state"),
    "id": ("id", "confirmation", "reference", "number"),
    "text": ("text", "result", "content", "summary"),
    "email": ("email", "address", "mail"),
    "time": ("time", "local_time", "at"),
    "value": ("value", "result", "answer"),
    "count": ("count", "total", "n"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """``content`` is the tool message's, ``answer`` the assistant's sentence about it."""

    content: str
    answer: str


def outcome(random: Random, one: Ask) -> Outcome:
    if random.random() < ODD_SHARE:
        return _odd(random)
    known = {own: value for own, value in one.values.items() if own in _mentioned(one)}
    fields = {name: expand(random, text) for name, text in one.offered.tool.fields.items()}
    return told(random, one, known, fields)


def _mentioned(one: Ask) -> set[str]:
    return {own for own, key in one.offered.keys.items() if key in one.arguments}


def told(
    random: Random, one: Ask, known: Mapping[str, Value], fields: Mapping[str, str]
) -> Outcome:
    """The result of ``one`` with these fields, in one of many shapes."""
    tool = one.offered.tool
    values = {name: Value(text, text) for name, text in fields.items()} | dict(known)
    if not fields:
        content = random.choice(DONE) if random.random() < 0.6 or not tool.results else ""
        content = content or plain(random, tool.results, values)
        return Outcome(content, plain(random, tool.answers, values) or random.choice(CONFIRMATIONS))
    shape = random.random()
    if shape < 0.45:
        return Outcome(structured(random, fields), plain(random, tool.answers, values))
    content = plain(random, tool.results, values)
    reported = {name for name, text in fields.items() if text in content}
    answer = plain(random, tool.answers, reported | set(known), values)
    if not answer or not content:
        return Outcome(structured(random, fields), plain(random, tool.answers, values))
    in_words = len(content.split()) > 1 and not content.startswith(("{", "["))
    if in_words and random.random() < REPEATED_SHARE:
        answer = sentence(content)
    return Outcome(content, answer)


def plain(
    random: Random,
    patterns: tuple[str, ...],
    known: Mapping[str, Value] | set[str],
    values: Mapping[str, Value] | None = None,
) -> str:
    """One of the patterns that say nothing unknown, filled; empty when there is none."""
    if values is None:
        assert isinstance(known, Mapping)
        values = known
    fitting = usable(patterns, known)
    return filled(random.choice(fitting), values) if fitting else ""


def structured(random: Random, fields: Mapping[str, str]) -> str:
    """``fields`` as JSON or as lines, under spellings of their names."""
    spelled = {random.choice(SPELLINGS.get(name, (name,))): text for name, text in fields.items()}
    if len(spelled) < len(fields):
        spelled = dict(fields)
    chance = random.random()
    if chance < 0.12:
        return "\n".join(f"{name}: {text}" for name, text in spelled.items())
    if chance < 0.18 and len(spelled) == 1:
        return next(iter(spelled.values()))
    document: object = {name: _json_value(random, text) for name, text in spelled.items()}
    if random.random() < 0.15:
        document = {random.choice(("result", "data", "response")): document}
    elif random.random() < 0.15:
        document = {"status": "ok", **spelled} if "status" not in spelled else spelled
    elif random.random() < 0.1:
        document = [document]
    return json.dumps(document, ensure_ascii=False)


def _json_value(random: Random, text: str) -> object:
    if text.isdigit() and text[0] != "0" and random.random() < PLAIN_NUMBER_SHARE:
        return int(text)
    return text


def sentence(text: str) -> str:
    return sentence_case(text) + ("" if text.endswith((".", "!", "?")) else ".")


ODD = (
    *(
        "{sentence}",
        "{title}",
        "{number}",
        "{phrase}",
        "{person}",
        "{id}",
        "{rare}, {noun}, {word}",
    ),
    *(
        "{rare} {rare} {number} {rare}",
        "{made} is {adjective} and costs {price}",
        "{made} {number}",
    ),
    *("{first}: {number}", "{rare} in {city}", "{temperature} in {place}", "{iso}", "{word}"),
)
PREFIXES = (
    "The result is: ",
    "Here is the result: ",
    "I got this result: ",
    "The answer is ",
    "Result: ",
)
ODD_KEYS = ("result", "data", "value", "output", "message", "answer", "text")


def _odd(random: Random) -> Outcome:
    text = expand(random, random.choice(ODD))
    answer = sentence(text) if random.random() < 0.5 else sentence(random.choice(PREFIXES) + text)
    key = random.choice((*ODD_KEYS, drawn(random, "rare")))
    wrapped = json.dumps({key: text}, ensure_ascii=False)
    return Outcome(text if random.random() < 0.6 else wrapped, answer)


@dataclass(frozen=True, slots=True)
class Failure:
    content: str
    answer: str


def failure(random: Random) -> Failure:
    fault = drawn(random, "fault")
    if random.random() < 0.4:
        state = random.choice(("not found", "is unavailable", "failed", "is offline", "is missing"))
        fault = f"{drawn(random, 'word')} {state}"
    return Failure(
        random.choice(FAILURES).format(fault=fault), random.choice(APOLOGIES).format(fault=fault)
    )


FAILURES = (
    *("Error: {fault}", "error: {fault}", '{{"error": "{fault}"}}', "Exception: {fault}"),
    *("ERROR {fault}", "Failed: {fault}", "Error: Function failed. {fault}", "ValueError: {fault}"),
    *('{{"status": "error", "message": "{fault}"}}', "Tool error: {fault}", "Sorry, {fault}"),
)
APOLOGIES = (
    "I'm sorry, but there was an error: {fault}.",
    "Sorry, the tool returned an error: {fault}.",
    "I couldn't complete the request because of an error: {fault}.",
    "Unfortunately that did not work. The error was: {fault}.",
)
