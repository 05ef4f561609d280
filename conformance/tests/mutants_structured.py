"""Broken structured output, in front of the layer that has it."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from conformance.tests.features import CHAT, JsonOutput
from conformance.tests.mutation import Json, spoils


class SpoiltChoice(JsonOutput):
    """Spoils each choice of an answer whose format was asked for."""

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if status == 200 and path == CHAT and request.get("response_format"):
            for choice in body["choices"]:
                self.choice(choice, request)
        return status, body

    def choice(self, choice: Json, request: Json) -> None: ...


class Tolerant(JsonOutput):
    """Ignores a response_format that it dislikes, where it should refuse it."""

    def ignores(self, wanted: Json) -> bool:
        return False

    async def before(self, request: Json, path: str) -> Response | None:
        return None if self._ignored(request) else await super().before(request, path)

    def request(self, path: str, body: Json) -> Json:
        if self._ignored(body):
            del body["response_format"]
        return super().request(path, body)

    def _ignored(self, request: Json) -> bool:
        return self.ignores(request.get("response_format") or {})


@spoils("json.object")
class ProseForObject(Tolerant):
    def ignores(self, wanted: Json) -> bool:
        return wanted.get("type") == "json_object"


@spoils("json.schema_valid")
class RequiredNotEnforced(SpoiltChoice):
    def choice(self, choice: Json, request: Json) -> None:
        text = choice["message"]["content"] or ""
        if choice["finish_reason"] == "stop" and "to_stop" in text:
            document = json.loads(text)
            del document["to_stop"]
            choice["message"]["content"] = json.dumps(document)


@spoils("json.schema_stream")
class FencedInStreams(JsonOutput):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        for choice in chunk["choices"]:
            if choice["delta"].get("content", "").startswith("{"):
                choice["delta"]["content"] = "```json\n" + choice["delta"]["content"]
        return [chunk]


@spoils("json.sdk_parse")
class SchemasOfTheSdkIgnored(Tolerant):
    def ignores(self, wanted: Json) -> bool:
        return (wanted.get("json_schema") or {}).get("name") == "Ticket"


@spoils("json.length")
class CutMeansStop(SpoiltChoice):
    def choice(self, choice: Json, request: Json) -> None:
        if choice["finish_reason"] == "length":
            choice["finish_reason"] = "stop"


@spoils("json.missing_schema")
class AnySchemaWillDo(Tolerant):
    def ignores(self, wanted: Json) -> bool:
        described = wanted.get("json_schema") or {}
        return wanted.get("type") == "json_schema" and "schema" not in described


@spoils("json.bad_schema")
class OtherWords(JsonOutput):
    async def before(self, request: Json, path: str) -> Response | None:
        response = await super().before(request, path)
        if response is None:
            return None
        body = bytes(response.body).replace(b"Invalid schema for response_format", b"Bad schema")
        return Response(body, response.status_code, media_type="application/json")


@spoils("json.unknown_type")
class UnknownTypesIgnored(Tolerant):
    def ignores(self, wanted: Json) -> bool:
        return wanted.get("type") not in (None, "text", "json_object", "json_schema")


@spoils("json.with_tools")
class ProseBesideTools(SpoiltChoice):
    def choice(self, choice: Json, request: Json) -> None:
        if request.get("tools"):
            choice["message"] = {"role": "assistant", "content": "The tide is high."}
            choice["finish_reason"] = "stop"


@spoils("json.recursive")
class RecursionIgnored(Tolerant):
    def ignores(self, wanted: Json) -> bool:
        schema = (wanted.get("json_schema") or {}).get("schema") or {}
        return '"#"' in json.dumps(schema)
