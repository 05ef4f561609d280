"""Broken streams of Responses."""

from __future__ import annotations

from conformance.tests.mutants_responses import Whole, asks
from conformance.tests.mutation import Json, Mutant, spoils


class Told(Mutant):
    """Spoils the events of a stream, and numbers what is left of them."""

    def __init__(self) -> None:
        self.number = 0

    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        if chunk["type"] == "response.created":
            self.number = 0
        told = self.tell(chunk["type"].removeprefix("response."), chunk, request)
        for event in told:
            event["sequence_number"] = self.number
            self.number += 1
        return told

    def tell(self, kind: str, event: Json, request: Json) -> list[Json]:
        """What is sent in place of an event."""
        raise NotImplementedError


# --- of every stream ----------------------------------------------------------------


@spoils("responses.stream_created_first")
class BeginsInProgress(Told):
    also = ("responses.sdk_stream", "responses.stream_grammar")

    def tell(self, kind: str, event: Json, request: Json) -> list[Json]:
        return [] if kind == "created" else [event]


@spoils("responses.stream_grammar")
class PartsAreNeverDone(Told):
    def tell(self, kind: str, event: Json, request: Json) -> list[Json]:
        return [] if kind == "content_part.done" else [event]


@spoils("responses.sequence")
class NumbersFromOne(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        return [{**chunk, "sequence_number": chunk["sequence_number"] + 1}]


@spoils("responses.event_name")
class ShortNames(Mutant):
    def event(self, line: bytes) -> bytes:
        return line.replace(b"event: response.", b"event: ")


@spoils("responses.event_schema")
class PlacesAsFloats(Told):
    def tell(self, kind: str, event: Json, request: Json) -> list[Json]:
        if kind == "content_part.done":
            event["content_index"] = 0.0
        return [event]


@spoils("responses.item_identity")
class DeltasOfAnotherItem(Told):
    def tell(self, kind: str, event: Json, request: Json) -> list[Json]:
        return [{**event, "item_id": "msg_0"} if kind == "output_text.delta" else event]


@spoils("responses.terminal")
class GoesOnAfterTheEnd(Told):
    also = ("responses.incomplete",)

    def tell(self, kind: str, event: Json, request: Json) -> list[Json]:
        if kind not in ("completed", "incomplete"):
            return [event]
        return [event, {"type": "keepalive"}]


@spoils("responses.no_done")
class DoneAfterTheEnd(Mutant):
    def event(self, line: bytes) -> bytes:
        last = line.startswith((b"event: response.completed", b"event: response.incomplete"))
        return line + b"data: [DONE]\n\n" if last else line


@spoils("responses.deltas_add_up")
class TextsEndInANewLine(Told):
    def tell(self, kind: str, event: Json, request: Json) -> list[Json]:
        if kind == "output_text.done":
            event["text"] += "\n"
        return [event]


# --- asked for ----------------------------------------------------------------------


@spoils("responses.sdk_stream")
class NoListForParts(Told):
    def tell(self, kind: str, event: Json, request: Json) -> list[Json]:
        if kind == "output_item.added" and event["item"]["type"] == "message":
            event["item"]["content"] = None
        return [event]


@spoils("responses.equals_nonstream")
class ForgetsTheTemperature(Told):
    def tell(self, kind: str, event: Json, request: Json) -> list[Json]:
        if kind == "completed":
            event["response"]["temperature"] = 1
        return [event]


@spoils("responses.incremental")
class AllAtOnce(Mutant):
    def __init__(self) -> None:
        self.held = b""

    def event(self, line: bytes) -> bytes:
        self.held += line
        if line.startswith(b"event: response.output_text.delta"):
            return b""
        held, self.held = self.held, b""
        return held


@spoils("responses.failed")
class FailsWithoutAReason(Told):
    def tell(self, kind: str, event: Json, request: Json) -> list[Json]:
        if kind == "failed":
            event["response"]["error"] = None
        return [event]


@spoils("responses.reasoning_item")
class ThinksAfterwards(Whole):
    def response(self, response: Json, request: Json) -> None:
        if asks(request, "Ada") and response["output"][0]["type"] == "reasoning":
            response["output"].reverse()


@spoils("responses.heartbeat")
class SilentUntilTheFirstItem(Told):
    def tell(self, kind: str, event: Json, request: Json) -> list[Json]:
        return [] if kind == "in_progress" and self.number > 1 else [event]


@spoils("responses.cancelled")
class GoesOnForNobody(Mutant):
    def keeps_reading(self, request: Json) -> bool:
        return asks(request, "leaving leaving")
