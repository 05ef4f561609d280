"""Conversations about calls that do not depend on each other."""

import json
from random import Random

from router.toolmodel.conversations.messages import Message, assistant, calling, returned, user
from router.toolmodel.conversations.requests import (
    IMPERATIVE,
    PHRASE,
    QUESTION,
    Ask,
    as_question,
    ask,
    ask_as,
    capital_for,
    clause,
    filled,
    holes,
    message,
    said,
)
from router.toolmodel.conversations.results import failure, outcome
from router.toolmodel.conversations.settings import Setting
from router.toolmodel.conversations.text import listed, sentence_case
from router.toolmodel.conversations.tools import Offered
from router.toolmodel.conversations.values import Value


def single(random: Random, setting: Setting) -> list[Message]:
    one = ask(random, random.choice(setting.offered))
    result = outcome(random, one)
    return [
        user(said(random, one)),
        calling((one.offered.name, one.arguments)),
        returned(result.content),
        assistant(result.answer),
    ]


def failed(random: Random, setting: Setting) -> list[Message]:
    one = ask(random, random.choice(setting.offered))
    result = failure(random)
    return [
        user(said(random, one)),
        calling((one.offered.name, one.arguments)),
        returned(result.content),
        assistant(result.answer),
    ]


def follow_up(random: Random, setting: Setting) -> list[Message]:
    """A call, and the same with another value: ``And in Oslo?``"""
    found = [(tool, pattern) for tool in setting.offered for pattern in _one_hole(tool)]
    if not found:
        return [*single(random, setting), *single(random, setting)]
    tool, pattern = random.choice(found)
    messages = []
    for turn in range(random.choice((2, 2, 3))):
        one = ask_as(random, tool, pattern)
        text = said(random, one) if turn == 0 else _again(random, one)
        result = outcome(random, one)
        messages += [
            user(text),
            calling((tool.name, one.arguments)),
            returned(result.content),
            assistant(result.answer),
        ]
    return messages


def _one_hole(tool: Offered) -> list[str]:
    """The patterns of the tool that hold one plain value and nothing to leave out."""
    return [
        pattern
        for pattern in tool.tool.asks
        if "[" not in pattern
        and len(holes(pattern)) == 1
        and tool.tool.parameters[holes(pattern)[0]].kind.form in ("text", "integer", "choices")
    ]


PREPOSITIONS = ("in", "for", "of", "about", "to", "on", "from", "with", "at")


def _again(random: Random, one: Ask) -> str:
    surface = str(one.values[holes(one.pattern)[0]].surface)
    words = one.pattern[: one.pattern.index("{")].split()
    preposition = f"{words[-1]} " if words and words[-1] in PREPOSITIONS else ""
    return random.choice(AGAIN).format(preposition=preposition, value=surface)


AGAIN = (
    *("And {preposition}{value}?", "And {preposition}{value}?", "What about {preposition}{value}?"),
    *("How about {value}?", "and {value}?", "Now {value}.", "Same for {value}, please."),
    *("Now do the same for {value}.", "Okay, and {preposition}{value}?"),
)


def sequence(random: Random, setting: Setting) -> list[Message]:
    """Steps in the order in which the request names them, one call at a time."""
    steps = [
        ask(random, random.choice(setting.offered), "!~?")
        for _ in range(random.choice((2, 2, 2, 3)))
    ]
    results = [outcome(random, one) for one in steps]
    messages = [user(_in_order(random, [clause(random, one) for one in steps]))]
    for one, result in zip(steps, results, strict=True):
        messages += [calling((one.offered.name, one.arguments)), returned(result.content)]
    return [*messages, assistant(" ".join(result.answer for result in results))]


def _in_order(random: Random, clauses: list[str]) -> str:
    if len(clauses) == 3:
        return random.choice(THREE_STEPS).format(*clauses, capital=sentence_case(clauses[0]))
    return random.choice(TWO_STEPS).format(*clauses, capital=sentence_case(clauses[0]))


TWO_STEPS = (
    *("First {0}, then {1}.", "First, {0}. After that, {1}.", "{capital} and then {1}."),
    *("{capital}, and once that is done {1}.", "Step 1: {0}. Step 2: {1}.", "{capital}, then {1}."),
    *("Before you {1}, {0}.", "1. {0}\n2. {1}", "{capital}. When that's done, {1}."),
    "Can you {0}, and after that {1}?",
)
THREE_STEPS = (
    *("First {0}, then {1}, and finally {2}.", "{capital}, then {1}, then {2}."),
    *("Step 1: {0}. Step 2: {1}. Step 3: {2}.", "1. {0}\n2. {1}\n3. {2}"),
)


def parallel(random: Random, setting: Setting) -> list[Message]:
    """Calls that one request asks for at once, made in one message."""
    count = random.choices((2, 3, 4), (62, 26, 12))[0]
    chance = random.random()
    if chance < 0.32:
        text, calls = _varied(random, setting, count)
    elif chance < 0.54:
        text, calls = _repeated(random, setting, count)
    else:
        text, calls = _mixed(random, setting, count)
    if random.random() < 0.08:
        text = text.rstrip(".") + (" at the same time." if not text.endswith("?") else "")
    if len(calls) < 2:
        return single(random, setting)
    results = [outcome(random, one) for one in calls]
    return [
        user(text),
        calling(*((one.offered.name, one.arguments) for one in calls)),
        *(returned(result.content, number) for number, result in enumerate(results, 1)),
        assistant(" ".join(result.answer for result in results)),
    ]


def _varied(random: Random, setting: Setting, count: int) -> tuple[str, list[Ask]]:
    """``the weather in A, B and C``"""
    found = [(tool, pattern) for tool in setting.offered for pattern in _one_hole(tool)]
    if not found:
        return _mixed(random, setting, count)
    tool, pattern = random.choice(found)
    calls = _distinct(random, [lambda: ask_as(random, tool, pattern)] * count)
    hole = holes(pattern)[0]
    surfaces = [str(one.values[hole].surface) for one in calls]
    last = random.choice((" and ", " and ", " and ", ", ", " and also ", " as well as "))
    if len(calls) == 2 and random.random() < 0.15:
        surfaces[0] = f"both {surfaces[0]}"
    if any(" and " in surface or ", " in surface for surface in surfaces):
        return _mixed(random, setting, count)
    joined = Value(listed(surfaces, last), None)
    return message(random, pattern[0], filled(pattern[1:], {hole: joined}), str), calls


def _repeated(random: Random, setting: Setting, count: int) -> tuple[str, list[Ask]]:
    """``convert 10 miles to km and 3 feet to cm``: one pattern, its head said once or again."""
    tool = random.choice([one for one in setting.offered if one.keys] or setting.offered)
    patterns = [one for one in tool.tool.asks if one[0] in "!~?" and "{" in one]
    if not patterns:
        return _mixed(random, setting, count)
    pattern = random.choice(patterns)
    calls = _distinct(random, [lambda: ask_as(random, tool, pattern)] * count)
    head = pattern[1 : pattern.index("{")]
    again = "[" in head or random.random() < 0.5
    rest = [one.text if again else one.text.removeprefix(head) for one in calls[1:]]
    text = listed([calls[0].text, *rest], random.choice((" and ", " and ", ", and ")))
    return message(random, pattern[0], text, capital_for(pattern[1:])), calls


FETCHING = ("get", "tell me", "check", "find", "give me", "show me", "look up")


def _mixed(random: Random, setting: Setting, count: int) -> tuple[str, list[Ask]]:
    """Different wishes in one message."""
    tools = list(setting.offered)
    random.shuffle(tools)
    picked = (tools * count)[:count] if random.random() < 0.7 else random.choices(tools, k=count)
    calls = _distinct(random, [lambda tool=tool: ask(random, tool, "!~?") for tool in picked])
    if all(one.form in (QUESTION, PHRASE) for one in calls) and random.random() < 0.6:
        questions = [as_question(random, one) for one in calls]
        if random.random() < 0.3:
            return " ".join(sentence_case(one.rstrip("?")) + "?" for one in questions), calls
        return message(
            random, QUESTION, listed(questions, random.choice((" and ", ", and ")))
        ), calls
    if all(one.form == PHRASE for one in calls):
        things = listed([one.text for one in calls], " and ")
        return message(random, IMPERATIVE, f"{random.choice(FETCHING)} {things}"), calls
    clauses = [clause(random, one) for one in calls]
    if random.random() < 0.15:
        return random.choice(LISTS).format("\n".join(f"- {one}" for one in clauses)), calls
    if random.random() < 0.15:
        return " ".join(sentence_case(one.rstrip(".")) + "." for one in clauses), calls
    last = random.choice((" and ", " and ", ", and ", " and also "))
    return message(random, IMPERATIVE, listed(clauses, last)), calls


LISTS = (
    "Please do the following:\n{0}",
    "{0}",
    "I need these things:\n{0}",
    "Do all of these:\n{0}",
)


def _distinct(random: Random, makers: list[object]) -> list[Ask]:
    calls: dict[str, Ask] = {}
    for make in makers:
        one = make()  # type: ignore[operator]
        calls.setdefault(json.dumps([one.offered.name, one.arguments], sort_keys=True), one)
    return list(calls.values())
