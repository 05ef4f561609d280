"""JSON Schemas of what a server sends, after the OpenAI reference.

``required`` holds what the reference requires and api.openai.com always sends. Members that
the reference does not know are allowed: servers add their own, such as reasoning_content.
"""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

Schema = dict[str, Any]


def object_of(properties: Schema, *optional: str) -> Schema:
    """An object with these members, all required but the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items}


STRING: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
BYTES = or_null(list_of({"type": "integer", "minimum": 0, "maximum": 255}))
FINISH_REASONS = ["stop", "length", "tool_calls", "content_filter", "function_call"]

TOP_LOGPROB = object_of({"token": STRING, "logprob": {"type": "number"}, "bytes": BYTES})
TOKEN_LOGPROB = object_of({**TOP_LOGPROB["properties"], "top_logprobs": list_of(TOP_LOGPROB)})
LOGPROBS = object_of(
    {"content": or_null(list_of(TOKEN_LOGPROB)), "refusal": or_null(list_of(TOKEN_LOGPROB))},
    "refusal",
)

TOOL_CALL = object_of(
    {
        "id": {"type": "string", "minLength": 1},
        "type": {"const": "function"},
        "function": object_of({"name": STRING, "arguments": STRING}),
    }
)

MESSAGE = object_of(
    {
        "role": {"const": "assistant"},
        "content": or_null(STRING),
        "refusal": or_null(STRING),
        "annotations": or_null(list_of({"type": "object"})),
        "tool_calls": or_null({**list_of(TOOL_CALL), "minItems": 1}),
        "reasoning_content": or_null(STRING),
        "reasoning": or_null(STRING),
    },
    *("annotations", "tool_calls", "reasoning_content", "reasoning"),
)

USAGE = object_of(
    {
        "prompt_tokens": COUNT,
        "completion_tokens": COUNT,
        "total_tokens": COUNT,
        "prompt_tokens_details": or_null({"type": "object"}),
        "completion_tokens_details": or_null({"type": "object"}),
    },
    *("prompt_tokens_details", "completion_tokens_details"),
)

COMPLETION = object_of(
    {
        "id": {"type": "string", "minLength": 1},
        "object": {"const": "chat.completion"},
        "created": COUNT,
        "model": STRING,
        "choices": {
            **list_of(
                object_of(
                    {
                        "index": COUNT,
                        "message": MESSAGE,
                        "logprobs": or_null(LOGPROBS),
                        "finish_reason": {"enum": FINISH_REASONS},
                    }
                )
            ),
            "minItems": 1,
        },
        "usage": USAGE,
        "service_tier": or_null(STRING),
        "system_fingerprint": or_null(STRING),
    },
    *("service_tier", "system_fingerprint"),
)


def fault(value: Any, schema: Schema) -> str | None:
    """What is wrong with ``value``, and where; None when the schema accepts it."""
    error = best_match(Draft202012Validator(schema).iter_errors(value))
    return f"{error.json_path}: {error.message}" if error else None
