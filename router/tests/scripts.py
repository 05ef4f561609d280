"""What the scripted engine is told to play, and what came of it on the wire."""

from __future__ import annotations

import json
from typing import Any

from router.tests.conftest import Server

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    },
}


def script(text: str, **fields: object) -> str:
    """A message that makes the scripted engine answer with this text."""
    return json.dumps({"script": {"text": text, **fields}})


def call(name: str, **arguments: object) -> str:
    """A tool call as the scripted engine's model writes it."""
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


def events(server: Server, content: str, **fields: object) -> list[dict[str, Any]]:
    """The chunks of a stream as they were on the wire; the stream must end with [DONE]."""
    body = server.chat(content, stream=True, **fields).text
    lines = [line for line in body.split("\n\n") if line]
    assert all(line.startswith("data: ") and "\n" not in line for line in lines), body
    assert lines[-1] == "data: [DONE]", body
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def deltas(chunks: list[dict[str, Any]], choice: int = 0) -> list[dict[str, Any]]:
    """The deltas of one choice, in order."""
    found = [c for chunk in chunks for c in chunk["choices"] if c["index"] == choice]
    return [c["delta"] for c in found]
