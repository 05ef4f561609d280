"""JSON Schemas of what a server sends, after the OpenAI reference.

``required`` holds what the reference requires and api.openai.com always sends. Members that
the reference does not know are allowed: servers add their own, such as reasoning_content.
"""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

Schema = dict[str, Any]


def _object(properties: Schema, *optional: str) -> Schema:
    """An object with these members, all required but the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


STRING: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
BYTES = _or_null(_list({"type": "integer", "minimum": 0, "maximum": 255}))
FINISH_REASONS = ["stop", "length", "tool_calls", "content_filter", "function_call"]

TOP_LOGPROB = _object({"token": STRING, "logprob": {"type": "number"}, "bytes": BYTES})
TOKEN_LOGPROB = _object({**TOP_LOGPROB["properties"], "top_logprobs": _list(TOP_LOGPROB)})
LOGPROBS = _object(
    {"content": _or_null(_list(TOKEN_LOGPROB)), "refusal": _or_null(_list(TOKEN_LOGPROB))},
    "refusal",
)

TOOL_CALL = _object(
    {
        "id": {"type": "string", "minLength": 1},
        "type": {"const": "function"},
        "function": _object({"name": STRING, "arguments": STRING}),
    }
)

MESSAGE = _object(
    {
        "role": {"const": "assistant"},
        "content": _or_null(STRING),
        "refusal": _or_null(STRING),
        "annotations": _or_null(_list({"type": "object"})),
        "tool_calls": _or_null({**_list(TOOL_CALL), "minItems": 1}),
        "reasoning_content": _or_null(STRING),
        "reasoning": _or_null(STRING),
    },
    *("annotations", "tool_calls", "reasoning_content", "reasoning"),
)

USAGE = _object(
    {
        "prompt_tokens": COUNT,
        "completion_tokens": COUNT,
        "total_tokens": COUNT,
        "prompt_tokens_details": _or_null({"type": "object"}),
        "completion_tokens_details": _or_null({"type": "object"}),
    },
    *("prompt_tokens_details", "completion_tokens_details"),
)

COMPLETION = _object(
    {
        "id": {"type": "string", "minLength": 1},
        "object": {"const": "chat.completion"},
        "created": COUNT,
        "model": STRING,
        "choices": {
            **_list(
                _object(
                    {
                        "index": COUNT,
                        "message": MESSAGE,
                        "logprobs": _or_null(LOGPROBS),
                        "finish_reason": {"enum": FINISH_REASONS},
                    }
                )
            ),
            "minItems": 1,
        },
        "usage": USAGE,
        "service_tier": _or_null(STRING),
        "system_fingerprint": _or_null(STRING),
    },
    *("service_tier", "system_fingerprint"),
)


def fault(value: Any, schema: Schema) -> str | None:
    """What is wrong with ``value``, and where; None when the schema accepts it."""
    error = best_match(Draft202012Validator(schema).iter_errors(value))
    return f"{error.json_path}: {error.message}" if error else None
