"""What a request asks for, in whichever API's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conformance.replay.judges.answer import Json


@dataclass(frozen=True)
class Asked:
    """``functions``: the schema of each function offered. ``choice``: none, auto, required, or
    ``named``; ``callable`` may be called then. ``document``: the schema that the text must follow,
    None for free text. ``limit``: of tokens."""

    functions: dict[str, Json]
    choice: str
    callable: frozenset[str]
    parallel: bool
    document: Json | None
    choices: int
    stops: tuple[str, ...]
    limit: int | None
    logprobs: bool

    @classmethod
    def of(cls, kind: str, request: Json) -> Asked:
        tools = list(_offered(request))
        functions = {
            str(tool.get("name")): tool.get("parameters") or {}
            for tool in tools
            if tool.get("type") == "function"
        }
        choice, names = _choice(request.get("tool_choice"))
        return cls(
            functions=functions,
            choice=choice,
            callable=frozenset(names) if names else frozenset(functions),
            parallel=request.get("parallel_tool_calls") is not False,
            document=_document(request),
            choices=(request.get("n") or 1) * _prompts(kind, request),
            stops=_stops(request.get("stop")),
            limit=_limit(request),
            logprobs=_logprobs(request),
        )


def _offered(value: Json) -> Iterator[Json]:
    """Tools, those in a namespace of tools, and those that input items add."""
    for tool in value.get("tools") or []:
        yield _inner(tool, "function")
        yield from _offered(tool)
    items = value.get("input")
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict):
            yield from _offered(item)


def _inner(value: Json, name: str) -> Json:
    """Chat puts a function into a member of that name, Responses beside its type."""
    inner = value.get(name)
    return {**value, **inner} if isinstance(inner, dict) else value


def _choice(value: Any) -> tuple[str, list[str]]:
    """The mode, and the functions that it is confined to: none for all of them."""
    if not isinstance(value, dict):
        return str(value or "auto"), []
    if value.get("type") == "allowed_tools":
        allowed = _inner(value, "allowed_tools")
        tools = [_inner(tool, "function") for tool in allowed.get("tools") or []]
        return str(allowed.get("mode")), [str(tool.get("name")) for tool in tools]
    if value.get("type") == "function":
        return "named", [str(_inner(value, "function").get("name"))]
    return str(value.get("type")), []


def _document(request: Json) -> Json | None:
    wanted = request.get("response_format") or (request.get("text") or {}).get("format") or {}
    wanted = _inner(wanted, "json_schema")
    if wanted.get("type") == "json_schema":
        schema: Json = wanted.get("schema") or {}
        return schema
    return {"type": "object"} if wanted.get("type") == "json_object" else None


def _prompts(kind: str, request: Json) -> int:
    """A list of strings, or of lists of tokens, is as many prompts."""
    prompt = request.get("prompt")
    if kind != "text_completion" or not isinstance(prompt, list) or not prompt:
        return 1
    return len(prompt) if isinstance(prompt[0], str | list) else 1


def _stops(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _limit(request: Json) -> int | None:
    for name in ("max_completion_tokens", "max_output_tokens", "max_tokens"):
        if isinstance(request.get(name), int):
            return int(request[name])
    return None


def _logprobs(request: Json) -> bool:
    """`logprobs` is a number where completions are asked for, and 0 one of them."""
    value = request.get("logprobs")
    included = "message.output_text.logprobs" in (request.get("include") or [])
    return included or (value is not None and value is not False)
