"""Invented tools of two or three counts, which a request names in any order."""

from random import Random

from router.toolmodel.conversations.text import article, drawn
from router.toolmodel.conversations.tools import Parameter, Tool
from router.toolmodel.conversations.values import Kind

PLACES = ("{place}", "{made}", "{made} {noun}", "{rare} {noun}", "{person}", "{id}")


def tool(random: Random) -> Tool:
    """``{whole}`` things that each have ``{part}`` of another; now and then also a text."""
    infinitive, participle = drawn(random, "verb").split(" ")
    whole, part = _countable(random), _countable(random)
    while part == whole:
        part = _countable(random)
    place = random.random() < 0.35
    parameters = {"whole": _count(random, whole, "count"), "part": _count(random, part, part)}
    if place:
        key = random.choice(("place", "target", "label", "owner", drawn(random, "rare")))
        parameters["where"] = Parameter((key,), Kind("text", random.choice(PLACES)))
    order = list(parameters)
    random.shuffle(order)
    return Tool(
        domain=drawn(random, "rare"),
        names=(f"{infinitive} {whole}s", f"{infinitive} {whole}", f"{whole} {infinitive}"),
        about=(
            f"{infinitive.capitalize()} {whole}s with {part}s",
            f"{infinitive.capitalize()} some {whole}s",
            f"Used to {infinitive} {article(whole)}",
        ),
        asks=_asks(infinitive, whole, part, " for {where}" if place else ""),
        parameters={own: parameters[own] for own in order},
        results=(f"{participle}: {{report}}", "{report}"),
        answers=(
            f"I {participle} the {whole}s: {{report}}.",
            f"The {whole}s were {participle}, {{report}}.",
        ),
        fields={"report": random.choice(("{number}", "{id}", "{phrase}", "{2..90}, {1..40}"))},
        noun=whole,
        verb=f"{infinitive} {participle}",
    )


def _countable(random: Random) -> str:
    while True:
        noun = drawn(random, "noun")
        if noun[-1] not in "sy":
            return noun


def _count(random: Random, noun: str, short: str) -> Parameter:
    names = (f"{noun}s", f"{noun} count", f"number of {noun}s", f"num {noun}s", short)
    about = (f"Number of {noun}s", f"How many {noun}s", f"The {noun}s")
    bounds = random.choice(([1, 9], [1, 20], [2, 60], [1, 500]))
    return Parameter(
        (random.choice(names),), Kind("integer", bounds), about if random.random() < 0.8 else ()
    )


def _asks(verb: str, whole: str, part: str, end: str) -> tuple[str, ...]:
    heads = (
        f"{{whole}} {whole}s with {{part}} {part}s",
        f"{{whole}} {whole}s of {{part}} {part}s each",
        f"{{whole}} {whole}s that have {{part}} {part}s",
        f"{{part}} {part}s and {{whole}} {whole}s",
        f"{{whole}} {{part}}-{part} {whole}s",
        f"{{whole}} {whole}s, each with {{part}} {part}s",
        f"{whole}s with {{part}} {part}s, {{whole}} of them",
    )
    return (
        *(f"!{verb} {head}{end}" for head in heads),
        f"!with {{part}} {part}s, {verb} {{whole}} {whole}s{end}",
        f"!{verb} {{whole}} {whole}s{end} using {{part}} {part}s",
        f"@I want {{whole}} {whole}s{end} with {{part}} {part}s",
    )
