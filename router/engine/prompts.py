"""A request to prompt tokens: a chat through the model's own chat template, a text as it is.

Templates differ in what they can take: some know no tools, some refuse a second system
message, some demand that roles alternate. What a client sent is therefore offered to the
template in a few shapes, from the truest to the most accommodating, and the first that
renders is used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mlx_lm.tokenizer_utils import TokenizerWrapper

from router.engine.refusal import Refusal
from router.frames import Generate, ModelInfo
from router.frames import Prompt as RawPrompt

Message = dict[str, Any]

TOOLS_PROMPT = """\
You can call these functions:
<tools>
{tools}
</tools>
To call one, answer with nothing but:
<tool_call>
{{"name": "<function name>", "arguments": {{<arguments as JSON>}}}}
</tool_call>
The result comes back between <tool_response> tags. Call a function only when it helps."""
"""For models whose template has no place for tools. The tags are those of the Hermes format,
which most open models have met in training."""

SCHEMA_PROMPT = """\
Answer with a JSON document that fits this JSON Schema:
{schema}"""
"""A grammar keeps the answer to its schema, but only a model that knows the schema fills it
with sense."""

ANY_JSON = {"type": "object"}


LONG_TOKEN = 12
"""Characters of a token longer than the average of any text."""

SHORTEN = {"messages": "the messages or the tools", "prompt": "the prompt"}
"""What helps when the tokens of a field fill the context."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """``max_tokens`` is the room granted to each sequence; ``reasoning_open`` is true when
    the template itself has opened a thought."""

    tokens: list[int]
    max_tokens: int
    reasoning_open: bool


class Prompter:
    """Renders and tokenizes. Touches no MLX array, so it runs on a thread of its own."""

    def __init__(self, tokenizer: TokenizerWrapper, info: ModelInfo) -> None:
        self._tokenizer = tokenizer
        self._info = info
        self._vocabulary = len(tokenizer)

    def prompts(self, request: Generate) -> list[Prompt]:
        """One for a chat, else one for each raw prompt. Raises Refusal when the template refuses
        or a prompt does not fit."""
        self._check_bias(request)
        if request.prompts:
            return [self._prompt(self._raw(prompt), request) for prompt in request.prompts]
        tokens = self._tokens(self._render(request), "messages", add_special_tokens=False)
        return [self._prompt(tokens, request, reasoning_open=self._reasoning_open(tokens))]

    def _prompt(
        self, tokens: list[int], request: Generate, *, reasoning_open: bool = False
    ) -> Prompt:
        room = self._info.context_length - len(tokens)
        return Prompt(tokens, min(request.max_tokens or room, room), reasoning_open)

    def _tokens(self, text: str, field: str, *, add_special_tokens: bool) -> list[int]:
        """Raises Refusal when they fill the context. A text that is far too long is not read
        to its end: that takes seconds, in which other requests would wait."""
        for head in (text[: self._info.context_length * LONG_TOKEN], text):
            tokens: list[int] = self._tokenizer.encode(head, add_special_tokens=add_special_tokens)
            self._check_length(tokens, field, least=len(head) < len(text))
            if len(head) == len(text):
                break
        return tokens

    def _raw(self, prompt: RawPrompt) -> list[int]:
        """Raises Refusal for tokens that the model does not have. No tokens at all stand for
        the beginning of a document."""
        start = self._tokenizer.bos_token
        if isinstance(prompt, str):
            # A text that brings the token which begins it needs no second one.
            bare = start is None or not prompt.startswith(start)
            tokens = self._tokens(prompt, "prompt", add_special_tokens=bare)
            return tokens or [self._first_token()]
        self._check_length(prompt, "prompt")
        for token in prompt:
            self._check_token(token, "prompt")
        return prompt

    def _first_token(self) -> int:
        """Texts follow one another in training, so the end of one begins the next."""
        start: int | None = self._tokenizer.bos_token_id
        return min(self._tokenizer.eos_token_ids) if start is None else start

    def _check_length(self, tokens: list[int], field: str, *, least: bool = False) -> None:
        limit = self._info.context_length
        if len(tokens) >= limit:
            count = f"at least {len(tokens)}" if least else f"{len(tokens)}"
            raise Refusal(
                f"This model's maximum context length is {limit} tokens. However, your {field}"
                f" resulted in {count} tokens. Shorten {SHORTEN[field]}.",
                code="context_length_exceeded",
                param=field,
            )

    def _check_bias(self, request: Generate) -> None:
        for token in request.sampling.logit_bias:
            self._check_token(token, "logit_bias")

    def _check_token(self, token: int, field: str) -> None:
        if not 0 <= token < self._vocabulary:
            raise Refusal(
                f"Token {token} is not in this model's vocabulary of {self._vocabulary}.",
                code="invalid_value",
                param=field,
            )

    def _render(self, request: Generate) -> str:
        generic = not self._info.template_knows_tools
        messages = [_normalized(m) for m in request.messages]
        tools = request.tools or None
        if generic:
            messages, tools = _with_generic_tools(messages, request.tools), None
        messages = _with_schema(messages, request.constraint.schema)
        refusal: Exception = ValueError("no messages")
        for shape in SHAPES:
            try:
                rendered: str = self._tokenizer.apply_chat_template(
                    shape(messages),
                    tools=tools,
                    tokenize=False,
                    add_generation_prompt=True,
                    **request.template_options,
                )
                return rendered
            except Exception as error:  # a template is a program of the model's author
                refusal = error
        raise Refusal(
            f"The model's chat template refuses these messages: {refusal}. Set"
            " models.<id>.chat_template in config.json to use another template.",
            code="invalid_value",
        ) from refusal

    def _reasoning_open(self, tokens: list[int]) -> bool:
        if not self._tokenizer.has_thinking:
            return False
        start = self._tokenizer.rfind_think_start(tokens)
        return bool(start >= 0 and self._tokenizer.rfind_think_end(tokens) < start)


# --- what every template gets -------------------------------------------------------


def _normalized(message: Message) -> Message:
    """Content as one string, ``developer`` as ``system``, call arguments as objects."""
    normal = {k: v for k, v in message.items() if v is not None}
    normal["content"] = _text(message.get("content"))
    normal["role"] = {"developer": "system", "function": "tool"}.get(
        message["role"], message["role"]
    )
    calls = normal.pop("tool_calls", [])
    if function := normal.pop("function_call", None):  # as it was before there were tools
        calls = [*calls, {"function": function}]
    if calls:
        normal["tool_calls"] = [_call(call) for call in calls]
    return normal


def _text(content: str | list[dict[str, Any]] | None) -> str:
    if isinstance(content, list):
        return "".join(part.get("text") or part.get("refusal") or "" for part in content)
    return content or ""


def _call(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    return {
        "id": call.get("id", ""),
        "type": "function",
        "function": {
            "name": function["name"],
            "arguments": _arguments(function.get("arguments")),
        },
    }


def _arguments(arguments: str | dict[str, Any] | None) -> dict[str, Any]:
    """Templates iterate over arguments, so whatever another model once wrote becomes an
    object; text that is none is kept under one key rather than lost."""
    if isinstance(arguments, dict):
        return arguments
    try:
        parsed = json.loads(arguments or "{}")
    except ValueError:
        parsed = arguments
    return parsed if isinstance(parsed, dict) else {"arguments": parsed}


# --- tools for a template that has no place for them --------------------------------


def _with_generic_tools(messages: list[Message], tools: list[dict[str, Any]]) -> list[Message]:
    messages = [_tool_turn_as_text(m) for m in messages]
    if not tools:
        return messages
    listed = "\n".join(json.dumps(tool["function"], ensure_ascii=False) for tool in tools)
    instructions = {"role": "system", "content": TOOLS_PROMPT.format(tools=listed)}
    return _one_system_message([*messages, instructions])


def _with_schema(messages: list[Message], schema: dict[str, Any] | None) -> list[Message]:
    if schema is None or schema == ANY_JSON:
        return messages
    text = SCHEMA_PROMPT.format(schema=json.dumps(schema, ensure_ascii=False))
    return _one_system_message([*messages, {"role": "system", "content": text}])


def _tool_turn_as_text(message: Message) -> Message:
    if message["role"] == "tool":
        return {
            "role": "user",
            "content": f"<tool_response>\n{message['content']}\n</tool_response>",
        }
    if "tool_calls" in message:
        calls = [
            f"<tool_call>\n{json.dumps(call['function'], ensure_ascii=False)}\n</tool_call>"
            for call in message["tool_calls"]
        ]
        lines = [message["content"], *calls]
        return {"role": "assistant", "content": "\n".join(line for line in lines if line)}
    return message


# --- shapes, from the truest to the most accommodating ------------------------------


def _as_sent(messages: list[Message]) -> list[Message]:
    return messages


def _one_system_message(messages: list[Message]) -> list[Message]:
    """All system messages joined into a leading one."""
    system = [m["content"] for m in messages if m["role"] == "system"]
    rest = [m for m in messages if m["role"] != "system"]
    return [{"role": "system", "content": "\n\n".join(system)}, *rest] if system else rest


def _alternating(messages: list[Message]) -> list[Message]:
    """Neighbours of one role joined, for templates that demand alternation."""
    return list(_joined(_one_system_message(messages)))


def _no_system(messages: list[Message]) -> list[Message]:
    """The system message moved into the user's first turn."""
    merged = _one_system_message(messages)
    as_user = [{**m, "role": "user"} if m["role"] == "system" else m for m in merged]
    return list(_joined(as_user))


def _joined(messages: list[Message]) -> Iterator[Message]:
    held: Message | None = None
    for message in messages:
        plain = message["role"] in ("user", "assistant") and "tool_calls" not in message
        if held and plain and held["role"] == message["role"]:
            held = {**held, "content": f"{held['content']}\n\n{message['content']}"}
            continue
        if held:
            yield held
        held = message if plain else None
        if not plain:
            yield message
    if held:
        yield held


SHAPES: tuple[Callable[[list[Message]], list[Message]], ...] = (
    _as_sent,
    _one_system_message,
    _alternating,
    _no_system,
)
