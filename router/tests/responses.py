"""Responses as tests ask for them, and the rules that each stream is held to."""

from __future__ import annotations

import json
from typing import Any

import httpx

from router.tests import scripts
from router.tests.conftest import MODEL, Server

Json = dict[str, Any]

PATH = "/v1/responses"

WEATHER: Json = {"type": "function", "strict": True, **scripts.WEATHER["function"]}  # type: ignore[dict-item]


def asked(server: Server, input: object, **fields: object) -> httpx.Response:
    return server.http.post(PATH, json={"model": MODEL, "input": input} | fields)


def created(server: Server, input: object, **fields: object) -> Json:
    response = asked(server, input, **fields)
    assert response.status_code == 200, response.text
    body: Json = response.json()
    return body


def events(server: Server, input: object, **fields: object) -> list[Json]:
    """The events of a stream, as they were on the wire."""
    response = asked(server, input, stream=True, **fields)
    assert response.headers["content-type"].startswith("text/event-stream"), response.text
    return read(response.text)


def read(body: str) -> list[Json]:
    """Each event is named like its type, they are numbered from 0, and no [DONE] follows."""
    found = []
    for number, block in enumerate(body.split("\n\n")[:-1]):
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        assert event["sequence_number"] == number
        found.append(event)
    return found


def types(found: list[Json]) -> list[str]:
    return [event["type"] for event in found]


def output_text(response: Json) -> str:
    """The text of all its messages; there is at least one."""
    messages = [item for item in response["output"] if item["type"] == "message"]
    assert messages
    return "".join(part["text"] for message in messages for part in message["content"])
