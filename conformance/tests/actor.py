"""A model that is able enough for agents, in front of the scripted engine, which is not."""

from __future__ import annotations

import json
from typing import ClassVar

from conformance.session import script
from conformance.tests.mutation import Json, Mutant

TEXT = "What is the capital of France?"
STREAM = "Count from 1 to 5."
INTRODUCTION = "My name is Alice."
RECALL = "What is my name?"
TOOL = "What is the weather in Paris?"
PARALLEL = "What is the weather in Paris and in London?"
STRUCTURED = "Anna is 31 years old."


def weather(*cities: str) -> str:
    """The calls of a model that wants to know the weather there."""
    calls = [{"name": "get_weather", "arguments": {"city": city}} for city in cities]
    return "\n".join(f"<tool_call>{json.dumps(call)}</tool_call>" for call in calls)


class Actor(Mutant):
    """It knows what ``agents/scenarios.py`` will ask. The rest is the scripted engine's own:
    telling the results of tools, and small talk."""

    features = frozenset({"agents"})
    lines: ClassVar = {
        TEXT: "The capital of France is Paris.",
        STREAM: "One, two, three, four, five.",
        TOOL: weather("Paris"),
        PARALLEL: weather("Paris", "London"),
        STRUCTURED: '{"name": "Anna", "age": 31}',
    }

    def request(self, path: str, body: Json) -> Json:
        messages = body.get("messages") or [{}]
        if line := self.line(messages):
            messages[-1]["content"] = script(line)
        return body

    def line(self, messages: list[Json]) -> str | None:
        question = messages[-1].get("content")
        if question == RECALL:
            known = any(message.get("content") == INTRODUCTION for message in messages)
            return "Your name is Alice." if known else "You did not tell me."
        return self.lines.get(question) if isinstance(question, str) else None
