"""Chat completions: what one tells, and the scripts that make the engine tell it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conformance.replay.answers import is_stream, objects
from conformance.replay.exact_told import Json, Reader, Told, once, parsed, script

ENDS = ("stop", "length", "tool_calls", "function_call")


def told(body: bytes, read: Reader) -> Told:
    """Of a completion, or of a stream put together."""
    if not is_stream(body):
        completion = next(objects(body))
        choices = [{**choice["message"], **choice} for choice in completion["choices"]]
        return Told({"choices": [_said(choice, read) for choice in choices]})
    chunks = list(objects(body))
    joined: dict[int, Json] = {}
    for choice in _choices(chunks):
        _join(joined.setdefault(choice["index"], {"index": choice["index"]}), choice)
    said = [_said(choice, read) for _, choice in sorted(joined.items())]
    return Told({"choices": said}, _order(chunks))


def beyond(answer: Told) -> str | None:
    """What is in it that no script can tell."""
    for choice in answer.said["choices"]:
        if choice["refusal"]:
            return "refusal"
        if choice["audio"]:
            return "audio"
        if choice["annotations"]:
            return "annotations"
        if choice["finish_reason"] not in ENDS:
            return f"ends with {choice['finish_reason']}"
    return None


def scripts(answer: Told) -> list[Json]:
    """What the engine is to play, for each choice."""
    return [_script(choice) for choice in answer.said["choices"]]


def _script(choice: Json) -> Json:
    older = [choice["function_call"]] if choice["function_call"] else []
    said = [choice["content"] or "", *choice["tool_calls"], *older]
    return script(said, cut=choice["finish_reason"] == "length")


def _said(choice: Json, read: Reader) -> Json:
    content, older = choice.get("content"), choice.get("function_call")
    called = choice.get("tool_calls") or ()
    return {
        "role": choice.get("role"),
        "content": read(content) if content else content,
        "refusal": choice.get("refusal"),
        "tool_calls": [{"type": made["type"], **_call(made["function"])} for made in called],
        "function_call": _call(older) if older else None,
        "audio": choice.get("audio"),
        "annotations": choice.get("annotations") or [],
        "finish_reason": choice["finish_reason"],
    }


def _call(function: Json) -> Json:
    return {"name": function["name"], "arguments": parsed(function["arguments"])}


def _choices(chunks: Iterable[Json]) -> Iterator[Json]:
    return (choice for chunk in chunks for choice in chunk["choices"])


def _join(whole: Json, choice: Json) -> None:
    """Add a chunk's part of a choice, as clients do."""
    delta = choice["delta"]
    for key in ("role", "content", "refusal"):
        if delta.get(key) is not None:
            whole[key] = whole.get(key, "") + delta[key]
    for key in ("audio", "annotations"):
        whole[key] = delta.get(key) or whole.get(key)
    calls = whole.setdefault("tool_calls", [])
    for part in delta.get("tool_calls") or ():
        if part["index"] == len(calls):
            calls.append({"type": part["type"], "function": {"name": "", "arguments": ""}})
        _extend(calls[part["index"]]["function"], part["function"])
    if older := delta.get("function_call"):
        _extend(whole.setdefault("function_call", {"name": "", "arguments": ""}), older)
    whole["finish_reason"] = choice["finish_reason"] or whole.get("finish_reason")


def _extend(function: Json, part: Json) -> None:
    for key, text in part.items():
        function[key] += text


def _order(chunks: list[Json]) -> Json:
    """Of each choice by itself, since they come in any order, and of what follows them."""
    choices: dict[str, list[str]] = {}
    for choice in _choices(chunks):
        kinds = choices.setdefault(f"choice {choice['index']}", [])
        kinds += _kinds(choice["delta"], choice["finish_reason"])
    order = {name: once(kinds) for name, kinds in sorted(choices.items())}
    return {
        **order,
        "after": ["usage" for chunk in chunks if not chunk["choices"] and chunk.get("usage")],
    }


def _kinds(delta: Json, finish_reason: str | None) -> Iterator[str]:
    if "role" in delta:
        yield "role"
    if delta.get("content"):
        yield "text"
    for part in delta.get("tool_calls") or ():
        yield f"{'call' if 'id' in part else 'arguments'} {part['index']}"
    if "function_call" in delta:
        yield "function call"
    if finish_reason:
        yield "end"
