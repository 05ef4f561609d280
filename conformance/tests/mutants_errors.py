"""Servers whose errors tell their clients the wrong thing."""

from __future__ import annotations

import time
from typing import Any

from starlette.responses import JSONResponse, Response

from conformance.tests.mutation import Json, Mutant, spoils

CHAT = "/v1/chat/completions"


@spoils("err.envelope")
class FrameworksNotFound(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        return (404, {"detail": "Not Found"}) if path.endswith("route") else (status, body)


@spoils("err.sdk_class")
class FaultIsTheClients(Mutant):
    also = ("err.internal",)

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        return (400 if status == 500 else status), body


@spoils("err.not_422")
class WrongTypeIs422(Mutant):
    also = ("err.envelope", "err.param_path", "err.sdk_class")

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if status == 400 and body["error"]["code"] == "invalid_type":
            return 422, {"detail": [{"loc": ["body"], "msg": body["error"]["message"]}]}
        return status, body


@spoils("err.param_path")
class TopLevelParam(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if status >= 400 and body["error"]["param"]:
            body["error"]["param"] = body["error"]["param"].partition("[")[0]
        return status, body


@spoils("err.model_not_found")
class UnknownModelIsNoCode(Mutant):
    also = ("err.sdk_class",)

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if status == 404:
            body["error"]["code"] = None
        return status, body


@spoils("err.context_length")
class CutsThePrompt(Mutant):
    def request(self, path: str, body: Json) -> Json:
        for message in body.get("messages") or []:
            if isinstance(message, dict) and isinstance(message.get("content"), str):
                message["content"] = message["content"][:20_000]
        return body


@spoils("err.queue_full")
class TellsNotWhenToRetry(Mutant):
    def headers(self, headers: dict[str, str], status: int, path: str) -> dict[str, str]:
        return {name: value for name, value in headers.items() if name != "retry-after"}


@spoils("err.loading")
class NoModelWhileLoading(Mutant):
    def __init__(self) -> None:
        self._crashed = -1.0

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if '"crash"' in str(request):
            self._crashed = time.monotonic()
        return status, body

    async def before(self, request: Json, path: str) -> Response | None:
        if path == CHAT or time.monotonic() > self._crashed + 0.5:
            return None
        message = "There is no such model."
        error = {"message": message, "type": "x", "param": None, "code": "model_not_found"}
        return JSONResponse({"error": error}, 404)


@spoils("err.no_retry_hint")
class NoHint(Mutant):
    def headers(self, headers: dict[str, str], status: int, path: str) -> dict[str, str]:
        return {name: value for name, value in headers.items() if name != "x-should-retry"}


@spoils("err.internal")
class ShowsItsTrace(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if status == 500:
            body["error"]["message"] += ' File "/opt/server/engine.py", line 12, in step'
        return status, body


@spoils("err.no_silent_ignore")
class IgnoresWebSearch(Mutant):
    def request(self, path: str, body: Json) -> Json:
        return {key: value for key, value in body.items() if key != "web_search_options"}
