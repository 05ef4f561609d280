"""Servers that are fine but for what an agent's user gets."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from conformance.tests.actor import (
    INTRODUCTION,
    PARALLEL,
    RECALL,
    STREAM,
    STRUCTURED,
    TEXT,
    TOOL,
    Actor,
    weather,
)
from conformance.tests.features import refusal
from conformance.tests.mutation import Json, spoils


@spoils("fw.text[openai]")
class AnswersNothing(Actor):
    lines = Actor.lines | {TEXT: " "}


@spoils("fw.stream[openai]")
class StreamsInOnePiece(Actor):
    lines = Actor.lines | {STREAM: "One,two,three,four,five."}


@spoils("fw.memory[openai]")
class ReadsTheLastMessageOnly(Actor):
    def request(self, path: str, body: Json) -> Json:
        if "tools" not in body and "messages" in body:
            body["messages"] = body["messages"][-1:]
        return super().request(path, body)


@spoils("fw.tool[openai]")
class SendsACallTwice(Actor):
    lines = Actor.lines | {TOOL: weather("Paris", "Paris")}


@spoils("fw.parallel[openai]")
class KeepsTheFirstCallOnly(Actor):
    lines = Actor.lines | {PARALLEL: weather("Paris")}


@spoils("fw.structured[openai]")
class FillsInAnything(Actor):
    lines = Actor.lines | {STRUCTURED: '{"name": "", "age": 0}'}


@spoils("fw.errors[openai]")
class InvitesToTryAgain(Actor):
    def headers(self, headers: dict[str, str], status: int, path: str) -> dict[str, str]:
        return {**headers, "x-should-retry": "true"} if status == 404 else headers


@spoils("fw.usage[openai]")
class CountsThePromptTwice(Actor):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if status == 200 and "usage" in body:
            body["usage"]["prompt_tokens"] *= 2
        return status, body


@spoils("fw.examples[openai]")
class WasMadeForTheTest(Actor):
    """It refuses questions that it does not know."""

    known = frozenset({*Actor.lines, INTRODUCTION, RECALL})

    async def before(self, request: Json, path: str) -> Response | None:
        questions = [m["content"] for m in request.get("messages", []) if m["role"] == "user"]
        if self.known.issuperset(questions):
            return None
        return refusal("I do not know.", "messages")
