"""A request for a response, and what the router makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from router.fielderrors import bad_field, from_pydantic
from router.schema.chat import ChatRequest
from router.schema.response_format import answer_schema
from router.schema.responsebody import ResponsesBody
from router.schema.responseitems import typed
from router.schema.responsetools import chat_choice, chat_tool, functions_of, ignored_in
from router.schema.tools import check_functions, tool_choice

MOVED = {
    "functions": "tools",
    "function_call": "tool_choice",
    "logprobs": "include",
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "messages": "input",
    "reasoning_effort": "reasoning.effort",
    "response_format": "text.format",
}
"""Fields of chat completions, and what they are called here."""

ABSENT = ("n", "stop", "modalities", "audio", "prediction", "web_search_options")
"""Fields of chat completions that this API does not have."""

_PATHS = {"messages": "input", "response_format.json_schema": "text.format"}
_CHAT_TOOL = re.compile(r"tools\[(\d+)\]\.function")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsesRequest:
    """A request for a response that is valid in itself.

    ``chat`` asks for the same answer, but has no messages yet: they are made of ``input`` and
    of what ``fields.previous_response_id`` stands for. ``ignored_tools``: types of tools that
    clients send unasked, and that are not offered to the model.
    """

    fields: ResponsesBody
    input: list[dict[str, Any]]
    chat: ChatRequest
    ignored_tools: tuple[str, ...]

    @classmethod
    def parse(cls, body: dict[str, Any]) -> ResponsesRequest:
        """``BadRequest`` with ``param`` and an OpenAI ``code`` for the first wrong field."""
        _check_api(body)
        try:
            fields = ResponsesBody.model_validate(body)
        except ValidationError as error:
            raise from_pydantic(error) from None
        if fields.input is None and fields.previous_response_id is None:
            raise bad_field("input", "missing_required_parameter", "add it to the request")
        return cls(
            fields=fields,
            input=_items(body.get("input")),
            chat=_chat(fields, body),
            ignored_tools=ignored_in(fields.tools or ()),
        )

    @property
    def store(self) -> bool:
        return self.fields.store is not False

    @property
    def truncates(self) -> bool:
        return self.fields.truncation == "auto"

    @property
    def old_thoughts(self) -> bool:
        reasoning = self.fields.reasoning
        return not (reasoning and reasoning.context == "current_turn")

    def path(self, chat_path: str) -> str:
        """Where in this request stands what ``chat`` has at ``chat_path``."""
        if tool := _CHAT_TOOL.match(chat_path):
            place = list(functions_of(self.fields.tools or ()))[int(tool[1])]
            return f"tools[{place}]{chat_path[tool.end() :]}"
        for there, here in _PATHS.items():
            if chat_path.startswith(there):
                return here + chat_path.removeprefix(there)
        return chat_path


def _check_api(body: dict[str, Any]) -> None:
    """Refuse what belongs to chat completions: without it another answer would come."""
    for field, here in MOVED.items():
        if body.get(field) is not None:
            raise bad_field(field, "unsupported_parameter", f"in the Responses API it is '{here}'")
    for field in ABSENT:
        if body.get(field) is not None:
            advice = "the Responses API does not have it; use /v1/chat/completions, or leave it out"
            raise bad_field(field, "unsupported_parameter", advice)


def _items(given: str | list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return [typed(item) for item in given or ()]


def _chat(fields: ResponsesBody, body: dict[str, Any]) -> ChatRequest:
    offered = functions_of(fields.tools or ())
    check_functions(list(offered.values()), lambda at: f"tools[{list(offered)[at]}]")
    answer_format, reasoning = fields.answer_format, fields.reasoning
    return ChatRequest(
        model=fields.model,
        messages=[],
        tools=[chat_tool(body["tools"][place]) for place in offered],
        tool_choice=tool_choice(
            chat_choice(fields.tool_choice), {function.name for function in offered.values()}
        ),
        parallel_tool_calls=fields.parallel_tool_calls is not False,
        older_calls=False,
        answer_schema=answer_schema(answer_format.type, answer_format, "text.format"),
        stream=fields.stream,
        include_usage=False,
        n=1,
        max_tokens=fields.max_output_tokens,
        stop=(),
        top_logprobs=_top_logprobs(fields),
        reasoning_effort=reasoning.effort if reasoning else None,
        sampling_given=fields.given(),
    )


def _top_logprobs(fields: ResponsesBody) -> int | None:
    wanted = "message.output_text.logprobs" in (fields.include or ())
    return (fields.top_logprobs or 0) if wanted else fields.top_logprobs or None
