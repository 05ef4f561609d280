"""JSON Schemas of a response, after the OpenAI reference; ``schemas.py`` says what they hold."""

from __future__ import annotations

from conformance.schemas import COUNT, STRING, Schema, list_of, object_of, or_null

ID: Schema = {"type": "string", "minLength": 1}
STATUS: Schema = {
    "enum": ["completed", "failed", "in_progress", "cancelled", "queued", "incomplete"]
}
ITEM_STATUS: Schema = {"enum": ["in_progress", "completed", "incomplete"]}


def _by_type(**kinds: Schema) -> Schema:
    """An object that is what its type says. Of other types nothing more is known."""
    rules = [
        {"if": {"properties": {"type": {"const": kind}}}, "then": schema}
        for kind, schema in kinds.items()
    ]
    return {**object_of({"type": STRING}), "allOf": rules}


OUTPUT_PART = _by_type(
    output_text=object_of({"text": STRING, "annotations": list_of({"type": "object"})}),
    refusal=object_of({"refusal": STRING}),
)
SUMMARY_PART = object_of({"type": STRING, "text": STRING})

MESSAGE = object_of(
    {
        "id": ID,
        "status": ITEM_STATUS,
        "role": {"const": "assistant"},
        "content": list_of(OUTPUT_PART),
    }
)
FUNCTION_CALL = object_of(
    {"id": ID, "status": ITEM_STATUS, "call_id": ID, "name": ID, "arguments": STRING}, "id"
)
REASONING = object_of({"id": ID, "summary": list_of(SUMMARY_PART)})

OUTPUT_ITEM = _by_type(message=MESSAGE, function_call=FUNCTION_CALL, reasoning=REASONING)

USAGE = object_of(
    {
        "input_tokens": COUNT,
        "input_tokens_details": object_of({"cached_tokens": COUNT}),
        "output_tokens": COUNT,
        "output_tokens_details": object_of({"reasoning_tokens": COUNT}),
        "total_tokens": COUNT,
    }
)

RESPONSE = object_of(
    {
        "id": {"type": "string", "pattern": "^resp_."},
        "object": {"const": "response"},
        "created_at": {"type": "number", "minimum": 0},
        "status": STATUS,
        "model": STRING,
        "output": list_of(OUTPUT_ITEM),
        "error": or_null(object_of({"code": STRING, "message": STRING})),
        "incomplete_details": or_null(object_of({"reason": STRING})),
        "instructions": {"type": ["string", "array", "null"]},
        "metadata": or_null({"type": "object"}),
        "parallel_tool_calls": {"type": "boolean"},
        "previous_response_id": or_null(STRING),
        "store": {"type": ["boolean", "null"]},
        "temperature": {"type": ["number", "null"]},
        "tool_choice": {"type": ["string", "object"]},
        "tools": list_of({"type": "object"}),
        "top_p": {"type": ["number", "null"]},
    },
    *("error", "incomplete_details", "instructions", "metadata", "parallel_tool_calls"),
    *("previous_response_id", "store", "temperature", "tool_choice", "tools", "top_p"),
)
"""Of a response at any time: usage, for one, is judged where it has ended."""
