"""Whatever the grammar of a format allows is a call that its parser reads and that validates."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from llguidance import LLTokenizer
from mlx_lm.tokenizer_utils import load as load_tokenizer

from router.engine.grammar.calls import FORMATS
from router.engine.grammar.lark import Lark
from router.engine.grammar.schemas import prepared
from router.events import TextDelta, ToolCallDelta, ToolCallStart
from router.frames import OutputFormat
from router.tests.callspellings import Call, spelt
from router.tests.conftest import MODEL
from router.tests.grammarwalks import accepts, matcher, tokens_of, vocabulary, walk
from router.tests.test_callformats import STYLES
from router.toolcalls import Assembler

STRING, INTEGER, NULL = {"type": "string"}, {"type": "integer"}, {"type": "null"}
NULLABLE = {"anyOf": [STRING, NULL]}
NOTE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "body": NULLABLE,
        "tags": {"type": "array", "items": {"type": "string"}},
        "meta": {"$ref": "#/$defs/meta"},
        "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    },
    "required": ["title"],
    "$defs": {
        "meta": {
            "type": "object",
            "properties": {"count": {"type": "integer"}, "draft": {"type": "boolean"}},
            "required": ["count"],
        }
    },
}


def record(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
    }


SCHEMAS: dict[str, dict[str, Any] | None] = {
    "save_note": NOTE,
    "flat_note": record(
        ["title"], title=STRING, body=NULLABLE, limit={"type": ["integer", "null"]}
    ),
    "titled": record(title=STRING),
    "get_time": None,
    "ping": {"type": "object", "properties": {}, "additionalProperties": False},
    "anything": {"type": "object"},
    "with-dashes": record(None, **{"some-key": STRING}),
    "scalars": record(
        n=INTEGER,
        share={"type": "number", "minimum": 0, "maximum": 1},
        flag={"type": "boolean"},
        nothing=NULL,
    ),
    "optional": record(["b"], a=INTEGER, b={"type": "boolean"}, c=STRING, d=True),
    "all_optional": record([], a=INTEGER, b=STRING),
    "chosen": record(
        unit={"type": "string", "enum": ["celsius", "null", "5", "a b", "x<y", '"q"', " edge "]},
        untyped={"enum": ["red", "true", "7"]},
        mixed={"enum": ["one", 2, None, True]},
        fixed={"const": "always"},
        level={"type": "integer", "enum": [1, 2, 30]},
    ),
    "numbers": record(some={"anyOf": [{"type": "integer", "enum": [4, 5]}, NULL]}),
    "bounded": record(
        short={"type": "string", "minLength": 1, "maxLength": 1},
        long={"type": "string", "minLength": 3, "maxLength": 5},
        capped={"type": "string", "maxLength": 3},
        filled={"type": "string", "minLength": 1},
    ),
    "patterns": record(
        postcode={"type": "string", "pattern": "^[0-9]{5}$"},
        code={"type": "string", "pattern": "^(a|b)[x-z]+/\\d$", "maxLength": 6},
    ),
    "unions": record(
        value={"anyOf": [STRING, INTEGER]},
        word={"type": ["string", "null"]},
        number={"type": ["integer", "boolean", "null"]},
        items={"anyOf": [{"type": "array", "items": INTEGER}, NULL]},
    ),
    "nested": record(
        point=record(x=INTEGER, y=INTEGER),
        people={
            "type": "array",
            "minItems": 1,
            "maxItems": 3,
            "items": record(
                ["name"], name=STRING, flags={"type": "array", "items": {"type": "boolean"}}
            ),
        },
    ),
    "references": {
        **record(
            mode={"$ref": "#/$defs/Mode"},
            name={"$ref": "#/$defs/Name"},
            tree={"$ref": "#/$defs/Tree"},
        ),
        "$defs": {
            "Mode": {"type": "string", "enum": ["fast", "slow"]},
            "Name": {"type": "string", "minLength": 1},
            "Tree": record([], child={"anyOf": [{"$ref": "#/$defs/Tree"}, NULL]}, n=INTEGER),
        },
    },
    "python_words": record(None, **{"from": STRING, "class": {"type": "boolean"}}),
}

TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": name} | ({"parameters": schema} if schema else {})}
    for name, schema in SCHEMAS.items()
]

INFINITE = re.compile(r"[eE]\+?[0-9]{3}")
SPECIAL = (
    *("<tool_call>", "</tool_call>", "<escape>", '<|"|>', "<|open|>", "<|close|>", "<|sep|>"),
    *("<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"),
    *("<longcat_arg_key>", "</longcat_arg_key>", "<longcat_arg_value>", "</longcat_arg_value>"),
    *("<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>"),
    *("[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"),
)
"""Markers that are special tokens of the models that use them."""


@pytest.fixture(scope="module")
def tokenizer(embedded_home: Any) -> Any:
    return load_tokenizer(embedded_home / "models" / MODEL)


@pytest.fixture(scope="module")
def plain(tokenizer: Any) -> LLTokenizer:
    """A vocabulary in which every marker is text."""
    return vocabulary(tokenizer.backend_tokenizer, tokenizer.eos_token)


@pytest.fixture(scope="module")
def marked(tokenizer: Any) -> LLTokenizer:
    return vocabulary(tokenizer.backend_tokenizer, tokenizer.eos_token, SPECIAL)


def grammar(name: str, functions: list[str], vocabulary: LLTokenizer, *, many: bool = False) -> str:
    ids = {text: tokens_of(vocabulary, text) for text in SPECIAL}
    special = {text: found[0] for text, found in ids.items() if len(found) == 1}
    assert len(special) in (0, len(SPECIAL))
    lark = Lark(special)
    schemas = {f: prepared(SCHEMAS[f] or record()) for f in functions}
    return lark.grammar(FORMATS[name].section(lark, schemas, many=many))


def assemble(name: str, section: str) -> tuple[list[tuple[str, Any]], str, int]:
    """The calls of a section, the text beside them, and how many were malformed."""
    style = STYLES[name]
    transitions = {"content": [(style.start, "tool")], "tool": [(style.end, "content")]}
    assembler = Assembler(OutputFormat(transitions=transitions, tool_parser=name), TOOLS)
    events = assembler.feed(f"{style.start}{section}{style.end}") + assembler.finish("stop")
    names = [event.name for event in events if isinstance(event, ToolCallStart)]
    arguments = ["" for _ in names]
    for event in events:
        if isinstance(event, ToolCallDelta):
            arguments[event.index] += event.arguments
    calls = list(zip(names, map(json.loads, arguments), strict=True))
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    return calls, text, assembler.malformed


def test_every_format_has_its_grammar() -> None:
    assert FORMATS.keys() == STYLES.keys()


def finite_walk(vocabulary: LLTokenizer, grammar: str, rng: random.Random) -> str:
    """JSON has numbers like 1e999, but no reader has a place for them."""
    while INFINITE.search(section := walk(vocabulary, grammar, rng)):
        pass
    return section


@pytest.mark.parametrize("function", SCHEMAS)
@pytest.mark.parametrize("name", FORMATS)
def test_a_random_call(name: str, function: str, plain: LLTokenizer, marked: LLTokenizer) -> None:
    rng = random.Random(f"{name} {function}")
    for known in (plain, marked):
        section = finite_walk(known, grammar(name, [function], known), rng)
        calls, beside, malformed = assemble(name, section)
        assert [called for called, _ in calls] == [function], section
        assert (beside, malformed) == ("", 0), section
        Draft202012Validator(SCHEMAS[function] or {}).validate(calls[0][1])


@pytest.mark.parametrize("name", [name for name in FORMATS if FORMATS[name].between is not None])
def test_several_random_calls_of_one_section(name: str, marked: LLTokenizer) -> None:
    rng = random.Random(name)
    offered = [*SCHEMAS][:4]
    text = grammar(name, offered, marked, many=True)
    counts = set()
    for _ in range(8):
        section = finite_walk(marked, text, rng)
        calls, beside, malformed = assemble(name, section)
        assert (beside, malformed) == ("", 0), section
        for called, arguments in calls:
            assert called in offered
            Draft202012Validator(SCHEMAS[called] or {}).validate(arguments)
        counts.add(len(calls))
    assert max(counts) > 1


# --- the spelling of each family --------------------------------------------------------


TRICKY = 'first "quoted"\n\tit\'s {a} [b] \\n <c> & é 🦊'
FULL: dict[str, Any] = {
    "title": TRICKY,
    "body": "75001",
    "tags": ["a, b", 'c"}'],
    "meta": {"count": 2, "draft": True},
    "limit": None,
}
FLAT: dict[str, Any] = {"title": TRICKY.replace("{a}", ""), "body": "75001", "limit": 12}


def example(name: str) -> Call:
    return ("save_note", FULL) if STYLES[name].nested else ("flat_note", FLAT)


@pytest.mark.parametrize("name", FORMATS)
def test_the_spelling_of_the_family(name: str, plain: LLTokenizer, marked: LLTokenizer) -> None:
    calls = [example(name), ("get_time", {})]
    if FORMATS[name].between is None:
        calls = calls[:1]
    section = spelt(name, *calls)
    assert assemble(name, section) == (calls, "", 0)
    # Only Mistral models that have a token for it write [ARGS].
    for known in [marked] if name == "mistral" else [plain, marked]:
        functions = [called for called, _ in calls]
        assert accepts(known, grammar(name, functions, known, many=True), section)
        if len(calls) > 1:
            assert not accepts(known, grammar(name, functions, known), section)


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_no_call_of_an_offered_function(name: str, marked: LLTokenizer) -> None:
    function, arguments = example(name)
    text = grammar(name, [function, "get_time"], marked)
    wrong: list[Call] = [
        ("get_times", {}),
        ("save", arguments),
        (function, {}),
        (function, {"body": "only what may be left out"}),
        (function, arguments | {"extra": 1}),
        (function, arguments | {"limit": 1.5}),
        (function, arguments | {"limit": True}),
        ("get_time", {"title": "x"}),
    ]
    assert accepts(marked, text, spelt(name, (function, arguments)))
    for call in wrong:
        assert not accepts(marked, text, spelt(name, call)), call


@pytest.mark.parametrize(
    "name",
    [name for name in FORMATS if any(mark in spelt(name, example(name)) for mark in SPECIAL)],
)
def test_special_tokens_are_matched_as_tokens(name: str, marked: LLTokenizer) -> None:
    function, arguments = example(name)
    section = spelt(name, (function, arguments))
    spelt_out = [token for character in section for token in tokens_of(marked, character)]
    assert marked.decode_str(spelt_out) == section
    state = matcher(marked, grammar(name, [function], marked))
    assert state.validate_tokens(tokens_of(marked, section)) == len(tokens_of(marked, section))
    assert state.validate_tokens(spelt_out) < len(spelt_out)


IN_JSON = {
    "function_gemma": {"save_note", "with-dashes", "optional", "unions", "nested", "references"},
    "gemma4": {"optional", "references"},
    "minicpm5": {"numbers"},
    "minimax_m2": {"numbers"},
    "pythonic": {"with-dashes", "python_words"},
    "qwen3_coder": {"numbers"},
}
"""Functions that the format, as its parser reads it, cannot call: they are called in JSON."""


@pytest.mark.parametrize("name", sorted({*FORMATS} - {"json_tools", "kimi_k2", "mistral"}))
def test_which_functions_are_called_in_json(name: str, plain: LLTokenizer) -> None:
    in_json = {
        function
        for function in SCHEMAS
        if walk(plain, grammar(name, [function], plain), random.Random(1)).startswith('{"name"')
    }
    assert in_json == IN_JSON.get(name, set()) | {"anything"}


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("qwen3_coder", "NULL", None),
        ("qwen3_coder", "nullable", "nullable"),
        ("qwen3_coder", "a</parameter>b", None),
        ("minimax_m2", " null ", None),
        ("minimax_m2", "a</invoke>b", None),
        ("minimax_m2", "a</invoice>b", "a</invoice>b"),
        ("minicpm5", "<![CDATA[null]]>", None),
        ("minicpm5", "<![CDATA[a</function>b]]>", None),
        ("minicpm5", "<![CDATA[<b>&\n]]>", "<b>&\n"),
        ("minicpm5", "5 & 6", "5 & 6"),
        ("minicpm5", "<b>", None),
        ("glm47", "null", "null"),
        ("glm47", "75001", "75001"),
        ("muse_spark", "true", None),
        ("muse_spark", ' {"a": 1}', None),
        ("muse_spark", '"{\\"a\\": 1}"', '{"a": 1}'),
        ("muse_spark", "truely", "truely"),
        ("muse_spark", "75001", "75001"),
        ("kimi_k3", "null", "null"),
        ("function_gemma", "a}b", None),
        ("function_gemma", "a{b", "a{b"),
        ("gemma4", "{a:[}", "{a:[}"),
    ],
)
def test_texts_that_are_read_as_they_are_meant(
    name: str, value: str, read: str | None, plain: LLTokenizer
) -> None:
    """``read`` None: the parser would take it for something else, so it cannot be written."""
    section = spelt(name, ("titled", {"title": value}))
    if name == "minicpm5":
        section = f'"titled"><param name="title">{value}</param>'
    assert accepts(plain, grammar(name, ["titled"], plain), section) == (read is not None)
    if read is not None:
        assert assemble(name, section) == ([("titled", {"title": read})], "", 0)


def test_kimi_k3_states_the_type_of_a_value(plain: LLTokenizer) -> None:
    section = spelt("kimi_k3", ("titled", {"title": '"x"'}))
    text = grammar("kimi_k3", ["titled"], plain)
    assert accepts(plain, text, section)
    assert not accepts(plain, text, section.replace('type="string"', 'type="number"'))
