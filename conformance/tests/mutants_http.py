"""Servers with broken ground: models, plain HTTP, keys."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from conformance.tests.mutation import Json, Mutant, spoils

MODELS = "/v1/models"


@spoils("models.list_shape")
class CreatedIsAFloat(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        for entry in body["data"] if path == MODELS else [body]:
            if "created" in entry:
                entry["created"] += 0.5
        return status, body


@spoils("models.list_contains_target")
class ListsAModelTwice(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if path == MODELS:
            body["data"] *= 2
        return status, body


@spoils("models.created_stable")
class CreatedIsNow(Mutant):
    also = ("models.retrieve",)

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if path == MODELS:
            for entry in body["data"]:
                entry["created"] = int(time.time())
        return status, body


@spoils("models.retrieve")
class RetrievesAnother(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if status == 200 and path != MODELS:
            body["id"] = "the-loaded-model"
        return status, body


@spoils("models.retrieve_unknown")
class RetrievesAnything(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if status == 404:
            return 200, {"id": path.removeprefix(f"{MODELS}/"), "object": "model"}
        return status, body


@spoils("http.json_content_type")
class JsonAsText(Mutant):
    def headers(self, headers: dict[str, str], status: int, path: str) -> dict[str, str]:
        return {**headers, "content-type": "text/plain"} if path == MODELS else headers


@spoils("http.unknown_route")
class FrameworksNotFound(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        return (404, {"detail": "Not Found"}) if path.endswith("route") else (status, body)


@spoils("http.method_not_allowed")
class NoAllow(Mutant):
    def headers(self, headers: dict[str, str], status: int, path: str) -> dict[str, str]:
        return {name: value for name, value in headers.items() if name != "allow"}


@spoils("http.malformed_json")
class MalformedIsAFault(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        malformed = "error" in body and body["error"]["code"] == "invalid_json"
        return (500 if malformed else status), body


@spoils("http.non_object_body")
class NonObjectIsAFault(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        scalar = "error" in body and body["error"]["code"] == "invalid_type"
        return (500 if scalar else status), body


@spoils("http.request_id")
class NoIdOnErrors(Mutant):
    def headers(self, headers: dict[str, str], status: int, path: str) -> dict[str, str]:
        dropped = "x-request-id" if status >= 400 else ""
        return {name: value for name, value in headers.items() if name != dropped}


@spoils("http.request_id_echo")
class OwnIdOnly(Mutant):
    def headers(self, headers: dict[str, str], status: int, path: str) -> dict[str, str]:
        return {**headers, "x-request-id": uuid.uuid4().hex}


@spoils("http.large_body")
class LimitOfAProxy(Mutant):
    def door(self, headers: Mapping[str, str], path: str) -> Response | None:
        if int(headers.get("content-length", 0)) > 1 << 20:
            return PlainTextResponse("Request Entity Too Large", 413)
        return None


@spoils("http.keepalive")
class ClosesAfterErrors(Mutant):
    def headers(self, headers: dict[str, str], status: int, path: str) -> dict[str, str]:
        return {**headers, "connection": "close"} if status >= 400 else headers


@spoils("http.cors_preflight")
class EveryOrigin(Mutant):
    def headers(self, headers: dict[str, str], status: int, path: str) -> dict[str, str]:
        return {**headers, "access-control-allow-origin": "*"}


@spoils("auth.any_key_ok")
class WantsSomeKey(Mutant):
    def door(self, headers: Mapping[str, str], path: str) -> Response | None:
        if "authorization" in headers or path == "/health":
            return None
        error = {"message": "No key.", "type": "auth", "param": None, "code": "invalid_api_key"}
        return JSONResponse({"error": error}, 401)


@spoils("auth.required")
class OtherCode(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if status == 401:
            body["error"]["code"] = None
        return status, body


@spoils("auth.constant_paths")
class OpenMetrics(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        return (200, {}) if path == "/metrics" else (status, body)
