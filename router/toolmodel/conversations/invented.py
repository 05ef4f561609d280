"""Tools nobody has written down: a verb, a noun and parameters at random.

Their names say little and repeat never, so a call can only be made by reading the definition.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from router.toolmodel.conversations import quantities
from router.toolmodel.conversations.requests import MENTIONED_SHARE
from router.toolmodel.conversations.text import article, drawn, invented, listed, sentence_case
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
    chance = random.random()
    if chance < 0.3:
        return _lookup(random, noun)
    if chance < 0.42:
        return quantities.tool(random)
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
            f"!look for a {noun} called {{subject}} and tell me its {attribute}",
            f"@{{subject}} is my {noun}. I need its {attribute}.",
            f"?is there any {noun} {{subject}}, and what is its {attribute}",
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
        noun=noun,
        verb=verb,
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
        kind = twins or _kind(random)
        if kind.form == "boolean" and random.random() < 0.6:
            name = drawn(random, "adjective")
            kind = Kind("boolean", {"yes": _flagged(name, True), "no": _flagged(name, False)})
            if name in taken:
                continue
        taken[name.replace(" ", "_")] = Parameter(
            (name,), kind, about if random.random() < 0.7 else (), not optional
        )
    return taken


def _flagged(name: str, on: bool) -> list[str]:
    return [name, name, f"{name} please"] if on else [f"not {name}", f"not {name} please"]


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
        (44, 13, 7, 9, 16, 4, 2, 5),
    )[0]
    makers: dict[str, Callable[[], Any]] = {
        "text": lambda: random.choice(TEXTS),
        "integer": lambda: [random.randint(0, 5), random.choice((9, 20, 100, 5000))],
        "number": lambda: [0, random.choice((10, 100, 4000))],
        "boolean": lambda: SWITCH,
        "choices": lambda: _choices(random),
        "list": lambda: random.choice(("{rare}", "{first}", "{id}", "{made}")),
        "integers": lambda: [0, 99],
        "object": lambda: _members(random),
    }
    return Kind(form, makers[form]())


OBJECTS: tuple[tuple[dict[str, Kind], tuple[str, ...]], ...] = (
    (
        {
            "street": Kind(
                "text", ["{1..99} {made} Road", "{made} Street {1..99}", "{rare} Lane {1..9}"]
            ),
            "city": Kind("text", "{city}"),
        },
        ("{0} in {1}", "{0}, {1}", "in {1}, {0}"),
    ),
    (
        {"name": Kind("text", "{person}"), "email": Kind("text", "{email}")},
        ("{0} ({1})", "{0}, {1}", "{0} with the address {1}", "{1}, that is {0}"),
    ),
    (
        {"name": Kind("text", "{person}"), "age": Kind("integer", [1, 99])},
        ("{0}, {1} years old", "{0} ({1})", "{0}, aged {1}"),
    ),
    (
        {"width": Kind("integer", [1, 900]), "height": Kind("integer", [1, 900])},
        ("{0} wide and {1} high", "{1} high and {0} wide", "{0} by {1}"),
    ),
    (
        {"start": Kind("text", "{date}"), "end": Kind("text", "{date}")},
        ("from {0} to {1}", "until {1}, from {0}", "{0} to {1}"),
    ),
    (
        {"product": Kind("text", "{phrase}"), "price": Kind("number", [1, 900])},
        ("{0} for {1}", "{0} at a price of {1}", "{1} for the {0}"),
    ),
)
"""Members that need not be named, and how one says them."""


def _members(random: Random) -> dict[str, Kind]:
    if random.random() < 0.6:
        return random.choice(OBJECTS)[0]
    return {
        drawn(random, "rare"): Kind("text", random.choice(TEXTS)),
        drawn(random, "noun"): Kind(random.choice(("integer", "number")), [1, 99]),
    }


def _said_members(random: Random, name: str, members: Mapping[str, Kind]) -> str | None:
    form = next((forms for known, forms in OBJECTS if known is members), None)
    if form is None or random.random() < 0.2:
        return None
    return random.choice(form).format(*(f"{{{name}.{member}}}" for member in members))


def _choices(random: Random) -> list[str]:
    """A scale, words of one sort or such as have nothing to do with one another."""
    chance = random.random()
    if chance < 0.5:
        return drawn(random, "scale").split(",")
    sort = "rare" if chance < 0.75 else random.choice(("noun", "color", "animal", "food"))
    return list(dict.fromkeys(drawn(random, sort) for _ in range(random.randint(2, 5))))


def _ask(random: Random, verb: str, noun: str, parameters: Mapping[str, Parameter]) -> str:
    """An imperative that names the values of all required and some optional parameters."""
    mentioned = [
        name
        for name, one in parameters.items()
        if one.required or random.random() < MENTIONED_SHARE
    ]
    random.shuffle(mentioned)
    adjective = random.choice(("", "", "", drawn(random, "adjective") + " "))
    if mentioned and random.random() < 0.12:
        return _told_first(random, verb, noun, mentioned, parameters)
    determiner = random.choice(("the", "the", "a", "my", "this"))
    choices = [name for name in mentioned if parameters[name].kind.form == "choices"]
    where = ""
    if choices and random.random() < 0.6:
        name = choices[0]
        mentioned.remove(name)
        if random.random() < 0.5:
            adjective = f"{{{name}}} "
        else:
            where = random.choice((" to the", " for", " in the", " to", " from the", " as"))
            where += f" {{{name}}}"
    head = f"!{verb} {determiner} {adjective}{noun}"
    if where and (not mentioned or random.random() < 0.4):
        head, where = head + where, ""
    return _with_rest(random, head, mentioned, parameters) + where


def _told_first(
    random: Random, verb: str, noun: str, mentioned: list[str], parameters: Mapping[str, Parameter]
) -> str:
    """The values in a sentence of their own, then the wish."""
    form = random.choice(
        ("the {words} is {value}", "{value} is the {words}", "I want {words} {value}")
    )
    parts = listed([stated(random, form, name, parameters[name]) for name in mentioned])
    wish = random.choice(("Please {0} the {1}.", "{0} the {1} for me!", "Can you {0} that {1}?"))
    return f"@{sentence_case(parts)}. {sentence_case(wish.format(verb, noun))}"


def _with_rest(
    random: Random, head: str, mentioned: list[str], parameters: Mapping[str, Parameter]
) -> str:
    """``head`` and the parameters it does not hold yet."""
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
    parts = [stated(random, form, name, parameters[name]) for name in mentioned]
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


def stated(random: Random, form: str, name: str, parameter: Parameter) -> str:
    """A parameter as a request states it, with holes for its value."""
    words = parameter.names[0]
    if parameter.kind.form == "boolean" and parameter.kind.detail is not SWITCH:
        return f"{{{name}}}"
    if parameter.kind.form == "object":
        if said := _said_members(random, name, parameter.kind.detail):
            return said if random.random() < 0.5 else f"{words} {said}"
        members = listed([f"{member} {{{name}.{member}}}" for member in parameter.kind.detail])
        return f"{words} ({members})"
    if parameter.kind.form != "text" and ('"' in form or "'" in form):
        form = "{words} {value}"
    return form.format(words=words, value=f"{{{name}}}")
