"""How a call is asked for."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from router.toolmodel.conversations.text import expand, indefinite, sentence_case
from router.toolmodel.conversations.tools import Offered
from router.toolmodel.conversations.values import Value

HOLE = re.compile(r"\{(\w+)(?:\.(\w+))?\}")
ARTICLE = re.compile(r"\ba (?=\{)")
MAYBE = re.compile(r"\[([^\[\]]*)\]")

MENTIONED_SHARE = 0.7
"""Of the parts of a request that may be left out. A model that meets less of them learns to leave
out what was asked for."""

QUESTION, IMPERATIVE, PHRASE, REMARK = "?!~@"


@dataclass(frozen=True, slots=True)
class Ask:
    """One call asked for: ``form`` is how the clause in ``text`` is to be used, ``pattern`` what
    it was made from, ``values`` the drawn values by the tool's own parameter names (those not
    mentioned as well), ``arguments`` those mentioned, as the call holds them."""

    offered: Offered
    form: str
    pattern: str
    text: str
    values: Mapping[str, Value]
    arguments: Mapping[str, Any]


def ask(random: Random, offered: Offered, forms: str = "?!~@") -> Ask:
    choices = [one for one in offered.tool.asks if one[0] in forms] or list(offered.tool.asks)
    return ask_as(random, offered, random.choice(choices))


def ask_as(
    random: Random,
    offered: Offered,
    pattern: str,
    given: Mapping[str, Value] | None = None,
) -> Ask:
    """The call that ``pattern`` asks for; parameters in ``given`` hold those values."""
    kept = MAYBE.sub(lambda part: part[1] if random.random() < MENTIONED_SHARE else "", pattern)
    values = _drawn(random, offered) | dict(given or {})
    mentioned = {*holes(kept), *(given or ())}
    arguments = offered.arguments(values, mentioned)
    return Ask(offered, kept[0], kept[1:], filled(kept[1:], values), values, arguments)


REDRAWS = 4
"""Of a value that another parameter has already: who swapped the two would never know."""


def _drawn(random: Random, offered: Offered) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for own, one in offered.tool.parameters.items():
        draws = (one.kind.draw(random) for _ in range(REDRAWS))
        fresh = (value for value in draws if value not in values.values())
        values[own] = next(fresh, None) or one.kind.draw(random)
    return values


def filled(pattern: str, values: Mapping[str, Value]) -> str:
    def surface(hole: re.Match[str]) -> str:
        if hole[1] not in values:
            return hole[0]
        text = values[hole[1]].surface
        return text[hole[2]] if isinstance(text, dict) else text

    def fitting(word: re.Match[str]) -> str:
        hole = HOLE.match(pattern, word.end())
        return f"{indefinite(surface(hole))} " if hole else word[0]

    return HOLE.sub(surface, ARTICLE.sub(fitting, pattern))


def holes(pattern: str) -> list[str]:
    return [hole[1] for hole in HOLE.finditer(pattern)]


def usable(patterns: Collection[str], known: Collection[str]) -> list[str]:
    """The patterns whose every hole is known."""
    return [pattern for pattern in patterns if set(holes(pattern)) <= set(known)]


def clause(random: Random, one: Ask) -> str:
    """``one`` as an imperative, to be joined with others."""
    if one.form == PHRASE:
        return random.choice(("get ", "tell me ", "check ", "find ", "give me ")) + one.text
    if one.form == QUESTION:
        return random.choice(("tell me ", "find out ")) + one.text
    return one.text


def as_question(random: Random, one: Ask) -> str:
    return random.choice(("what is ", "what's ")) + one.text if one.form == PHRASE else one.text


def said(random: Random, one: Ask) -> str:
    """The whole message of a user who wants one call."""
    capital = capital_for(one.pattern)
    text = message(random, one.form, one.text, capital)
    if random.random() < ASIDE_SHARE:
        return f"{expand(random, random.choice(ASIDES))} {capital(text)}"
    return text


ASIDE_SHARE = 0.06
"""Of requests that something goes before which asks for nothing."""

ASIDES = (
    *("I'm in a hurry.", "It's raining again.", "My {job} is waiting.", "I just got up.", "Hi!"),
    *("I have {2..9} {noun}s here.", "We are in {city} now.", "The {noun} is {adjective}."),
    *(
        "{first} told me to ask you.",
        "I can't find my {noun}.",
        "My phone is broken.",
        "So, here we go.",
    ),
    *("I am preparing the {word}.", "Our {noun} is gone.", "OK, next thing.", "It's {weekday}."),
)


def capital_for(pattern: str) -> Callable[[str], str]:
    """How a message made from ``pattern`` may begin: a value stays as it is."""
    return str if pattern.startswith("{") else sentence_case


def message(
    random: Random, form: str, text: str, capital: Callable[[str], str] = sentence_case
) -> str:
    if form == REMARK:
        return text
    if form == PHRASE:
        if random.random() < 0.1:
            return capital(text) + random.choice(("", "?", ", please"))
        if random.random() < 0.5:
            return random.choice(("What's ", "What is ", "what is ", "Whats ")) + text + "?"
        verb = random.choice(("get ", "tell me ", "check ", "look up ", "give me ", "show me "))
        return _imperative(random, verb + text, sentence_case)
    if form == QUESTION:
        return _question(random, text, capital)
    return _imperative(random, text, capital)


def _question(random: Random, text: str, capital: Callable[[str], str]) -> str:
    asked = text if text.endswith("?") else text + random.choice(("?", "?", "?", "?", ""))
    chance = random.random()
    if chance < 0.65:
        return capital(asked)
    if chance < 0.73:
        return asked
    if chance < 0.88:
        return random.choice(OPENINGS) + asked
    return capital(asked).rstrip("?") + "?" + random.choice(QUESTION_ENDS)


def _imperative(random: Random, text: str, capital: Callable[[str], str]) -> str:
    chance = random.random()
    end = "" if text.endswith((".", "!", "?")) else "."
    if chance < 0.4:
        return capital(text) + random.choice((end, end, "", "!" if end else ""))
    if chance < 0.55:
        return random.choice(("Please ", "please ", "Now ")) + text + end
    if chance < 0.77:
        return random.choice(POLITE) + text + "?"
    if chance < 0.92:
        return random.choice(WISHES) + text + end
    return capital(text) + random.choice((", please.", " please", " - thanks!"))


OPENINGS = ("Hey, ", "Hi! ", "Quick question: ", "I'm curious, ", "One more thing: ", "Hello, ")
QUESTION_ENDS = (" Thanks!", " Please check.", " Use your tools.", " I need to know.")
POLITE = ("Can you ", "Could you ", "Could you please ", "Would you ", "Can you please ")
WISHES = (
    *("I need you to ", "I want you to ", "I'd like you to ", "Hey, ", "Hi, please "),
    *("Go ahead and ", "OK, ", "You should "),
)
