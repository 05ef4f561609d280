"""The training conversations keep what they promise: typed calls, copied values, steady shares."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
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
    chains,
    conversation,
    mixture,
    records,
    refusals,
    requests,
    results,
    setting,
    settings,
)
from router.toolmodel.conversations.requests import MAYBE, holes
from router.toolmodel.conversations.tools import PARAPHRASES, Parameter, offered, written
from router.toolmodel.conversations.values import Value
from router.toolmodel.evaluation import cases, held_out

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
    *("inventory", "forum", "horoscope", "zodiac", "bug tracker", "table at a"),
    *("morse", "nutrition", "pizza", "bicycle", "hairdresser", "garage", "phones", "branch into"),
    *("newsletter", "counter", "boarding pass", "ferry", "museum", "pollen", "snow", "aquarium"),
    *("coffee", "transpose", "auction", "wine", "bird", "poster", "chess", "stamp", "pallet"),
    *("depot", "scale drawing", "donation", "charity"),
)
"""What the tools of the evaluation are for: no tool that is trained on may be for it too."""

SCENARIOS = Path(__file__).parents[2] / "agents" / "scenarios.py"

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
    """Names and descriptions; of all that is written down also the purpose."""
    functions = [tool["function"] for tool in held_out.TOOLS.values()]
    names = {plain_words(function["name"]) for function in functions}
    purposes = {function["description"].lower().rstrip(".") for function in functions}
    for place, _ in drawn():
        for tool in place.tools:
            assert plain_words(tool["function"]["name"]) not in names
            assert tool["function"].get("description", "").lower().rstrip(".") not in purposes
    for template in written():
        for text in (*template.names, *template.about):
            assert plain_words(text) not in names
            assert text.lower().rstrip(".") not in purposes
            assert not [word for word in HELD_OUT_WORDS if word in text.lower()], text


def plain_words(name: str) -> str:
    """``GetExchangeRate``, ``get_exchange_rate`` and ``get exchange rate`` are one name."""
    return re.sub(r"[\W_]", "", name).lower()


def test_the_words_of_the_held_out_tools_are_theirs() -> None:
    """Each says something about one of them; none is left over."""
    texts = " ".join(
        f"{function['name']} {function['description']}".lower()
        for function in (tool["function"] for tool in held_out.TOOLS.values())
    )
    assert not [word for word in HELD_OUT_WORDS if word not in texts]


def requests_of_the_evaluation() -> set[str]:
    every = cases.load()
    tasks = (*every.single, *every.parallel, *every.chains, *every.failures)
    said = [task.request for task in tasks] + [case.request for case in every.extraction]
    said += [str(talk.turns[0]) for talk in every.no_fitting_tool]
    return {text.casefold() for text in said}


def prompts_of_the_scenarios() -> set[str]:
    """Read, not imported: that would set variables of the environment."""
    found = re.findall(r'^(?:TOOL|PARALLEL|STRUCTURED) = "(.+)"$', SCENARIOS.read_text(), re.M)
    assert len(found) == 3
    return {text.casefold() for text in found}


def test_no_request_of_the_evaluation_or_of_a_scenario_is_trained_on() -> None:
    asked = requests_of_the_evaluation()
    asked |= prompts_of_the_scenarios()
    for _, messages in drawn():
        said = [message["content"] for message in messages if message["role"] == "user"]
        assert not asked & {text.casefold() for text in said}


def test_paraphrases_belong_to_tools_and_tell_all_that_is_required() -> None:
    known = {tool.names[0]: tool for tool in written()}
    for name, asks in tomllib.loads(PARAPHRASES.read_text(encoding="utf-8")).items():
        assert set(asks) <= set(known[name].asks)
        all_is_told(asks, known[name].parameters, forms="!?~@")


def all_is_told(asks: Iterable[str], parameters: Mapping[str, Parameter], forms: str) -> None:
    """By each ask: all that is required, and nothing that is no parameter."""
    required = {own for own, one in parameters.items() if one.required}
    for ask in asks:
        assert ask[0] in forms, ask
        assert set(holes(ask)) <= set(parameters), ask
        assert required <= set(holes(MAYBE.sub("", ask))), ask


def test_plans_link_two_calls_and_tell_all_else_that_is_required() -> None:
    for plan in chains.written():
        title = f"{plan.first.names[0]}, {plan.second.names[0]}"
        assert plan.field in plan.first.fields, title
        assert plan.second.parameters[plan.into].kind.form in ("text", "integer"), title
        told = {f"a_{own}": one for own, one in plan.first.parameters.items()}
        told |= {f"b_{own}": one for own, one in plan.second.parameters.items() if own != plan.into}
        all_is_told(plan.asks, told, forms="!?~")
        for answer in plan.answers:
            assert set(holes(answer)) <= {*told, "link"}, answer


def test_no_two_plans_are_of_the_same_tools() -> None:
    pairs = Counter((plan.first.names[0], plan.second.names[0]) for plan in chains.written())
    assert [pair for pair, times in pairs.items() if times > 1] == []


def test_what_is_refused_is_not_offered() -> None:
    """Even where it has the verb of what is."""
    random = Random(7)
    alike = 0
    for place in (place for place, _ in drawn() if place.kind in ("plain", "chain")):
        tool = refusals.missing(random, place)
        offered = {about for one in place.offered for about in one.tool.about}
        assert not offered & set(tool.about)
        alike += any(one.tool.verb == tool.verb != "" for one in place.offered)
    assert alike > 100


def test_a_request_without_a_tool_is_refused_in_words() -> None:
    random = Random(8)
    for place in (place for place, _ in drawn() if place.kind in ("plain", "bare")):
        request, answer = refusals.unfit(random, place)
        assert request["role"] == "user"
        assert "tool_calls" not in answer
        assert answer["content"] in (refusals.REFUSALS if place.tools else refusals.UNABLE)


def test_the_schema_is_asked_for_in_the_words_of_the_engine() -> None:
    assert records.SCHEMA_PROMPT == SCHEMA_PROMPT


def test_the_tools_are_many_and_every_parameter_is_asked_for() -> None:
    for tool in written():
        text = " ".join(tool.asks)
        assert not [own for own in tool.parameters if f"{{{own}" not in text], tool.names
        assert not set(tool.fields) & set(tool.parameters), tool.names


def asks(random: Random, times: int) -> list[requests.Ask]:
    """Each written tool asked for so many times."""
    return [
        requests.ask(random, offered(random, tool, "snake"))
        for tool in written()
        for _ in range(times)
    ]


def test_two_roles_do_not_hold_one_value() -> None:
    """Who swapped them would never know: "from alto to alto"."""
    random = Random(9)
    asked = asks(random, times=10)
    said = [[str(value.surface) for value in one.values.values()] for one in asked]
    alike = [texts for texts in said if len(set(texts)) < len(texts)]
    assert len(alike) < len(asked) / 1000, alike


def test_a_result_in_json_is_put_into_words() -> None:
    random = Random(10)
    asked = asks(random, times=20)
    outcomes = [results.outcome(random, one) for one in asked]
    assert any(one.content.startswith("{") for one in outcomes)
    assert not [one for one in outcomes if one.answer.startswith(("{", "["))]


def test_the_article_is_that_of_the_value() -> None:
    values = {"size": Value("18", 18), "item": Value("Oak table", "Oak table")}
    text = requests.filled("a {size}-inch screen, a {item}, Vitamin A {item}, a {other}", values)
    assert text == "an 18-inch screen, an Oak table, Vitamin A Oak table, a {other}"


def test_a_call_has_the_order_of_the_schema_and_a_schema_any() -> None:
    random = Random(11)
    orders: dict[str, set[tuple[str, ...]]] = {}
    for one in asks(random, times=12):
        properties = one.offered.definition["function"]["parameters"]["properties"]
        assert list(one.arguments) == [key for key in properties if key in one.arguments]
        orders.setdefault(one.offered.tool.names[0], set()).add(tuple(one.offered.keys))
    several = [tool for tool in written() if len(tool.parameters) > 1]
    shuffled = [tool for tool in several if len(orders[tool.names[0]]) > 1]
    assert len(shuffled) > 0.95 * len(several)
    assert all(len(orders[tool.names[0]]) == 1 for tool in written() if tool.domain == "arithmetic")
