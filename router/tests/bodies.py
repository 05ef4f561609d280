"""Chat completion requests as clients send them, and the check that one is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from router.errors import BadRequest
from router.schema import ChatRequest, CompletionRequest

Body = dict[str, Any]

USER = {"role": "user", "content": "hi"}
BODY: Body = {"model": "m", "messages": [USER]}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
CONTEXT_WORDS = (
    "max_tokens",
    "exceeds",
    "too long",
    "input length",
    "context limit",
    "reduce the length",
)
"""Goose compacts the conversation when it reads one of these in a 400."""


def tool(name: Any = "get_weather", parameters: Any = PARAMETERS, **fields: Any) -> Body:
    return {
        "type": "function",
        "function": {"name": name, "parameters": parameters},
        **fields,
    }


def call(id: Any = "call_1", arguments: Any = '{"city": "Oslo"}', **fields: Any) -> Body:
    function = {"name": "get_weather", "arguments": arguments}
    return {"id": id, "type": "function", "function": function, **fields}


def assistant(**fields: Any) -> Body:
    return {"role": "assistant", **fields}


def result(id: Any = "call_1", content: Any = "sunny") -> Body:
    return {"role": "tool", "tool_call_id": id, "content": content}


def parse(**fields: Any) -> ChatRequest:
    return ChatRequest.parse(BODY | fields)


def continued(**fields: Any) -> CompletionRequest:
    return CompletionRequest.parse({"model": "m", "prompt": "Once"} | fields)


def chat(*messages: Any) -> Body:
    return {"messages": list(messages)}


def offered(*tools: Any, **fields: Any) -> Body:
    return {"tools": list(tools), **fields}


def chosen(choice: Any) -> Body:
    return offered(tool(), tool_choice=choice)


def parameters(schema: Any) -> Body:
    return offered(tool(), tool("other", schema))


def named(name: str) -> Body:
    return {"type": "function", "function": {"name": name}}


def allowed(mode: str, *functions: Body) -> Body:
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(functions)}}


def answer_in(schema: Any) -> Body:
    described = {"name": "answer", "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": described}}


def refusal(fields: Body, parse: Callable[..., object] = parse) -> BadRequest | None:
    """What a request with these fields is answered with; None when it is accepted."""
    try:
        parse(**fields)
    except BadRequest as error:
        return error
    return None


def check_refused(
    fields: Body, param: str, code: str, parse: Callable[..., object] = parse
) -> None:
    """The request is refused in a short message that names the field, and that no
    client takes for a full context.
    """
    error = refusal(fields, parse)
    assert error, "accepted"
    assert (error.param, error.code) == (param, code), f"{error.param} {error.code}"
    name = "the token limit" if param == "max_tokens" else f"'{param}'"
    assert name in error.message, error.message
    assert not [word for word in CONTEXT_WORDS if word in error.message], error.message
    assert len(error.message) < 400, error.message
