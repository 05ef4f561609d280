import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

import router

FOLDER = Path(router.__file__).parent / "templates"
FAMILIES = sorted(path.stem for path in FOLDER.glob("*.jinja"))

CHAT: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello!"},
    {"role": "user", "content": "Bye"},
]
EXPECTED = {
    "chatml": "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
    "<|im_start|>assistant\nHello!<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n"
    "<|im_start|>assistant\n",
    "gemma": "<s><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\n"
    "Hello!<end_of_turn>\n<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n",
    "llama3": "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\nHello!<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "mistral": "<s>[INST] Be brief.\n\nHi[/INST] Hello!</s>[INST] Bye[/INST]",
    "phi3": "<|system|>\nBe brief.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\nHello!<|end|>\n"
    "<|user|>\nBye<|end|>\n<|assistant|>\n",
    "zephyr": "<|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\nHello!</s>\n"
    "<|user|>\nBye</s>\n<|assistant|>\n",
}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a <city>, e.g. Zürich",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def call(name: str, arguments: object) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": "call_1", "type": "function", "function": function}


def raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)


def tojson(value: object, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, **options)


@pytest.fixture
def render() -> Callable[..., str]:
    """Renders as transformers' ``apply_chat_template`` does."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception

    def render(family: str, messages: list[dict[str, Any]], **options: Any) -> str:
        source = (FOLDER / f"{family}.jinja").read_text(encoding="utf-8")
        settings = {"bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True}
        template = environment.from_string(source)
        return template.render(messages=messages, **(settings | options))

    return render


def test_every_shipped_family_is_tested() -> None:
    assert sorted(EXPECTED) == FAMILIES


@pytest.mark.parametrize("family", FAMILIES)
def test_a_chat(family: str, render: Callable[..., str]) -> None:
    assert render(family, CHAT) == EXPECTED[family]


@pytest.mark.parametrize("family", FAMILIES)
def test_each_turn_extends_the_prompt_before_it(family: str, render: Callable[..., str]) -> None:
    """Otherwise the KV cache of a conversation is worth nothing at its next turn."""
    full = render(family, CHAT)
    for end in (2, 3):
        assert full.startswith(render(family, CHAT[:end], add_generation_prompt=False))
    assert full.startswith(render(family, CHAT[:2]))


@pytest.mark.parametrize("family", FAMILIES)
def test_parts_and_developer_read_like_text_and_system(
    family: str, render: Callable[..., str]
) -> None:
    parts = [{"type": "text", "text": "Be "}, {"type": "text", "text": "brief."}]
    messages = [{"role": "developer", "content": parts}, *CHAT[1:]]
    assert render(family, messages) == EXPECTED[family]


@pytest.mark.parametrize("family", FAMILIES)
def test_no_content_is_no_text(family: str, render: Callable[..., str]) -> None:
    messages = [*CHAT[:2], {"role": "assistant", "content": None}, CHAT[3]]
    assert "None" not in render(family, messages)
    assert "None" not in render(family, messages, bos_token=None)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_system_message_alone_is_not_lost(family: str, render: Callable[..., str]) -> None:
    assert "Be brief." in render(family, CHAT[:1])


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "chatml"])
@pytest.mark.parametrize(
    "message",
    [
        {"role": "tool", "content": "1", "tool_call_id": "call_1"},
        {"role": "assistant", "content": None, "tool_calls": [call("f", {})]},
    ],
)
def test_a_family_without_tools_says_so(
    family: str, message: dict[str, Any], render: Callable[..., str]
) -> None:
    with pytest.raises(jinja2.TemplateError, match=f"{family} template has no form for tool calls"):
        render(family, [*CHAT, message])


def test_chatml_offers_tools_after_the_system_text(render: Callable[..., str]) -> None:
    text = render("chatml", CHAT[:2], tools=[WEATHER, WEATHER])
    system, rest = text.split("<|im_end|>\n", 1)
    assert system.startswith("<|im_start|>system\nBe brief.\n\n")
    assert system.count("<tools>\n" + tojson(WEATHER["function"])) == 1
    assert system.count(tojson(WEATHER["function"]) + "\n</tools>") == 1
    assert rest == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def test_chatml_offers_tools_without_a_system_message(render: Callable[..., str]) -> None:
    text = render("chatml", CHAT[1:2], tools=[WEATHER])
    assert text.startswith("<|im_start|>system\nYou can call functions.")
    assert text.count("<|im_start|>") == 3


@pytest.mark.parametrize("arguments", [{"city": "Zürich"}, '{"city": "Zürich"}'])
def test_chatml_writes_calls_and_results(arguments: object, render: Callable[..., str]) -> None:
    calls = [call("get_weather", arguments), call("now", "")]
    messages = [
        *CHAT[1:2],
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "content": "rain"},
        {"role": "tool", "content": [{"type": "text", "text": "noon"}]},
        {"role": "assistant", "content": "It rains."},
    ]
    first = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Zürich"}}\n</tool_call>'
    second = '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>'
    assert render("chatml", messages, add_generation_prompt=False) == (
        "<|im_start|>user\nHi<|im_end|>\n"
        f"<|im_start|>assistant\n{first}\n{second}<|im_end|>\n"
        "<|im_start|>user\n<tool_response>\nrain\n</tool_response>\n"
        "<tool_response>\nnoon\n</tool_response><|im_end|>\n"
        "<|im_start|>assistant\nIt rains.<|im_end|>\n"
    )


def test_chatml_keeps_text_before_a_call(render: Callable[..., str]) -> None:
    message = {"role": "assistant", "content": "Let me see.", "tool_calls": [call("now", {})]}
    text = render("chatml", [*CHAT[:2], message], add_generation_prompt=False)
    assert "assistant\nLet me see.\n<tool_call>\n" in text


def test_mlx_lm_can_tell_the_format_of_chatml_calls() -> None:
    """It looks for these two strings in a template to choose its ``json_tools`` parser."""
    source = (FOLDER / "chatml.jinja").read_text(encoding="utf-8")
    assert "<tool_call>" in source
    assert "tool_call.name" in source
