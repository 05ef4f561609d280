"""Servers that confuse completions with chat."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from conformance.tests.features import Completions
from conformance.tests.mutation import Json, spoils


@spoils("completions.shape")
class AnswersAsChat(Completions):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        for choice in body.get("choices", []):
            choice["message"] = {"role": "assistant", "content": choice.pop("text")}
        return status, body


@spoils("completions.stream")
class StreamsDeltas(Completions):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        for choice in chunk["choices"]:
            choice["delta"] = {"content": choice["text"]}
        return [chunk]


@spoils("completions.unsupported")
class IgnoresEcho(Completions):
    async def before(self, request: Json, path: str) -> Response | None:
        return await super().before({**request, "echo": False}, path)
