"""Broken structured output."""

from __future__ import annotations

import json
from typing import Any

from conformance.tests.features import CHAT
from conformance.tests.mutation import Json, Mutant, spoils


class SpoiltChoice(Mutant):
    """Spoils each choice of an answer whose format was asked for."""

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if status == 200 and path == CHAT and request.get("response_format"):
            for choice in body["choices"]:
                self.choice(choice, request)
        return status, body

    def choice(self, choice: Json, request: Json) -> None: ...


class Tolerant(Mutant):
    """Ignores a response_format that it dislikes, where it should refuse it."""

    def ignores(self, wanted: Json) -> bool:
        return False

    def request(self, path: str, body: Json) -> Json:
        if self.ignores(body.get("response_format") or {}):
            del body["response_format"]
        return body


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
class FencedInStreams(Mutant):
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
class OtherWords(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if status == 400:
            said = body["error"]["message"]
            body["error"]["message"] = said.replace("Invalid schema for response_format", "Bad")
        return status, body


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
