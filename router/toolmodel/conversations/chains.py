"""Conversations in which a call needs the result of the one before."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from router.toolmodel.conversations import invented as inventions
from router.toolmodel.conversations.messages import Message, assistant, calling, returned, user
from router.toolmodel.conversations.requests import (
    MAYBE,
    MENTIONED_SHARE,
    Ask,
    ask_as,
    filled,
    holes,
    message,
)
from router.toolmodel.conversations.results import CONFIRMATIONS, outcome, plain, structured
from router.toolmodel.conversations.text import article, drawn, expand
from router.toolmodel.conversations.tools import Offered, Parameter, Tool, named
from router.toolmodel.conversations.values import Kind, Value

FOLDER = Path(__file__).parent / "plans"


@dataclass(frozen=True)
class Plan:
    """``second``'s parameter ``into`` takes what ``first`` reports as ``field``. In ``asks`` the
    parameters of the first are ``{a_name}``, those of the second ``{b_name}``."""

    first: Tool
    second: Tool
    field: str
    into: str
    asks: tuple[str, ...]
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chain:
    plan: Plan
    first: Offered
    second: Offered


@cache
def written() -> tuple[Plan, ...]:
    """Every plan of the folder, in a fixed order."""
    return tuple(
        Plan(
            named(entry["first"]),
            named(entry["second"]),
            entry["field"],
            entry["into"],
            tuple(entry["asks"]),
            tuple(entry.get("answers", ())),
        )
        for file in sorted(FOLDER.glob("*.toml"))
        for entry in tomllib.loads(file.read_text(encoding="utf-8"))["plan"]
    )


def invented(random: Random) -> Plan:
    """Find something by its name, then do something with what is found: mostly with its id."""
    noun, verb = drawn(random, "word"), drawn(random, "verb")
    infinitive = verb.split(" ")[0]
    link = random.choices(LINKS, (60, 10, 16, 14))[0]
    key = random.choice(link.keys) if random.random() < 0.85 else drawn(random, "rare")
    beside = random.choice([one for one in BESIDE if one != key])
    subject = random.choice(
        ("{made}", "{rare}", "{person}", "{title}", "{phrase}", "{place}", "{email}", "{noun}")
    )
    by = random.choice(
        ("name", "query", "title", "owner", "keyword", f"{noun} name", drawn(random, "rare"))
    )
    find = Tool(
        domain=noun,
        names=(
            f"find {noun}",
            f"search {noun}",
            f"lookup {noun}",
            f"get {noun} {key}",
            f"{noun} lookup",
        ),
        about=(
            f"Find {article(noun)} and its {key}",
            f"Look up the {key} of {article(noun)}",
            f"Search for {article(noun)} by {by}",
        ),
        asks=(
            f"~the {key} of the {noun} {{wanted}}",
            f"!find the {noun} {{wanted}}",
            f"!look up the {noun} '{{wanted}}'",
        ),
        parameters={"wanted": Parameter((by,), Kind("text", subject))},
        results=tuple(result.format(noun=noun, key=key, beside=beside) for result in FOUND),
        answers=(f"The {key} of {{wanted}} is {{{key}}}.", f"I found {{wanted}}: {{{key}}}."),
        fields={key: link.pattern, beside: random.choice(BESIDE[beside])},
    )
    names = (f"{noun} {key}", key, f"target {key}") if link.is_id else ACTED_ON
    target = Parameter(names, Kind("integer" if link.is_number else "text", link.detail))
    act = inventions.action(random, noun if link.is_id else drawn(random, "word"), verb, target)
    spare = [own for own in act.parameters if own != "subject" and act.parameters[own].required]
    spare += [
        own
        for own in act.parameters
        if own not in spare and own != "subject" and random.random() < 0.4
    ]
    end = _with(random, [(own, act.parameters[own]) for own in spare])
    words = {
        "noun": noun,
        "verb": infinitive,
        "done": verb.split(" ")[1],
        "key": key,
        "other": act.noun,
    }
    asks = tuple(head.format(**words) + end for head in link.heads)
    return Plan(find, act, key, "subject", asks)


FOUND = (
    *("{{{key}}}", "{key}: {{{key}}}", "Found 1 {noun}: {{{key}}}", "{{wanted}} ({key} {{{key}}})"),
    *(
        "{{wanted}}, {key} {{{key}}}",
        "The {key} of {{wanted}} is {{{key}}}",
        "{{wanted}}: {{{key}}}",
    ),
    *("{{{key}}}, {beside} {{{beside}}}", "{{{beside}}} ({key} {{{key}}})"),
    *("{{wanted}}, {{{beside}}}, {key} {{{key}}}",),
)
BESIDE = {
    "price": ("{price}",),
    "date": ("{date}",),
    "state": ("{status_word}", "{condition}"),
    "place": ("{place}", "{city}"),
    "about": ("{phrase}", "{title}"),
}

ID_HEADS = (
    "!find the {noun} {{a_wanted}} and {verb} it",
    "!look up the {noun} {{a_wanted}}, then {verb} it",
    "!{verb} the {noun} {{a_wanted}}",
    "!search for the {noun} '{{a_wanted}}' and {verb} it",
    "!get the {key} of the {noun} {{a_wanted}} and {verb} that {noun}",
    "!{verb} the {noun} called {{a_wanted}}, look up its {key} first",
    "!find {{a_wanted}} and then use its {key} to {verb} it",
    "?is there a {noun} {{a_wanted}}, and if so can you {verb} it",
    "!find a {noun} for {{a_wanted}} and have it {done}",
    "!search for {{a_wanted}}. Then {verb} the {noun} you found",
)
VALUE_HEADS = (
    "!get the {key} of the {noun} {{a_wanted}} and {verb} the {other} with it",
    "!look up the {key} of {{a_wanted}}, then {verb} the {other} with that {key}",
    "!find out the {key} of the {noun} {{a_wanted}} and {verb} the {other} with the result",
    "!check the {key} of {{a_wanted}}. After that, {verb} the {other} with exactly that {key}",
    "!tell me the {key} of the {noun} {{a_wanted}} and {verb} the {other} with it",
    "!first get the {key} of {{a_wanted}}, then use the {key} to {verb} the {other}",
)
ACTED_ON = ("value", "target", "amount", "at", "label", "content", "setting")


@dataclass(frozen=True)
class Link:
    """What the first call brings and the second needs."""

    keys: tuple[str, ...]
    pattern: str
    heads: tuple[str, ...]
    is_id: bool = False
    is_number: bool = False

    @property
    def detail(self) -> Any:
        return [1, 999] if self.is_number else self.pattern


LINKS = (
    Link(("id", "code", "number", "key", "handle", "address"), "{id}", ID_HEADS, is_id=True),
    Link(("start time", "opening time", "departure", "time", "end"), "{clock}", VALUE_HEADS),
    Link(("count", "total", "size", "weight", "stock"), "{1..999}", VALUE_HEADS, is_number=True),
    Link(("name", "text", "title", "owner", "email"), "{title}", VALUE_HEADS),
)


def _with(random: Random, parameters: list[tuple[str, Parameter]]) -> str:
    if not parameters:
        return ""
    form = random.choice(("{words} {value}", "{words} set to {value}", "{words}: {value}"))
    parts = [
        inventions.stated(random, form, own, one).replace(f"{{{own}", f"{{b_{own}")
        for own, one in parameters
    ]
    return random.choice((" with ", ", ")) + ", ".join(parts)


def chained(random: Random, chain: Chain) -> list[Message]:
    plan = chain.plan
    first_values = {own: one.kind.draw(random) for own, one in plan.first.parameters.items()}
    fields = {name: expand(random, text) for name, text in plan.first.fields.items()}
    link = fields[plan.field]
    second_values = {own: one.kind.draw(random) for own, one in plan.second.parameters.items()}
    is_number = plan.second.parameters[plan.into].kind.form == "integer"
    second_values[plan.into] = Value(link, int(link) if is_number else link)
    pattern = MAYBE.sub(
        lambda part: part[1] if random.random() < MENTIONED_SHARE else "", random.choice(plan.asks)
    )
    surfaces = {f"a_{own}": value for own, value in first_values.items()}
    surfaces |= {f"b_{own}": value for own, value in second_values.items()}
    text = message(random, pattern[0], filled(pattern[1:], surfaces))
    used = set(holes(pattern))
    known = {own: value for own, value in first_values.items() if f"a_{own}" in used}
    first = chain.first.arguments(known, known)
    mentioned = {own for own in second_values if f"b_{own}" in used} | {plan.into}
    second = chain.second.arguments(second_values, mentioned)
    looked_up = _looked_up(random, plan, fields, known)
    step = Ask(chain.second, pattern[0], "", "", second_values, second)
    result = outcome(random, step)
    answer = _answer(
        random, plan, {k: v for k, v in surfaces.items() if k in used}, link, result.answer
    )
    return [
        user(text),
        calling((chain.first.name, first)),
        returned(looked_up),
        calling((chain.second.name, second)),
        returned(result.content),
        assistant(answer),
    ]


def _looked_up(
    random: Random, plan: Plan, fields: Mapping[str, str], known: Mapping[str, Value]
) -> str:
    values = {name: Value(text, text) for name, text in fields.items()} | dict(known)
    content = plain(random, plan.first.results, values)
    if fields[plan.field] in content and random.random() < 0.5:
        return content
    extra = {
        drawn(random, "rare"): drawn(random, "word") for _ in range(random.choice((0, 0, 1, 2)))
    }
    parts = {**fields, **extra} if random.random() < 0.5 else {**extra, **fields}
    return structured(random, parts)


def _answer(
    random: Random, plan: Plan, known: Mapping[str, Value], link: str, otherwise: str
) -> str:
    if random.random() < 0.3:
        return f"{random.choice(BY_THE_WAY).format(link=link)} {otherwise}"
    if not plan.answers or random.random() < 0.6:
        return otherwise
    return plain(random, plan.answers, {**known, "link": Value(link, link)}) or random.choice(
        CONFIRMATIONS
    )


BY_THE_WAY = ("I found {link}.", "It is {link}.", "The result was {link}.", "I used {link}.")

OPERATIONS = ("add", "multiply", "subtract", "divide")
SIGNS = {"add": "+", "multiply": "*", "subtract": "-", "divide": "/"}


def operations(random: Random, count: int) -> list[Tool]:
    """Different arithmetic tools; adding and multiplying come first."""
    names = ["add", "multiply"] if random.random() < 0.7 else random.sample(OPERATIONS, 2)
    names += [name for name in OPERATIONS if name not in names]
    return [named(name) for name in names[:count]]


def arithmetic(random: Random, offered: tuple[Offered, ...]) -> list[Message]:
    """Two operations, the second upon the result of the first."""
    while True:
        inner, outer = random.choice(offered), random.choice(offered)
        names = inner.tool.names[0], outer.tool.names[0]
        a, b, c = (random.randint(1, random.choice((12, 99, 500))) for _ in range(3))
        partial = _computed(names[0], a, b)
        swapped = random.random() < 0.3
        pair = (c, partial) if swapped else (partial, c)
        total = _computed(names[1], *pair) if partial is not None else None
        if partial is not None and total is not None:
            break
    text = _sum_text(random, names, (a, b, c), swapped)
    first = ask_as(random, inner, "!{a}{b}", _operands(a, b))
    second = ask_as(random, outer, "!{a}{b}", _operands(*pair))
    return [
        user(text),
        calling((inner.name, first.arguments)),
        returned(_number_result(random, partial)),
        calling((outer.name, second.arguments)),
        returned(_number_result(random, total)),
        assistant(
            random.choice(
                ("The result is {}.", "The answer is {}.", "That makes {}.", "{}")
            ).format(total)
        ),
    ]


def _operands(a: Any, b: Any) -> dict[str, Value]:
    return {"a": Value(str(a), a), "b": Value(str(b), b)}


def _computed(name: str, a: int, b: int | None) -> int | None:
    """Whole results only."""
    if b is None:
        return None
    if name == "divide":
        return a // b if b and a % b == 0 else None
    return {"add": a + b, "multiply": a * b, "subtract": a - b}[name]


def _number_result(random: Random, number: Any) -> str:
    shape = random.choice(("{}", "{}", "Result: {}", "json", "{}.0"))
    return json.dumps({"result": number}) if shape == "json" else shape.format(number)


def _sum_text(
    random: Random, names: tuple[str, str], numbers: tuple[int, int, int], swapped: bool
) -> str:
    a, b, c = numbers
    inner = f"{a} {_sign(random, names[0])} {b}"
    sign = _sign(random, names[1])
    if swapped:
        whole = f"{c} {sign} ({inner})"
        return _asked(random, whole)
    if random.random() < 0.45:
        return _asked(random, f"({inner}) {sign} {c}")
    spoken = random.choice(SPOKEN[names[0]]).format(a, b)
    then = random.choice(THEN[names[1]]).format(c)
    return message(
        random, "!", f"{spoken}{random.choice((' and ', ', then ', ' and then '))}{then}"
    )


def _asked(random: Random, expression: str) -> str:
    return random.choice(
        ("What is {}?", "What's {}?", "Calculate {}.", "Compute {}", "{} = ?", "How much is {}?")
    ).format(expression)


def _sign(random: Random, name: str) -> str:
    if name == "multiply":
        return random.choice(("*", "x", "\u00d7", "times"))
    if name == "add":
        return random.choice(("+", "+", "plus"))
    return SIGNS[name]


SPOKEN = {
    "add": ("add {} and {}", "add {} to {}", "take the sum of {} and {}"),
    "multiply": ("multiply {} by {}", "multiply {} and {}", "take the product of {} and {}"),
    "subtract": ("take {} minus {}", "compute {} - {}"),
    "divide": ("divide {} by {}", "compute {} / {}"),
}
THEN = {
    "add": ("add {} to the result", "add {}", "add {} to that"),
    "multiply": ("multiply the result by {}", "multiply that by {}", "multiply it by {}"),
    "subtract": ("subtract {} from the result", "subtract {}", "take away {} from that"),
    "divide": ("divide the result by {}", "divide that by {}"),
}
