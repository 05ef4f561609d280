"""Values of arguments: what a request says and what the call must hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from router.toolmodel.conversations.text import expand, listed

WORDED = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"),
    *("fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
TENS = {
    20: "twenty",
    30: "thirty",
    40: "forty",
    50: "fifty",
    60: "sixty",
    90: "ninety",
    100: "a hundred",
}
MONEY = ("${}", "{} dollars", "{} euros", "€{}", "{}", "{} USD", "£{}")


@dataclass(frozen=True, slots=True)
class Value:
    """``surface`` is the text in a request (of an object: the texts of its members)."""

    surface: str | dict[str, str]
    json: Any


@dataclass(frozen=True, slots=True)
class Kind:
    """How the values of a parameter are made: the one entry of a tool file that says so, such
    as ``text = "{city}"`` or ``integer = [1, 9]``, and its JSON Schema."""

    form: str
    detail: Any

    def draw(self, random: Random) -> Value:
        return DRAWERS[self.form](random, self.detail)

    def schema(self, random: Random) -> dict[str, Any]:
        """A fresh dictionary, without description."""
        if self.form == "choices":
            return _choices_schema(random, self.detail)
        if self.form == "list":
            return {"type": "array", "items": {"type": "string"}}
        if self.form == "integers":
            return {"type": "array", "items": {"type": random.choice(("integer", "number"))}}
        if self.form == "object":
            members = {name: kind.schema(random) for name, kind in self.detail.items()}
            return {"type": "object", "properties": members, "required": list(members)}
        return {"type": TYPES[self.form]}


FORMS = ("text", "choices", "integer", "number", "money", "boolean", "list", "integers", "object")
TYPES = {
    "text": "string",
    "integer": "integer",
    "number": "number",
    "money": "number",
    "boolean": "boolean",
}


def kind_of(entry: Mapping[str, Any]) -> Kind:
    form = next(form for form in FORMS if form in entry)
    detail = entry[form]
    if form == "object":
        detail = {name: kind_of(member) for name, member in detail.items()}
    return Kind(form, detail)


def _text(random: Random, patterns: str | list[str]) -> Value:
    pattern = patterns if isinstance(patterns, str) else random.choice(patterns)
    text = expand(random, pattern)
    return Value(text, text)


def _choices(random: Random, choices: list[str]) -> Value:
    surface, value = _parted(random.choice(choices))
    return Value(surface, value)


def _parted(choice: str) -> tuple[str, str]:
    """Of ``by car=driving``, what is said and what is meant."""
    surface, _, value = choice.partition("=")
    return surface, value or surface


def _choices_schema(random: Random, choices: list[str]) -> dict[str, Any]:
    pairs = [_parted(choice) for choice in choices]
    free = all(surface == value for surface, value in pairs)
    if free and random.random() < 0.2:
        return {"type": "string"}
    return {"type": "string", "enum": list(dict.fromkeys(value for _, value in pairs))}


def _integer(random: Random, bounds: tuple[int, int]) -> Value:
    low, high = bounds
    value = random.randint(low, high if random.random() < 0.7 else min(high, low + 12))
    return Value(integer_text(random, value), value)


def integer_text(random: Random, value: int) -> str:
    if random.random() < 0.3:
        if 0 < value < len(WORDED):
            return WORDED[value]
        if value in TENS:
            return TENS[value]
    return f"{value:,}" if value > 999 and random.random() < 0.3 else str(value)


def _number(random: Random, bounds: tuple[float, float]) -> Value:
    low, high = bounds
    if random.random() < 0.5:
        return _integer(random, (int(low), int(high)))
    value = round(random.uniform(low, high), random.choice((1, 1, 2)))
    return Value(f"{value:,}" if value > 999 and random.random() < 0.3 else str(value), value)


def _money(random: Random, bounds: tuple[float, float]) -> Value:
    value = _number(random, bounds)
    return Value(random.choice(MONEY).format(value.surface), value.json)


def _boolean(random: Random, texts: Mapping[str, list[str]]) -> Value:
    value = random.random() < 0.55
    return Value(random.choice(texts["yes" if value else "no"]), value)


def _distinct(random: Random, patterns: str | list[str]) -> list[str]:
    count = random.choice((1, 2, 2, 2, 3, 3, 4))
    return list(dict.fromkeys(_text(random, patterns).json for _ in range(count)))


def _list(random: Random, patterns: str | list[str]) -> Value:
    items = _distinct(random, patterns)
    return Value(listed(items, random.choice((" and ", " and ", ", "))), items)


def _integers(random: Random, bounds: list[int]) -> Value:
    numbers = [random.randint(*bounds) for _ in range(random.randint(2, 5))]
    texts = [str(number) for number in numbers]
    return Value(listed(texts, random.choice((" and ", ", "))), numbers)


def _object(random: Random, members: Mapping[str, Kind]) -> Value:
    drawn = {name: kind.draw(random) for name, kind in members.items()}
    surfaces = {name: str(value.surface) for name, value in drawn.items()}
    return Value(surfaces, {name: value.json for name, value in drawn.items()})


DRAWERS: dict[str, Callable[[Random, Any], Value]] = {
    "text": _text,
    "choices": _choices,
    "integer": _integer,
    "number": _number,
    "money": _money,
    "boolean": _boolean,
    "list": _list,
    "integers": _integers,
    "object": _object,
}
