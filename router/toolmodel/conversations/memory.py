"""Conversations in which the user asks for what was said before."""

import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from router.toolmodel.conversations.messages import Message, assistant, user
from router.toolmodel.conversations.text import expand

FILE = Path(__file__).parent / "facts.toml"

Between = Callable[[Random], list[Message]]


@cache
def _facts() -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))["fact"]
    return facts


def remembered(random: Random, between: Between) -> list[Message]:
    """One to three facts, perhaps other turns made by ``between``, and a question or two."""
    count = random.choices((1, 2, 3), (62, 28, 10))[0]
    weights = [one.get("weight", 1) for one in _facts()]
    facts: list[dict[str, Any]] = []
    while len(facts) < count:
        fact = random.choices(_facts(), weights)[0]
        if fact not in facts:
            facts.append(fact)
    values = [_value(random, fact) for fact in facts]
    told = list(zip(facts, values, strict=True))
    messages = _together(random, told) if random.random() < 0.6 else _one_by_one(random, told)
    for _ in range(random.choices((0, 1, 2), (55, 35, 10))[0]):
        messages += between(random)
    asked = random.sample(told, min(count, random.choice((1, 1, 2))))
    for fact, value in asked:
        messages += [
            user(_fill(random, random.choice(fact["questions"]), fact, value)),
            assistant(_fill(random, random.choice(fact["recalls"]), fact, value)),
        ]
    return messages


def _value(random: Random, fact: dict[str, Any]) -> tuple[str, str]:
    """What the fact is about (one of its variants) and what is said of it."""
    subject = expand(random, random.choice(fact.get("subjects", [""])))
    return subject, expand(random, random.choice(fact["values"]))


def _fill(random: Random, pattern: str, fact: dict[str, Any], value: tuple[str, str]) -> str:
    """What else stands in braces is said by the way and asked about by nobody."""
    return expand(random, pattern.replace("{subject}", value[0]).replace("{value}", value[1]))


Told = list[tuple[dict[str, Any], tuple[str, str]]]


def _together(random: Random, told: Told) -> list[Message]:
    sentences = [_fill(random, random.choice(fact["says"]), fact, value) for fact, value in told]
    text = " ".join(sentences)
    opening = random.choice(("", "", "", "Hi! ", "Hello! ", "Hey, ", "By the way: "))
    reply = _reply(random, *told[0]) if len(told) == 1 else random.choice(ACKNOWLEDGED)
    return [user(opening + text), assistant(reply)]


def _one_by_one(random: Random, told: Told) -> list[Message]:
    messages: list[Message] = []
    for fact, value in told:
        messages += [
            user(_fill(random, random.choice(fact["says"]), fact, value)),
            assistant(_reply(random, fact, value)),
        ]
    return messages


def _reply(random: Random, fact: dict[str, Any], value: tuple[str, str]) -> str:
    if random.random() < 0.3:
        return random.choice(ACKNOWLEDGED)
    return _fill(random, random.choice(fact["replies"]), fact, value)


ACKNOWLEDGED = (
    *("Got it!", "Noted.", "Okay, I will remember that.", "Thanks for telling me.", "Understood."),
    *("Great!", "Thanks for letting me know.", "OK.", "Nice! How can I help you?"),
)
