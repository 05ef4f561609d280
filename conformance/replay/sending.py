"""A recorded request, made to fit another server: its address, its key, the name of its model,
the ids of what it has made itself, and images that it need not fetch."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from conformance.client import Exchange, Sent
from conformance.replay.answers import objects
from conformance.replay.pictures import shown
from conformance.replay.recording import Recording
from conformance.target import Target

KEPT = ("accept", "content-type", "openai-beta", "user-agent", "x-mlx-router-", "x-stainless-")
"""Headers by which clients differ; the others are of one connection or of one account."""

WRONG_KEY = "a-wrong-key"


@dataclass
class Names:
    """What OpenAI's ids of a cassette are called by the server."""

    ours: dict[str, str] = field(default_factory=dict)

    def learn(self, recording: Recording, answer: Exchange) -> None:
        """From two answers to the same request. Items of a kind go by their order."""
        theirs, ours = _ids(recording.exchange), _ids(answer)
        for kind, names in theirs.items():
            self.ours.update(zip(names, ours.get(kind, ()), strict=False))

    def put_in(self, text: str) -> str:
        for theirs, ours in self.ours.items():
            text = text.replace(theirs, ours)
        return text


def request(recording: Recording, target: Target, names: Names) -> Sent:
    sent, answer = recording.exchange.sent, recording.exchange.received
    path = sent.url.partition("/v1")[2]
    headers = {n: v for n, v in sent.headers.items() if n.startswith(KEPT) and v.isascii()}
    key = WRONG_KEY if answer.status == 401 else target.api_key
    headers["authorization"] = f"Bearer {key}"
    body = sent.body
    if recording.request:
        body = _renamed(recording, target.model, names).encode()
    return Sent(sent.method, target.base_url + names.put_in(path), headers, body)


def _renamed(recording: Recording, model: str, names: Names) -> str:
    """The body with the server's names. Its text stays as it is where that can be."""
    text = names.put_in((recording.exchange.sent.body or b"").decode("utf-8", "replace"))
    if recording.exchange.received.status < 400:
        text = shown(text)
    wanted = json.loads(text)
    if "model" not in wanted or _unknown_model(recording.exchange):
        return text
    theirs, wanted["model"] = wanted["model"], model
    for quoted in (f'"model":{json.dumps(theirs)}', f'"model": {json.dumps(theirs)}'):
        changed = text.replace(quoted, f'"model": {json.dumps(model)}', 1)
        if json.loads(changed) == wanted:
            return changed
    return json.dumps(wanted)


def _unknown_model(exchange: Exchange) -> bool:
    """OpenAI did not know the model, and no more should the server."""
    return exchange.received.status >= 400 and b'"model_not_found"' in exchange.received.body


def _ids(exchange: Exchange) -> dict[str, list[str]]:
    """Of the response and its items, by kind, in order."""
    if exchange.received.status >= 400:
        return {}
    answers = list(objects(exchange.received.body))
    last = answers[-1] if answers else {}
    response: dict[str, Any] = last.get("response", last)
    items = response.get("output")
    found: dict[str, list[str]] = {}
    for thing in (response, *(items if isinstance(items, list) else ())):
        names = (thing.get("id"), thing.get("call_id")) if isinstance(thing, dict) else ()
        for name in names:
            if isinstance(name, str):
                found.setdefault(name.partition("_")[0], []).append(name)
    return found
