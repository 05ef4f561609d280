"""A response says what was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.replay.judges.answer import Json

NONE: Json = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "previous_response_id": None,
    "user": None,
}
"""What a response says of these when they were not asked for."""

SET = (
    *NONE,
    "background",
    "frequency_penalty",
    "parallel_tool_calls",
    "presence_penalty",
    "store",
    "temperature",
    "top_logprobs",
    "top_p",
    "truncation",
)
"""What it says of these when they were."""


def wrong(request: Json, response: Json) -> Iterator[str]:
    for name in SET:
        wanted = NONE.get(name) if request.get(name) is None else request[name]
        known = name in NONE or request.get(name) is not None
        if known and name in response and response[name] != wanted:
            yield f"{name} is {response[name]!r}, where {wanted!r} was asked for"
    wanted = (request.get("text") or {}).get("format") or {}
    found = (response.get("text") or {}).get("format") or {}
    for name, value in wanted.items():
        if found.get(name) != value:
            yield f"text.format.{name} is {found.get(name)!r}, where {value!r} was asked for"
    lost = [name for name in _functions(request) if name not in _functions(response)]
    yield from (f"the function {name!r} is not among the tools" for name in lost)


def _functions(value: Json) -> list[str]:
    return [str(t.get("name")) for t in value.get("tools") or [] if t.get("type") == "function"]
