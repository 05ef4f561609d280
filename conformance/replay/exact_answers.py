"""OpenAI's answers, to be said again by the scripted engine, and how what came of it differs.

A recorded request keeps all it has and gets the script in a header. So nothing is left to make a
difference but what stands between a model and its client: calls parsed and validated, the wire,
the stream.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from types import ModuleType
from typing import Any

from conformance.client import Exchange
from conformance.replay import exact_chat, exact_responses
from conformance.replay.answers import is_stream
from conformance.replay.exact_told import Json, Told, as_json
from conformance.replay.outcome import Fault
from conformance.replay.recording import Recording

HEADER = "x-mlx-router-script"
APIS: dict[str, ModuleType] = {"/chat/completions": exact_chat, "/responses": exact_responses}

LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
APART = (AttributeError, LookupError, TypeError, StopIteration)
"""What is raised by putting together what does not belong so."""

STAND_IN = [{"text": "?"}]
"""Said where OpenAI's answer cannot be, because a later request may build upon it."""


def holds_words(recording: Recording) -> bool:
    """Did a model say something in it, in one of the newer APIs?"""
    sent, received = recording.exchange.sent, recording.exchange.received
    return received.status == 200 and sent.method == "POST" and recording.path in APIS


def with_scripts(recordings: Iterable[Recording]) -> list[Recording]:
    """Where a model said something it is told to say it again; the others are as they were."""
    return [scripted(one) if holds_words(one) else one for one in recordings]


def beyond(recording: Recording) -> str | None:
    """What is in the answer that no model of text can say."""
    try:
        told = _told(recording, recording.exchange)
    except APART:
        return "what cannot be put together"
    found: str | None = APIS[recording.path].beyond(told)
    return found


def scripted(recording: Recording) -> Recording:
    """With the script in its request. One stands for every choice, and is said as one token where
    the request limits those of OpenAI."""
    scripts = STAND_IN if beyond(recording) else _scripts(recording)
    header = {HEADER: json.dumps(scripts[0] if len(scripts) == 1 else scripts)}
    sent = recording.exchange.sent
    sent = replace(sent, headers=sent.headers | header)
    return replace(recording, exchange=replace(recording.exchange, sent=sent))


def _scripts(recording: Recording) -> list[Json]:
    """Held to the request, where that is what OpenAI had; but JSON that was cut keeps its spaces,
    and they may be others than those a grammar has."""
    request = recording.request
    scripts: list[Json] = APIS[recording.path].scripts(_told(recording, recording.exchange))
    if any(request.get(limit) for limit in LIMITS):
        scripts = [{**one, "pieces": [one["text"]]} if one["text"] else one for one in scripts]
    cut = _wants_json(recording) and any(one["finish_reason"] == "length" for one in scripts)
    return [{**one, "held": not cut and not _sorted(request)} for one in scripts]


def _sorted(value: Any) -> bool:
    """Have its keys been put in order by a recorder? Models follow the order of a schema's."""
    if isinstance(value, dict):
        return list(value) == sorted(value) and all(map(_sorted, value.values()))
    return all(map(_sorted, value)) if isinstance(value, list) else True


def judge(recording: Recording, answer: Exchange) -> list[Fault]:
    """Where the answer is not OpenAI's, in its events or in what it says; nothing, where that
    could not be told."""
    recorded, got = recording.exchange.received.body, answer.received.body
    if beyond(recording):
        return []
    if is_stream(got) != is_stream(recorded):
        return [Fault("type", "body", "a stream where none was recorded, or none where one was")]
    try:
        found = _told(recording, recording.exchange).differences(_told(recording, answer))
    except APART as error:
        found = [("body", f"it cannot be put together: {error!r}")]
    return [Fault("grammar" if at.startswith("order") else "meaning", at, how) for at, how in found]


def _told(recording: Recording, exchange: Exchange) -> Told:
    read = as_json if _wants_json(recording) else str
    told: Told = APIS[recording.path].told(exchange.received.body, read)
    return told


def _wants_json(recording: Recording) -> bool:
    request = recording.request
    wanted = request.get("response_format") or (request.get("text") or {}).get("format") or {}
    return wanted.get("type") in ("json_object", "json_schema")
