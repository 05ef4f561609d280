"""The training conversations keep what they promise: typed calls, copied values, steady shares."""

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import jinja2.sandbox
import jsonschema
import pytest
from mlx_lm.tool_parsers.json_tools import parse_tool_call

from router import toolmodel
from router.engine.prompts import SCHEMA_PROMPT
from router.toolmodel.conversations import (
    Setting,
    conversation,
    mixture,
    records,
    setting,
    settings,
)
from router.toolmodel.conversations.tools import written

HELD_OUT = {
    "book_table": "Book a table at a restaurant",
    "convert_currency": "Convert an amount between currencies",
    "track_package": "Track a package",
    "search_flights": "Search for flights between two airports",
    "create_issue": "Create an issue in the bug tracker",
    "roll_dice": "Roll some dice",
    "define_word": "Get the dictionary definition of a word",
    "get_recipe": "Get a cooking recipe",
    "set_alarm": "Set an alarm clock",
    "get_air_quality": "Get the air quality index of a city",
    "createInvoice": "Create an invoice for a customer",
    "Library-find_book": "Find a book by its author",
    "reserve_book": "Reserve a book by its id",
    "get_moon_phase": "Get the phase of the moon on a date",
    "list_playlists": "List the playlists of the user",
    "get_population": "Get the population of a country",
    "GetExchangeRate": "Gets the exchange rate for a currency pair",
    "check_inventory": "Check how many units are in stock",
    "ban_user": "Ban a user from the forum",
    "get_horoscope": "Get the horoscope for a zodiac sign",
}
"""The tools of the evaluation: neither they nor others of their purpose may be trained on."""

HELD_OUT_WORDS = (
    *(
        "currency",
        "package",
        "parcel",
        "flight",
        "dice",
        "definition",
        "dictionary",
        "recipe",
        "alarm",
    ),
    *("air quality", "invoice", "library", "moon", "playlist", "population", "exchange rate"),
    *("inventory", "forum", "horoscope", "zodiac", "bug tracker", "restaurant table"),
)

DRAWS = 3000


@cache
def drawn() -> tuple[tuple[Setting, list[dict[str, Any]]], ...]:
    found = []
    for seed in range(DRAWS):
        random = Random(seed)
        place = setting(random)
        found.append((place, conversation(random, place)))
    return tuple(found)


def calls(messages: list[dict[str, Any]]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Of every call: the index of its message, the tool's name and the arguments."""
    for index, message in enumerate(messages):
        for call in message.get("tool_calls", ()):
            yield index, call["function"]["name"], call["function"]["arguments"]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def enumerated(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("enum", ())
        for one in schema.values():
            yield from enumerated(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from enumerated(one)


def test_every_call_fits_the_schema_of_an_offered_tool() -> None:
    for place, messages in drawn():
        schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in place.tools}
        for _, name, arguments in calls(messages):
            jsonschema.validate(arguments, schemas[name])


def test_every_text_in_a_call_stands_in_the_conversation_before_it() -> None:
    for place, messages in drawn():
        schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in place.tools}
        for index, name, arguments in calls(messages):
            before = "\n".join(str(message["content"]) for message in messages[:index])
            known = set(enumerated(schemas[name]))
            missing = [
                text for text in strings(arguments) if text not in before and text not in known
            ]
            assert not missing, (missing, name, messages)


def test_an_assistant_ends_every_conversation() -> None:
    for place, messages in drawn():
        assert messages[0]["role"] == "user"
        assert messages[-1]["role"] == "assistant"
        assert place.tools or not list(calls(messages))


def test_a_seed_repeats_its_conversations() -> None:
    def once(seed: int) -> str:
        random = Random(seed)
        place = setting(random)
        return json.dumps(
            [place.system, place.tools, [conversation(random, place) for _ in range(3)]]
        )

    assert [once(seed) for seed in range(60)] == [once(seed) for seed in range(60)]
    assert once(1) != once(2)


def test_settings_come_in_their_shares() -> None:
    counted = Counter(place.kind for place, _ in drawn())
    for kind, share in settings.SHARES.items():
        assert counted[kind] / DRAWS == pytest.approx(share / 100, abs=0.03)
    assert sum(settings.SHARES.values()) == 100
    assert all(sum(shares.values()) == 100 for shares in mixture.SHARES.values())


@cache
def template() -> jinja2.Template:
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    path = Path(toolmodel.__path__[0]) / "chat_template.jinja"
    return environment.from_string(path.read_text(encoding="utf-8"))


def test_the_template_writes_calls_that_are_read_back() -> None:
    for place, messages in drawn()[:1000]:
        system = [{"role": "system", "content": place.system}] if place.system else []
        text = template().render(messages=system + messages, tools=list(place.tools) or None)
        start, end = "<tool_call>", "</tool_call>"
        turns = text.split("<|im_start|>assistant")[1:]
        blocks = [part.split(end)[0] for turn in turns for part in turn.split(start)[1:]]
        found = [parse_tool_call(block.strip()) for block in blocks]
        assert [(one["name"], one["arguments"]) for one in found] == [
            (name, arguments) for _, name, arguments in calls(messages)
        ]


def test_the_held_out_tools_stay_held_out() -> None:
    purposes = {purpose.lower() for purpose in HELD_OUT.values()}
    for place, _ in drawn():
        for tool in place.tools:
            assert tool["function"]["name"] not in HELD_OUT
    for template in written():
        for text in (*template.names, *template.about):
            assert text.lower().rstrip(".") not in purposes
            assert not [word for word in HELD_OUT_WORDS if word in text.lower()], text


def test_the_schema_is_asked_for_in_the_words_of_the_engine() -> None:
    assert records.SCHEMA_PROMPT == SCHEMA_PROMPT


def test_the_tools_are_many_and_every_parameter_is_asked_for() -> None:
    for tool in written():
        text = " ".join(tool.asks)
        assert not [own for own in tool.parameters if f"{{{own}" not in text], tool.names
        assert not set(tool.fields) & set(tool.parameters), tool.names
