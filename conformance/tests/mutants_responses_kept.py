"""Servers that keep Responses badly."""

from __future__ import annotations

from typing import Any

from conformance.checks.responses import LONG
from conformance.tests.mutants_responses import asks, items
from conformance.tests.mutation import Json, Mutant, spoils


@spoils("responses.retrieve")
class KeepsNoOutput(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if not request and "output" in body:
            body["output"] = []
        return status, body


@spoils("responses.unstored")
class KeepsEverything(Mutant):
    def request(self, path: str, body: Json) -> Json:
        return {**body, "store": True}


@spoils("responses.delete")
class DeniesDeletion(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if "deleted" in body:
            body["deleted"] = False
        return status, body


@spoils("responses.input_items")
class ListsBackwards(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if path.endswith("/input_items") and status == 200:
            body["data"].reverse()
        return status, body


@spoils("responses.cancel")
class CancelsWhatHasEnded(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if path.endswith("/cancel") and status == 400:
            return 200, {"object": "response", "status": "cancelled"}
        return status, body


@spoils("responses.previous_id")
class ForgetsTheConversation(Mutant):
    def request(self, path: str, body: Json) -> Json:
        if body.get("store") and asks(body, "Who am I?"):
            body["previous_response_id"] = None
        return body


@spoils("responses.previous_instructions")
class InstructsForGood(Mutant):
    def __init__(self) -> None:
        self.instructions: str | None = None

    def request(self, path: str, body: Json) -> Json:
        if body.get("instructions") == LONG:
            self.instructions = LONG
        elif body.get("previous_response_id") and self.instructions:
            body["instructions"], self.instructions = self.instructions, None
        return body


@spoils("responses.previous_repeats")
class TakesRepetitionsForNew(Mutant):
    """It knows messages by their very words, so one word more is a new one."""

    def request(self, path: str, body: Json) -> Json:
        for item in items(body) if body.get("previous_response_id") else []:
            if item.get("role") == "user":
                item["content"] += " Please."
        return body


@spoils("responses.item_reference")
class KnowsNoReferences(Mutant):
    def request(self, path: str, body: Json) -> Json:
        for item in items(body):
            if item.get("type") == "item_reference":
                item["id"] += "0"
        return body
