"""OpenAI's answers, to be said again by the scripted engine, and how what came of it differs.

A recorded request keeps all it has and gets the script in a header. So nothing is left to make a
difference but what stands between a model and its client: calls parsed and validated, the wire,
the stream.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import ModuleType

from conformance.client import Exchange
from conformance.replay import exact_chat, exact_responses
from conformance.replay.answers import is_stream
from conformance.replay.exact_told import Json
from conformance.replay.outcome import Fault
from conformance.replay.recording import Recording

HEADER = "x-mlx-router-script"
APIS: dict[str, ModuleType] = {"/chat/completions": exact_chat, "/responses": exact_responses}

LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
STAND_IN = [{"text": "?"}]
"""Said where OpenAI's answer cannot be, because a later request may build upon it."""


def told(recordings: Iterable[Recording]) -> Iterator[Recording]:
    """Those that hold what a model said, in one of the newer APIs."""
    for one in recordings:
        answered = one.exchange.received.status == 200
        if answered and one.exchange.sent.method == "POST" and one.path in APIS:
            yield one


def beyond(recording: Recording) -> str | None:
    """What is in the answer that no model of text can say."""
    api = APIS[recording.path]
    found: str | None = api.beyond(api.told(recording.exchange.received.body))
    return found


def scripted(recording: Recording) -> Recording:
    """With the script in its request. One stands for every choice, and is said as one token where
    the request limits those of OpenAI."""
    api = APIS[recording.path]
    answer = api.told(recording.exchange.received.body)
    scripts: list[Json] = STAND_IN if api.beyond(answer) else api.scripts(answer)
    if any(recording.request.get(limit) for limit in LIMITS):
        scripts = [{**one, "pieces": [one["text"]]} if one["text"] else one for one in scripts]
    header = {HEADER: json.dumps(scripts[0] if len(scripts) == 1 else scripts)}
    sent = recording.exchange.sent
    sent = replace(sent, headers=sent.headers | header)
    return replace(recording, exchange=replace(recording.exchange, sent=sent))


def judge(recording: Recording, answer: Exchange) -> list[Fault]:
    """Where the answer is not OpenAI's, in its events or in what it says; nothing, where that
    could not be told."""
    api = APIS[recording.path]
    recorded, got = recording.exchange.received.body, answer.received.body
    wanted = api.told(recorded)
    if api.beyond(wanted):
        return []
    if is_stream(got) != is_stream(recorded):
        return [Fault("type", "body", "a stream where none was recorded, or none where one was")]
    try:
        found = wanted.differences(api.told(got))
    except (LookupError, TypeError, StopIteration) as error:
        found = [("body", f"it cannot be put together: {error!r}")]
    return [Fault("grammar" if at.startswith("order") else "meaning", at, how) for at, how in found]
