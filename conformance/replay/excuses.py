"""Why a server of text models may answer otherwise than OpenAI did: rules, each with a name.

A rule is asked only when the class of the status is another than the recorded one. Nothing that a
rule excuses is left out: it is sent, counted, and listed under the rule's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from conformance.client import Exchange
from conformance.replay.endpoints import family
from conformance.replay.recording import Recording

PARTS = {
    "image_url": "vision",
    "input_image": "vision",
    "input_audio": "audio",
    "file": "files",
    "input_file": "files",
}
"""Content that is no text, and what takes it."""

FIELDS = {
    "audio": "audio",
    "background": "background",
    "context_management": "context management",
    "conversation": "conversations kept by OpenAI",
    "moderation": "moderation",
    "prompt": "prompts kept by OpenAI",
    "web_search_options": "tool web_search",
}
"""What OpenAI does around a model."""

ITEMS = ("message", "function_call", "function_call_output", "reasoning", "item_reference")
"""Input that a model of text and functions takes."""

OF_THE_CATALOGUE = re.compile(
    r"(with|by|for|from|support|in) (this|the) (\w+ )?model|not a chat model"
    r"|only supported (by|in|with)",
    re.IGNORECASE,
)
"""How OpenAI words an error that is one of a model, not of the request."""

PAIRED = re.compile(r"of type '\w+' was provided without its required")
"""OpenAI knows the items that its models made, and asks for all of a turn."""


def excuse(recording: Recording, answer: Exchange, known: set[str]) -> str | None:
    """Why the answer's status tells nothing about the server; None if nothing excuses it.
    ``known``: the ids of the cassette that the server has made, too."""
    status, expected = answer.received.status, recording.exchange.received.status
    if status >= 500:
        return None
    if expected < 400 <= status:
        return _refusal(recording, _error(answer), known)
    if status < 400 <= expected:
        return _leniency(_error(recording.exchange))
    return None


def _refusal(recording: Recording, error: dict[str, Any], known: set[str]) -> str | None:
    """A server that says which field it refuses is excused for that field only."""
    if other := family(recording.path):
        return other
    if error.get("code") == "context_length_exceeded":
        return "longer than the model's context"
    param = str(error.get("param") or "")
    for field, why in _beyond(recording, known):
        if not param or re.match(rf"{field}\b", param):
            return why
    return None


def _leniency(recorded: dict[str, Any]) -> str | None:
    """What OpenAI refused for reasons of its own."""
    message = str(recorded.get("message"))
    if recorded.get("code") == "invalid_api_key":
        return "a key that only OpenAI knows to be wrong"
    if OF_THE_CATALOGUE.search(message):
        return "refused by one model of OpenAI's"
    if recorded.get("code") in ("invalid_function_parameters", "invalid_json_schema"):
        return "a schema that OpenAI cannot hold a model to"
    if PAIRED.search(message):
        return "items kept by OpenAI"
    return None


def _error(exchange: Exchange) -> dict[str, Any]:
    try:
        error = exchange.received.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def _beyond(recording: Recording, known: set[str]) -> Iterator[tuple[str, str]]:
    """Fields of the request that ask for more than text and functions, and for what."""
    request = recording.request
    for field, why in FIELDS.items():
        if request.get(field) and not (field == "prompt" and recording.path == "/completions"):
            yield field, why
    if "audio" in (request.get("modalities") or ()):
        yield "modalities", "audio"
    yield from _tools(request)
    for field in ("messages", "input"):
        yield from ((field, why) for why in _contents(request.get(field)))
    yield from _kept(recording, known)


def _tools(request: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for tool in request.get("tools") or ():
        if isinstance(tool, dict) and tool.get("type") not in ("function", None):
            yield "(tools|tool_choice|include)", f"tool {tool['type']}"


def _contents(given: Any) -> Iterator[str]:
    for item in given if isinstance(given, list) else ():
        if not isinstance(item, dict):
            continue
        kind = item.get("type")
        if kind not in (*ITEMS, None):
            yield f"item {kind}"
        for content in (item.get("content"), item.get("output")):
            for part in content if isinstance(content, list) else ():
                if isinstance(part, dict) and part.get("type") in PARTS:
                    yield PARTS[part["type"]]


def _kept(recording: Recording, known: set[str]) -> Iterator[tuple[str, str]]:
    """Ids of what was made before the cassette begins."""
    why = "items kept by OpenAI"
    earlier = recording.request.get("previous_response_id")
    if earlier and earlier not in known:
        yield "previous_response_id", why
    if earlier and any(call not in known for call in _answered_calls(recording.request)):
        yield "input", "an answer to a call that was not made here"
    if (name := re.match(r"/responses/(resp_\w+)", recording.path)) and name[1] not in known:
        yield "", why
    for item in _items(recording.request):
        if item.get("type") == "item_reference" and item.get("id") not in known:
            yield "input", why


def _answered_calls(request: dict[str, Any]) -> Iterator[Any]:
    """The ids of calls whose results are sent without the calls."""
    items = list(_items(request))
    made = {item.get("call_id") for item in items if item.get("type") == "function_call"}
    results = (item for item in items if item.get("type") == "function_call_output")
    yield from (item.get("call_id") for item in results if item.get("call_id") not in made)


def _items(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    given = request.get("input")
    yield from (
        item for item in (given if isinstance(given, list) else ()) if isinstance(item, dict)
    )
