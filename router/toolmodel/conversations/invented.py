"""Tools nobody has written down: a verb, a noun and parameters at random.

Their names say little and repeat never, so a call can only be made by reading the definition.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from router.toolmodel.conversations.requests import MENTIONED_SHARE
from router.toolmodel.conversations.text import article, drawn, invented, listed
from router.toolmodel.conversations.tools import Parameter, Tool
from router.toolmodel.conversations.values import Kind

SWITCH = {"yes": ["on", "true", "yes", "enabled"], "no": ["off", "false", "no", "disabled"]}

TEXTS = (
    *("{id}", "{id}", "{rare}", "{made}", "{made}", "{word}", "{phrase}", "{title}", "{person}"),
    *("{place}", "{first}", "{email}", "{date}", "{time}", "{file}", "{handle}", "{sentence}"),
    *(
        "{company}",
        "{color}",
        "{number}",
        "{rare} {rare}",
        "{made} {rare}",
        "{url}",
        "{restaurant}",
    ),
)
ATTRIBUTES = (
    *(
        "status",
        "owner",
        "price",
        "weight",
        "color",
        "size",
        "location",
        "label",
        "version",
        "height",
    ),
    *("deadline", "category", "author", "balance", "score", "capacity", "temperature", "schedule"),
)
REPORT_FIELDS = (
    "id",
    "code",
    "reference",
    "state",
    "total",
    "note",
    "result_code",
    "place",
    "step",
)
RESULT_PATTERNS = (
    *("{id}", "{number}", "{person}", "{status_word}", "{word}", "{date}", "{place}", "{price}"),
    *("{temperature}", "{phrase}", "{title}", "{duration}", "{sentence}"),
)


def tool(random: Random, noun: str | None = None, verb: str | None = None) -> Tool:
    """An invented tool, about ``noun`` and doing ``verb`` (its two forms) where given."""
    noun = noun or _noun(random)
    if random.random() < 0.35:
        return _lookup(random, noun)
    return action(random, noun, verb or drawn(random, "verb"))


def _noun(random: Random) -> str:
    noun = drawn(random, "word")
    return f"{drawn(random, 'rare')} {noun}" if random.random() < 0.25 else noun


def _names(random: Random, *meaningful: str) -> tuple[str, ...]:
    chance = random.random()
    if chance < 0.15:
        return (f"{invented(random)} {drawn(random, 'rare')}",)
    if chance < 0.22:
        return (f"tool {random.randint(1, 99)}",)
    return meaningful


def _lookup(random: Random, noun: str) -> Tool:
    attribute = random.choice(ATTRIBUTES) if random.random() < 0.6 else drawn(random, "rare")
    key = random.choice(("id", "name", "code", "key", "number", f"{noun} id", f"{noun} name", noun))
    parameters = {"subject": Parameter((key,), Kind("text", random.choice(TEXTS[:14])))}
    field = attribute.replace(" ", "_")
    described = f"the {attribute} of {article(noun)}"
    return Tool(
        domain=drawn(random, "rare"),
        names=_names(
            random, f"get {noun} {attribute}", f"{noun} {attribute}", f"lookup {attribute}"
        ),
        about=(f"Get {described}", f"Returns {described}", f"Look up {described}"),
        asks=(
            f"~the {attribute} of the {noun} {{subject}}",
            f"~the {attribute} of {noun} {{subject}}",
            f"?which {attribute} does the {noun} {{subject}} have",
            f"!look up the {attribute} of {{subject}}",
            f"!check the {attribute} for {noun} {{subject}}",
            f"~{{subject}}'s {attribute}",
        ),
        parameters=parameters,
        results=(f"{{{field}}}", f"{attribute}: {{{field}}}", f"{{subject}}: {{{field}}}"),
        answers=(
            f"The {attribute} of {{subject}} is {{{field}}}.",
            f"The {attribute} is {{{field}}}.",
            f"{noun.capitalize()} {{subject}} has the {attribute} {{{field}}}.",
        ),
        fields={field: random.choice(RESULT_PATTERNS)},
    )


def action(random: Random, noun: str, verb: str, first: Parameter | None = None) -> Tool:
    """A tool that does something to a ``noun``; ``verb`` is the infinitive and the participle.
    ``first``, under the name ``subject``, comes before the invented parameters."""
    infinitive, participle = verb.split(" ")
    drawn_parameters = _parameters(random)
    parameters = {"subject": first, **drawn_parameters} if first else drawn_parameters
    asks = tuple(_ask(random, infinitive, noun, parameters) for _ in range(8))
    reports = random.random() < 0.6
    field = random.choice([one for one in REPORT_FIELDS if one not in parameters])
    return Tool(
        domain=drawn(random, "rare"),
        names=_names(
            random, f"{infinitive} {noun}", f"{noun} {infinitive}", f"{infinitive} {noun}"
        ),
        about=(
            f"{infinitive.capitalize()} {article(noun)}",
            f"Used to {infinitive} {article(noun)}",
            f"Use this to {infinitive} {noun} items",
        ),
        asks=asks,
        parameters=parameters,
        results=(
            (
                f"{participle}: {{{field}}}",
                f"{{{field}}}",
                f"The {noun} was {participle}, {{{field}}}",
            )
            if reports
            else (f"The {noun} was {participle}", f"{noun} {participle}", "1 item changed")
        ),
        answers=(
            (
                f"The {noun} was {participle}: {{{field}}}.",
                f"I {participle} the {noun}. The {field} is {{{field}}}.",
            )
            if reports
            else (f"The {noun} was {participle}.", f"Done, the {noun} has been {participle}.")
        ),
        fields={field: random.choice(RESULT_PATTERNS)} if reports else {},
    )


def _parameters(random: Random) -> dict[str, Parameter]:
    count = random.choice((1, 1, 2, 2, 2, 3, 3, 4))
    taken: dict[str, Parameter] = {}
    twins = Kind("text", random.choice(TEXTS)) if random.random() < 0.3 else None
    while len(taken) < count:
        name = _parameter_name(random)
        if name in taken:
            continue
        optional = bool(taken) and random.random() < 0.45
        about = (f"The {name}", f"{name.capitalize()} to use", f"Which {name}")
        taken[name.replace(" ", "_")] = Parameter(
            (name,), twins or _kind(random), about if random.random() < 0.7 else (), not optional
        )
    return taken


def _parameter_name(random: Random) -> str:
    if random.random() < 0.35:
        return drawn(random, "rare")
    if random.random() < 0.3:
        prefix = random.choice(("max", "min", "target", "source", "new", "old"))
        return f"{prefix} {drawn(random, 'noun')}"
    return random.choice(PARAMETER_NAMES)


PARAMETER_NAMES = (
    *("size", "label", "mode", "level", "target", "amount", "color", "speed", "owner", "title"),
    *("code", "region", "tag", "depth", "width", "note", "group", "channel", "limit", "key"),
    *("start", "end", "from place", "to place", "user", "team", "path", "reason", "value", "day"),
)


def _kind(random: Random) -> Kind:
    form = random.choices(
        ("text", "integer", "number", "boolean", "choices", "list", "integers", "object"),
        (50, 14, 8, 9, 10, 4, 2, 3),
    )[0]
    makers: dict[str, Callable[[], Any]] = {
        "text": lambda: random.choice(TEXTS),
        "integer": lambda: [random.randint(0, 5), random.choice((9, 20, 100, 5000))],
        "number": lambda: [0, random.choice((10, 100, 4000))],
        "boolean": lambda: SWITCH,
        "choices": lambda: [drawn(random, "rare") for _ in range(random.randint(2, 4))],
        "list": lambda: random.choice(("{rare}", "{first}", "{id}", "{made}")),
        "integers": lambda: [0, 99],
        "object": lambda: {
            drawn(random, "rare"): Kind("text", random.choice(TEXTS)),
            drawn(random, "noun"): Kind(random.choice(("integer", "number")), [1, 99]),
        },
    }
    return Kind(form, makers[form]())


def _ask(random: Random, verb: str, noun: str, parameters: Mapping[str, Parameter]) -> str:
    """An imperative that names the values of all required and some optional parameters."""
    mentioned = [
        name
        for name, one in parameters.items()
        if one.required or random.random() < MENTIONED_SHARE
    ]
    random.shuffle(mentioned)
    adjective = random.choice(("", "", "", drawn(random, "adjective") + " "))
    head = f"!{verb} {random.choice(('the', 'the', 'a', 'my', 'this'))} {adjective}{noun}"
    if not mentioned:
        return head
    if "subject" in mentioned:
        mentioned.remove("subject")
        head += " {subject}"
    elif (
        len(mentioned) == 1
        and parameters[mentioned[0]].kind.form == "text"
        and random.random() < 0.5
    ):
        return (
            head
            + random.choice((" {%s}", " for {%s}", ": {%s}", " '{%s}'", ' "{%s}"')) % mentioned[0]
        )
    if not mentioned:
        return head
    form = random.choice(STATEMENTS)
    parts = [stated(form, name, parameters[name]) for name in mentioned]
    opening, last = random.choice(
        ((" with ", " and "), (" with ", ", "), (", ", ", "), (" using ", " and "))
    )
    if form == "{words}: {value}":
        return head + random.choice((". ", "; ", ", ")) + ", ".join(parts)
    return head + opening + listed(parts, last)


STATEMENTS = (
    *("{words} {value}", "{words} {value}", "{words} {value}", "{words} set to {value}"),
    *("{words}: {value}", "{words}={value}", "{value} as {words}", "{value} as the {words}"),
    *("{value} {words}", "{value} for the {words}"),
    *("a {words} of {value}", "the {words} {value}", '{words} "{value}"', "{words} '{value}'"),
)


def stated(form: str, name: str, parameter: Parameter) -> str:
    """A parameter as a request states it, with holes for its value."""
    words = parameter.names[0]
    if parameter.kind.form == "object":
        members = listed([f"{member} {{{name}.{member}}}" for member in parameter.kind.detail])
        return f"{words} ({members})"
    if parameter.kind.form != "text" and ('"' in form or "'" in form):
        form = "{words} {value}"
    return form.format(words=words, value=f"{{{name}}}")
