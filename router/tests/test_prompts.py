from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mlx_lm.tokenizer_utils import TokenizerWrapper
from mlx_lm.tokenizer_utils import load as load_tokenizer
from tokenizers.processors import TemplateProcessing

from router.engine.model import output_format, template_knows_tools
from router.engine.prompts import Prompter
from router.engine.refusal import Refusal
from router.frames import Generate, ModelInfo, Sampling
from router.tests.conftest import MODEL

STRICT = """\
{%- if messages[0].role == 'system' %}[S]{{ messages[0].content }}{% endif %}
{%- for m in messages %}
{%- if m.role == 'system' and not loop.first %}
{{- raise_exception('system must be first') }}{% endif %}
{%- if m.role != 'system' %}[{{ m.role }}]{{ m.content }}{% endif %}
{%- endfor %}"""

NO_SYSTEM = """\
{%- for m in messages %}
{%- if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}
{%- if not loop.first and m.role == messages[loop.index0 - 1].role %}
{{- raise_exception('roles must alternate') }}{% endif %}[{{ m.role }}]{{ m.content }}
{%- endfor %}"""

WITH_TOOLS = """\
{%- if tools %}[T]{% for t in tools %}{{ t.function.name }}{% endfor %}{% endif %}
{%- for m in messages %}[{{ m.role }}]{{ m.content }}
{%- for c in m.tool_calls or [] %}({{ c.function.name }}:
{%- for k, v in c.function.arguments.items() %}{{ k }}={{ v }};{% endfor %}){% endfor %}
{%- endfor %}"""

CALL: dict[str, Any] = {
    "id": "c1",
    "type": "function",
    "function": {"name": "f", "arguments": '{"a": 1}'},
}
TOOL = {"type": "function", "function": {"name": "f", "description": "does f"}}


@pytest.fixture(scope="module")
def tokenizer_for(embedded_home: Path) -> Any:
    def make(template: str | None = None) -> TokenizerWrapper:
        extra = {"chat_template": template} if template else {}
        return load_tokenizer(embedded_home / "models" / MODEL, extra)

    return make


def prompter(tokenizer: TokenizerWrapper, context_length: int = 8192) -> Prompter:
    info = ModelInfo(
        context_length=context_length,
        format=output_format(tokenizer),
        template_knows_tools=template_knows_tools(tokenizer),
    )
    return Prompter(tokenizer, info)


def rendered(tokenizer: TokenizerWrapper, messages: list[dict[str, Any]], **fields: Any) -> str:
    [prompt] = prompter(tokenizer).prompts(Generate(0, messages, **fields))
    return str(tokenizer.decode(prompt.tokens))


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def system(text: str, role: str = "system") -> dict[str, Any]:
    return {"role": role, "content": text}


def test_the_models_own_template(tokenizer_for: Any) -> None:
    text = rendered(tokenizer_for(), [system("Be brief.", "developer"), user("Hi")])
    assert text == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_parts_are_their_joined_text(tokenizer_for: Any) -> None:
    parts = [{"type": "text", "text": "a "}, {"type": "text", "text": "b"}]
    one = rendered(tokenizer_for(), [{"role": "user", "content": parts}])
    assert one == rendered(tokenizer_for(), [user("a b")])


def test_system_messages_are_gathered_for_a_strict_template(tokenizer_for: Any) -> None:
    text = rendered(tokenizer_for(STRICT), [system("A"), user("u"), system("B"), user("v")])
    assert text == "[S]A\n\nB[user]u[user]v"


def test_a_template_without_system_that_demands_alternation(tokenizer_for: Any) -> None:
    text = rendered(tokenizer_for(NO_SYSTEM), [system("A"), user("u"), user("v")])
    assert text == "[user]A\n\nu\n\nv"


def test_a_template_that_refuses_everything(tokenizer_for: Any) -> None:
    template = "{{ raise_exception('closed on Sundays') }}{{ tools }}"
    with pytest.raises(Refusal, match="closed on Sundays") as caught:
        rendered(tokenizer_for(template), [user("u")])
    assert caught.value.code == "invalid_value"


def test_tools_go_to_a_template_that_knows_them(tokenizer_for: Any) -> None:
    messages = [user("u"), {"role": "assistant", "tool_calls": [CALL]}]
    text = rendered(tokenizer_for(WITH_TOOLS), messages, tools=[TOOL])
    assert text == "[T]f[user]u[assistant](f:a=1;)"


def test_a_legacy_function_call(tokenizer_for: Any) -> None:
    messages = [
        {"role": "assistant", "content": None, "function_call": CALL["function"]},
        {"role": "function", "name": "f", "content": "42"},
    ]
    assert rendered(tokenizer_for(WITH_TOOLS), messages) == "[assistant](f:a=1;)[tool]42"


@pytest.mark.parametrize("arguments", ["", None, "[1]", "not json", {"a": 1}])
def test_arguments_of_the_history_are_always_objects(tokenizer_for: Any, arguments: Any) -> None:
    call = {"id": "c", "function": {"name": "f", "arguments": arguments}}
    text = rendered(tokenizer_for(WITH_TOOLS), [{"role": "assistant", "tool_calls": [call]}])
    assert text.startswith("[assistant](f:")
    if arguments == "not json":
        assert "not json" in text


def test_tools_for_a_template_that_has_no_place_for_them(tokenizer_for: Any) -> None:
    messages = [
        system("Be brief."),
        user("u"),
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
    ]
    text = rendered(tokenizer_for(), messages, tools=[TOOL])
    assert text.count("<|im_start|>system") == 1
    assert "Be brief." in text
    assert "does f" in text
    assert '<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>' in text
    assert "<tool_response>\n42\n</tool_response>" in text


def test_tool_turns_without_tools(tokenizer_for: Any) -> None:
    messages: list[dict[str, Any]] = [
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
    ]
    assert "42" in rendered(tokenizer_for(), messages)


def test_a_thought_that_the_template_opens(tokenizer_for: Any) -> None:
    tokenizer = tokenizer_for()
    tokenizer.add_tokens(["<think>", "</think>"])
    thinking = TokenizerWrapper(tokenizer)
    [opened] = prompter(thinking).prompts(Generate(0, [user("<think>")]))
    [closed] = prompter(thinking).prompts(Generate(0, [user("<think>a</think>")]))
    assert opened.reasoning_open
    assert not closed.reasoning_open


def test_the_token_budget(tokenizer_for: Any) -> None:
    small = prompter(tokenizer_for(), context_length=50)
    [fits] = small.prompts(Generate(0, [user("Hi")]))
    assert fits.max_tokens == 50 - len(fits.tokens)
    for asked, granted in ((3, 3), (32000, fits.max_tokens)):
        [prompt] = small.prompts(Generate(0, [user("Hi")], max_tokens=asked))
        assert prompt.max_tokens == granted
    with pytest.raises(Refusal, match="50 tokens") as caught:
        small.prompts(Generate(0, [user("word " * 60)]))
    assert caught.value.code == "context_length_exceeded"


def test_a_text_that_is_far_too_long_is_not_read_to_its_end(tokenizer_for: Any) -> None:
    small = prompter(tokenizer_for(), context_length=50)
    with pytest.raises(Refusal, match="at least") as caught:
        small.prompts(Generate(0, [user("word " * 100_000)]))
    assert caught.value.code == "context_length_exceeded"
    [spaces] = small.prompts(Generate(0, [user(" " * 700)]))
    assert len(spaces.tokens) < 50


def test_a_bias_outside_the_vocabulary(tokenizer_for: Any) -> None:
    sampling = Sampling(logit_bias={10**6: 1.0})
    with pytest.raises(Refusal) as caught:
        prompter(tokenizer_for()).prompts(Generate(0, [user("Hi")], sampling=sampling))
    assert caught.value.param == "logit_bias"


# --- raw prompts ---


def raw(tokenizer: TokenizerWrapper, *prompts: Any, **fields: Any) -> list[list[int]]:
    made = prompter(tokenizer).prompts(Generate(0, [], prompts=list(prompts), **fields))
    return [prompt.tokens for prompt in made]


def test_a_text_is_read_as_it_is(tokenizer_for: Any) -> None:
    tokenizer = tokenizer_for()
    text = "<|im_start|>user\nHi there<|im_end|>\n"
    [tokens, ids] = raw(tokenizer, text, [5, 6])
    assert tokenizer.decode(tokens) == text
    assert tokens[0] == tokenizer.bos_token_id
    assert ids == [5, 6]


def test_a_tokenizer_that_begins_its_texts_does_so_once(tokenizer_for: Any) -> None:
    tokenizer = tokenizer_for()
    [bare] = raw(tokenizer, "Hi")
    assert bare[0] != tokenizer.bos_token_id
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|im_start|> $A", special_tokens=[("<|im_start|>", tokenizer.bos_token_id)]
    )
    begun = [tokenizer.bos_token_id, *bare]
    assert raw(tokenizer, "Hi", "<|im_start|>Hi", bare) == [begun, begun, bare]
    assert raw(tokenizer, "") == [[tokenizer.bos_token_id]]


def test_nothing_is_the_beginning_of_a_document(tokenizer_for: Any) -> None:
    tokenizer = tokenizer_for()
    assert raw(tokenizer, "", "") == [[tokenizer.bos_token_id]] * 2
    tokenizer.bos_token = None
    assert raw(tokenizer, "") == [[min(tokenizer.eos_token_ids)]]


def test_raw_prompts_have_a_budget_each(tokenizer_for: Any) -> None:
    small = prompter(tokenizer_for(), context_length=50)
    short, long = small.prompts(Generate(0, [], prompts=[[5], [5] * 49]))
    assert (short.max_tokens, long.max_tokens) == (49, 1)
    assert not short.reasoning_open
    for prompt in ("word " * 60, [5] * 50):
        with pytest.raises(Refusal, match=r"50 tokens.* your prompt resulted in") as caught:
            small.prompts(Generate(0, [], prompts=["x", prompt]))
        assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "prompt")


def test_token_ids_outside_the_vocabulary(tokenizer_for: Any) -> None:
    tokenizer = tokenizer_for()
    last = len(tokenizer) - 1
    assert raw(tokenizer, [last]) == [[last]]
    with pytest.raises(Refusal, match=str(last + 1)) as caught:
        raw(tokenizer, "x", [0, last + 1])
    assert (caught.value.code, caught.value.param) == ("invalid_value", "prompt")
