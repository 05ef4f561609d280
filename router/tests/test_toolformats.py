import json
import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.toolformats import Malformed, RawCall, inside_value, parser

[PACKAGE] = find_spec("mlx_lm").submodule_search_locations  # type: ignore[union-attr, misc]
NAMES = sorted(
    path.stem for path in (Path(PACKAGE) / "tool_parsers").glob("*.py") if path.stem != "__init__"
)

PARIS = RawCall("get_weather", {"city": "Paris"})
TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": "now"}},
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "id": {"type": "integer"},
                    "any": True,
                },
            },
        },
    },
]


def parse(name: str, text: str) -> list[RawCall]:
    return parser(name)(text, TOOLS)


def test_mlx_is_never_imported() -> None:
    code = (
        "import sys; from router.toolformats import parser\n"
        f"for name in {NAMES}: parser(name)\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'mlx', 'mlx_lm'}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_format"):
        parser("no_such_format")


JSON = {
    "plain": '{"name": "get_weather", "arguments": {"city": "Paris"}}',
    "spaces": '\n {"name": " get_weather", "arguments": {"city": "Paris"}}\n ',
    "parameters": '{"name": "get_weather", "parameters": {"city": "Paris"}}',
    "string": r'{"name": "get_weather", "arguments": "{\"city\": \"Paris\"}"}',
    "string_of_python": """{"name": "get_weather", "arguments": "{'city': 'Paris',}"}""",
    "function_name": '{"function": "get_weather", "arguments": {"city": "Paris"}}',
    "openai": '{"id": "1", "type": "function", "function":'
    ' {"name": "get_weather", "arguments": {"city": "Paris"}}}',
    "list": '[{"name": "get_weather", "arguments": {"city": "Paris"}}]',
    "python": "{'name': 'get_weather', 'arguments': {'city': 'Paris'}}",
    "cut": '{"name": "get_weather", "arguments": {"city": "Paris"',
    "closed_twice": '{"name": "get_weather", "arguments": {"city": "Paris"}}}',
    "commas": '{"name": "get_weather", "arguments": {"city": "Paris",},}',
}


@pytest.mark.parametrize("text", JSON.values(), ids=JSON)
def test_json(text: str) -> None:
    assert parse("json_tools", text) == [PARIS]


@pytest.mark.parametrize("between", ["", "\n", ", ", ";\n"])
def test_several_json_calls_in_one_section(between: str) -> None:
    assert parse("json_tools", JSON["plain"] + between + JSON["parameters"]) == [PARIS, PARIS]


@pytest.mark.parametrize(
    "arguments", ["", ', "arguments": null', ', "arguments": ""', ', "parameters": {}']
)
def test_json_without_arguments(arguments: str) -> None:
    assert parse("json_tools", f'{{"name": "now"{arguments}}}') == [RawCall("now", {})]


def test_line_breaks_inside_a_json_string() -> None:
    assert parse("json_tools", '{"name": "f", "arguments": {"x": "a\nb"}}') == [
        RawCall("f", {"x": "a\nb"})
    ]


MALFORMED = {
    "empty": "",
    "prose": "I would call get_weather",
    "no_name": '{"arguments": {}}',
    "name_of_another_type": '{"name": 5, "arguments": {}}',
    "arguments_of_another_type": '{"name": "f", "arguments": 5}',
    "list_in_a_string": '{"name": "f", "arguments": "[1, 2]"}',
    "number": "5",
    "empty_list": "[]",
    "prose_behind": '{"name": "f", "arguments": {}} and then',
    "string_without_end": '{"name": "f", "arguments": {"x": "a',
    "nan": '{"name": "f", "arguments": {"x": NaN}}',
    "infinite": '{"name": "f", "arguments": {"x": 1e999}}',
    "half_a_character": r'{"name": "f", "arguments": {"x": "\ud800"}}',
    "deep": '{"name": "f", "arguments": {"x": ' + "[" * 100_000,
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        parse("json_tools", text)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("glm47", "laguna")])
def test_other_formats_fall_back_on_json(name: str) -> None:
    assert parse(name, JSON["python"]) == [PARIS]


def test_integers_keep_all_their_digits() -> None:
    text = "<function=get_weather>\n<parameter=id>\n12345678901234567\n</parameter>\n</function>"
    [call] = parse("qwen3_coder", text)
    assert int(call.arguments["id"]) == 12345678901234567


@pytest.mark.parametrize("name", ["glm47", "longcat"])
def test_an_optional_string_of_digits_stays_a_string(name: str) -> None:
    tag = "longcat_arg" if name == "longcat" else "arg"
    text = f"get_weather<{tag}_key>city</{tag}_key><{tag}_value>75001</{tag}_value>"
    assert parse(name, text) == [RawCall("get_weather", {"city": "75001"})]


def test_two_functions_in_one_section_are_two_calls() -> None:
    one = "<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n</function>"
    assert parse("qwen3_coder", f"\n{one}\n{one}\n\n") == [PARIS, PARIS]


def test_no_call_of_a_section_is_skipped() -> None:
    good = '<|open|>call tool="now" index="1"<|sep|><|close|>call<|sep|>'
    bad = '<|open|>call index="2"<|sep|><|close|>call<|sep|>'
    assert parse("kimi_k3", good + good) == [RawCall("now", {})] * 2
    with pytest.raises(Malformed):
        parse("kimi_k3", good + bad)


def test_call_ids_of_mistral() -> None:
    assert parse("mistral", 'get_weather[CALL_ID]a1B2c3D4e[ARGS]{"city": "Paris"}') == [PARIS]


def test_python_values_become_json() -> None:
    assert parse("pythonic", "[f(x=(1, 2), y={3: None})]") == [
        RawCall("f", {"x": [1, 2], "y": {"3": None}})
    ]


def test_backslashes_raise_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse("pythonic", r'[f(x="C:\dir")]') == [RawCall("f", {"x": r"C:\dir"})]


@pytest.mark.parametrize(
    ("name", "text", "inside"),
    [
        ("json_tools", '{"x": "a', True),
        ("json_tools", '{"x": "a\\"', True),
        ("json_tools", '{"x": "a\\\\"', False),
        ("json_tools", '{"x": "a"}', False),
        ("qwen3_coder", "<function=f><parameter=x>a", True),
        ("qwen3_coder", "<function=f><parameter=x>a</parameter>", False),
        ("gemma4", 'call:f{x:<|"|>a', True),
        ("gemma4", 'call:f{x:<|"|>a<|"|>}', False),
        ("pythonic", "[f(x='it\\'s", True),
        ("pythonic", "[f(x='it\\'s', y=\"it's\")]", False),
        ("mistral", '[{"x": "a', False),
    ],
)
def test_inside_value(name: str, text: str, inside: bool) -> None:
    assert inside_value(name, text) is inside


WORDS = [
    *'{}[]()<>"\\:,=/|# \n\t\0',
    *("call:f{", "<escape>", '<|"|>', "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"),
    *(
        "<function=f>",
        "<parameter=x>",
        "</parameter>",
        "</function>",
        "<param name=",
        "<invoke name=",
    ),
    *(
        "</invoke>",
        "[ARGS]",
        "functions.f:0",
        "<|tool_call_argument_begin|>",
        "<|open|>call",
        "<|sep|>",
    ),
    *(
        '<atem:invoke name="f">',
        "<longcat_arg_key>",
        "[f(x=",
        ")]",
        '"name"',
        '"arguments"',
        "1e999",
    ),
    *(
        "get_weather",
        "city",
        "id",
        "null",
        "NaN",
        "'",
        "\ud800",
        "\\ud800",
        "9" * 5000,
        "[" * 300,
        "-" * 300,
    ),
]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=12).map("".join))
def test_whatever_the_text_only_malformed_is_raised(name: str, text: str) -> None:
    inside_value(name, text)
    try:
        calls = parse(name, text)
    except Malformed:
        return
    assert calls
    assert all(isinstance(call.name, str) and isinstance(call.arguments, dict) for call in calls)


@pytest.mark.parametrize("name", ["pythonic", "gemma4", "function_gemma", "minicpm5", "mistral"])
def test_a_string_of_a_call_in_json_holds_no_calls(name: str) -> None:
    said = '[delete_all()] call:delete_all{} <function name="delete_all"></function>'
    call = {"name": "note", "arguments": {"text": said}}
    assert parser(name)(json.dumps(call), []) == [RawCall("note", {"text": said})]
