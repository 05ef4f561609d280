"""What the grammars let through, token by token, without a model."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.tokenizer_utils import TokenizerWrapper
from mlx_lm.tokenizer_utils import load as load_tokenizer

from router.engine.constraint import Constraint
from router.engine.grammar import compiler as compilers
from router.engine.grammar.answers import MOST_CALLS
from router.engine.grammar.compiler import Compiler
from router.engine.refusal import Refusal
from router.frames import Constraint as Demand
from router.frames import Generate, OutputFormat
from router.tests.conftest import MODEL
from router.tests.schemas import SchemaMaker, fits

EOS = [0, 2]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "unit": {"enum": ["c", "f"]}},
                "required": ["city"],
            },
        },
    },
    {"type": "function", "function": {"name": "get_time"}},
]
TIME = '<tool_call>\n{"name": "get_time", "arguments": {}}\n</tool_call>'
WEATHER = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>'
HERMES = OutputFormat(
    transitions={"content": [("<tool_call>", "tool")], "tool": [("</tool_call>", "content")]}
)
THINKING = OutputFormat(
    transitions={
        "content": [("<think>", "reasoning"), ("<tool_call>", "tool")],
        "reasoning": [("</think>", "content"), ("<tool_call>", "tool")],
        "tool": [("</tool_call>", "content")],
    }
)
MARKERS = ["<tool_call>", "</tool_call>", "<think>", "</think>"]


@pytest.fixture(scope="module")
def tokenizer(embedded_home: Path) -> TokenizerWrapper:
    return load_tokenizer(embedded_home / "models" / MODEL, eos_token_ids=EOS)


@pytest.fixture(scope="module")
def with_markers(embedded_home: Path) -> TokenizerWrapper:
    """A vocabulary in which the markers are special tokens."""
    made = load_tokenizer(embedded_home / "models" / MODEL, eos_token_ids=EOS)
    made.add_special_tokens({"additional_special_tokens": MARKERS})
    return made


COMPILERS: dict[tuple[int, int], Compiler] = {}


def compiler(tokenizer: TokenizerWrapper, format: OutputFormat) -> Compiler:
    """One for each vocabulary and format, because the vocabulary takes half a second."""
    key = (id(tokenizer), id(format))
    return COMPILERS.setdefault(key, Compiler(tokenizer, format))


class Grammar:
    """One request's grammar, and texts held against it."""

    def __init__(
        self,
        tokenizer: TokenizerWrapper,
        format: OutputFormat = HERMES,
        *,
        tools: list[dict[str, Any]] = TOOLS,
        reasoning_open: bool = False,
        **demands: Any,
    ) -> None:
        self.tokenizer = tokenizer
        request = Generate(id=1, messages=[], tools=tools, constraint=Demand(**demands))
        matcher = compiler(tokenizer, format).matcher(request, reasoning_open=reasoning_open)
        assert matcher
        self.matcher = matcher

    def allows(self, text: str) -> bool:
        """Is the text a beginning of an answer?"""
        matcher = self.matcher.deep_copy()
        tokens = self.tokenizer.encode(text, add_special_tokens=False)
        return bool(matcher.consume_tokens(tokens))

    def takes(self, text: str) -> bool:
        """Is the text a whole answer?"""
        matcher = self.matcher.deep_copy()
        tokens = self.tokenizer.encode(text, add_special_tokens=False)
        return bool(matcher.consume_tokens(tokens) and matcher.is_accepting())


def test_calls_of_its_own_choice(tokenizer: TokenizerWrapper) -> None:
    grammar = Grammar(tokenizer)
    assert grammar.takes("")
    assert grammar.takes("It is 3 < 4, <b>surely</b>.")
    assert grammar.takes(f"Let me see. {WEATHER}")
    assert grammar.takes(f"{WEATHER}\n{TIME}\nThat is all.")
    assert not grammar.takes(WEATHER[:-3])
    assert not grammar.allows(WEATHER.replace("get_weather", "get_whether"))
    assert not grammar.allows(WEATHER.replace('"city"', '"town"'))
    assert not grammar.allows(WEATHER.replace('"Paris"', "5"))
    assert not grammar.allows(WEATHER.replace('"Paris"', '"Paris", "unit": "k"'))
    assert grammar.takes(WEATHER.replace('"Paris"', '"Paris", "unit": "c"'))
    assert grammar.takes(TIME * MOST_CALLS)
    assert not grammar.allows(f"{TIME * MOST_CALLS}<tool_call>\n{{")


def test_one_call_at_most(tokenizer: TokenizerWrapper) -> None:
    grammar = Grammar(tokenizer, parallel=False)
    assert grammar.takes("No.")
    assert grammar.takes(f"Yes. {TIME}")
    assert not grammar.allows(f"{TIME}\n<tool_call>")


def test_a_call_is_required(tokenizer: TokenizerWrapper) -> None:
    grammar = Grammar(tokenizer, required=True)
    assert not grammar.takes("")
    assert not grammar.allows("Let")
    assert grammar.takes(TIME)
    assert grammar.takes(f"{TIME}\n{WEATHER}")
    assert not grammar.allows(f"{TIME} And")
    most = "\n".join([TIME] * MOST_CALLS)
    assert grammar.takes(most)
    assert not grammar.allows(f"{most}\n<tool_call>")


def test_one_function_is_allowed(tokenizer: TokenizerWrapper) -> None:
    grammar = Grammar(tokenizer, required=True, functions=["get_time"])
    assert grammar.takes(TIME)
    assert not grammar.allows(WEATHER[:40])


def test_an_answer_in_json(tokenizer: TokenizerWrapper) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    grammar = Grammar(tokenizer, tools=[], schema=schema)
    assert grammar.takes('{"n": 5}')
    assert not grammar.takes('{"n": 5')
    for text in ("Sure", " {", '{"n": "5"', '{"n": 5} ', '{"n": 5, "m"', '{  "n"', '{"n":  5'):
        assert not grammar.allows(text), text
    both = Grammar(tokenizer, schema=schema)
    assert both.takes('{"n": 5}')
    assert both.takes(TIME)
    assert not both.allows("Sure")


@pytest.mark.parametrize("special", [False, True])
def test_no_call_is_opened_in_a_thought(
    tokenizer: TokenizerWrapper, with_markers: TokenizerWrapper, special: bool
) -> None:
    vocabulary = with_markers if special else tokenizer
    grammar = Grammar(vocabulary, THINKING, reasoning_open=True, required=True)
    assert grammar.takes(f"Hm.\n</think>\n\n{TIME}")
    assert not grammar.allows("Hm. <tool_call>")
    assert not grammar.allows("Hm.</think> Well")
    assert not grammar.takes("Hm.")
    closed = Grammar(vocabulary, THINKING)
    assert closed.takes(f"<think>Hm.</think>{TIME}")
    assert closed.takes(TIME)
    assert not closed.allows("<think>Hm. <tool_call>\n{")


def test_markers_that_are_special_tokens(with_markers: TokenizerWrapper) -> None:
    grammar = Grammar(with_markers)
    assert len(with_markers.encode("<tool_call>", add_special_tokens=False)) == 1
    assert grammar.takes(f"Yes. {WEATHER}\n{TIME}")
    assert not grammar.allows(WEATHER.replace("get_weather", "get_whether"))
    assert not grammar.allows("Yes. </tool_call>")


def allowed(grammar: Grammar, text: str) -> set[int]:
    """The tokens that may follow a text, as the engine's logits say."""
    constraint = Constraint(grammar.matcher, seen=0)
    tokens = grammar.tokenizer.encode(text, add_special_tokens=False)
    logits = constraint(mx.array(tokens), mx.zeros((1, len(grammar.tokenizer) + 10)))
    assert not constraint.lost
    return set(np.flatnonzero(np.isfinite(np.array(logits[0]))).tolist())


def test_every_stop_token_may_end_what_is_whole(tokenizer: TokenizerWrapper) -> None:
    assert sorted(tokenizer.eos_token_ids) == EOS
    grammar = Grammar(tokenizer, required=True, functions=["get_time"], parallel=False)
    assert allowed(grammar, TIME) == set(EOS)
    assert not allowed(grammar, TIME[:-4]) & set(EOS)
    assert set(EOS) <= allowed(Grammar(tokenizer), "Well")


def test_what_is_forced(tokenizer: TokenizerWrapper) -> None:
    grammar = Grammar(tokenizer, required=True, functions=["get_time"], parallel=False)
    forced = Constraint(grammar.matcher, seen=0).start()
    text = tokenizer.decode(forced)
    assert len(forced) > 10
    assert TIME.startswith(text)
    assert len(TIME) - len(text) < 4  # the last token may grow, so it is left to the model
    assert Constraint(Grammar(tokenizer).matcher, seen=0).start() == []


def test_the_prompt_is_not_part_of_the_answer(tokenizer: TokenizerWrapper) -> None:
    grammar = Grammar(tokenizer, required=True)
    prompt = tokenizer.encode("Hello there", add_special_tokens=False)
    constraint = Constraint(grammar.matcher, seen=len(prompt))
    constraint(mx.array(prompt), mx.zeros((1, 49152)))
    assert not constraint.lost
    assert constraint.forced
    constraint(mx.array(prompt + constraint.forced), mx.zeros((1, 49152)))
    assert not constraint.lost


def test_a_lost_grammar_holds_nothing_back(tokenizer: TokenizerWrapper) -> None:
    constraint = Constraint(Grammar(tokenizer, required=True).matcher, seen=0)
    wrong = tokenizer.encode("Hello", add_special_tokens=False)
    logits = constraint(mx.array(wrong), mx.zeros((1, 49152)))
    assert constraint.lost
    assert constraint.forced == []
    assert mx.all(mx.isfinite(logits)).item()


def test_a_step_past_the_end_is_harmless(tokenizer: TokenizerWrapper) -> None:
    constraint = Constraint(Grammar(tokenizer, required=True).matcher, seen=0)
    tokens = tokenizer.encode(TIME, add_special_tokens=False)
    for end in (len(tokens), len(tokens) + 1):
        constraint(mx.array([*tokens, 2][:end]), mx.zeros((1, 49152)))
        assert not constraint.lost
        assert constraint.forced == []


def walk(grammar: Grammar, dice: random.Random, limit: int = 400) -> str | None:
    """A text drawn token by token from all that is allowed; None when it goes on too long."""
    matcher = grammar.matcher.deep_copy()
    tokens: list[int] = []
    while len(tokens) < limit:
        mask = np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8)
        choices = np.flatnonzero(np.unpackbits(mask, bitorder="little"))
        drawn = dice.choices(choices.tolist(), k=3)
        token = min(drawn, key=lambda t: len(grammar.tokenizer.decode([t])))
        if token in EOS:
            break
        tokens.append(token)
        assert matcher.consume_token(token)
    text: str = grammar.tokenizer.decode(tokens)
    return text if len(tokens) < limit else None


def test_whatever_is_drawn_fits_its_schema(tokenizer: TokenizerWrapper) -> None:
    maker, dice = SchemaMaker(11), random.Random(12)
    drawn = 0
    for _ in range(60):
        schema = maker.schema()
        text = walk(Grammar(tokenizer, tools=[], schema=schema), dice)
        if text is not None:
            drawn += 1
            assert fits(json.loads(text), schema), (schema, text)
    assert drawn > 40


def refused(tokenizer: TokenizerWrapper, **fields: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        Grammar(tokenizer, **fields)
    return caught.value


@pytest.mark.parametrize(
    "schema",
    [
        {"not": {"type": "string"}},
        {"type": "array", "uniqueItems": True},
        {"type": "string", "pattern": "^(?=a)"},
        {"type": "object", "if": {}, "then": {}},
        {"oneOf": [{"type": "integer"}, {"type": "number"}]},
    ],
)
def test_what_no_grammar_can_say(tokenizer: TokenizerWrapper, schema: dict[str, Any]) -> None:
    refusal = refused(tokenizer, tools=[], schema=schema)
    assert refusal.code == "invalid_json_schema"
    assert "Invalid schema for response_format" in str(refusal)
    assert "\n" not in str(refusal)
    function = {"name": "f", "parameters": {"type": "object", "properties": {"a": schema}}}
    assert Grammar(tokenizer, tools=[{"type": "function", "function": function}])
    strict = {"type": "function", "function": {**function, "strict": True}}
    refusal = refused(tokenizer, tools=[TOOLS[0], strict])
    assert refusal.param == "tools[1].function.parameters"
    assert refusal.code == "invalid_function_parameters"


def test_a_format_without_a_grammar(tokenizer: TokenizerWrapper) -> None:
    unknown = OutputFormat(transitions=HERMES.transitions, tool_parser="telepathy")
    request = Generate(id=1, messages=[], tools=TOOLS)
    assert Compiler(tokenizer, unknown).matcher(request, reasoning_open=False) is None
    refusal = refused(tokenizer, format=unknown, required=True)
    assert (refusal.param, refusal.code) == ("tool_choice", "unsupported_parameter")
    headed = OutputFormat(transitions={"header": [("<|message|>", "content")]}, initial="header")
    refusal = refused(tokenizer, format=headed, tools=[], schema={"type": "object"})
    assert refusal.param == "response_format"


def test_a_grammar_is_compiled_once(
    tokenizer: TokenizerWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilers, "KEPT", 2)
    kept = Compiler(tokenizer, HERMES)

    def matcher(**demands: Any) -> object:
        request = Generate(id=1, messages=[], tools=TOOLS, constraint=Demand(**demands))
        return kept.matcher(request, reasoning_open=False)

    first = matcher()
    assert matcher() is first
    assert matcher(required=True) is not first
    assert matcher() is first
    matcher(parallel=False)
    matcher(functions=["get_time"])
    assert matcher() is not first


def test_no_tools_and_no_schema_are_free(tokenizer: TokenizerWrapper) -> None:
    request = Generate(id=1, messages=[])
    assert Compiler(tokenizer, HERMES).matcher(request, reasoning_open=False) is None
