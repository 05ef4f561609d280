"""Servers that confuse completions with chat."""

from __future__ import annotations

from typing import Any

from conformance.tests.mutation import Json, Mutant, spoils


@spoils("completions.shape")
class AnswersAsChat(Mutant):
    also = ("completions.unsupported",)

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        for choice in body.get("choices", []):
            choice["message"] = {"role": "assistant", "content": choice.pop("text")}
        return status, body


@spoils("completions.stream")
class StreamsDeltas(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        for choice in chunk["choices"]:
            choice["delta"] = {"content": choice["text"]}
        return [chunk]


@spoils("completions.unsupported")
class IgnoresEcho(Mutant):
    def request(self, path: str, body: Json) -> Json:
        return {**body, "echo": False}
