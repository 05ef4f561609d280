"""Broken streams."""

from __future__ import annotations

import itertools

from starlette.responses import JSONResponse, Response

from conformance.tests.mutation import Json, Mutant, spoils

# --- of every stream ----------------------------------------------------------------


@spoils("stream.content_type")
class PlainText(Mutant):
    def headers(self, headers: dict[str, str], status: int, path: str) -> dict[str, str]:
        streams = headers.get("content-type", "").startswith("text/event-stream")
        return {**headers, "content-type": "text/plain"} if streams else headers


@spoils("stream.framing")
class DataInTwoLines(Mutant):
    def event(self, line: bytes) -> bytes:
        return line.replace(b', "object"', b',\ndata: "object"')


@spoils("stream.done_last")
class NoDone(Mutant):
    also = ("stream.options_tolerant",)

    def event(self, line: bytes) -> bytes:
        return b"" if b"[DONE]" in line else line


@spoils("stream.chunk_schema")
class CreatedInWords(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        return [{**chunk, "created": "now"}]


@spoils("stream.same_identity")
class IdForEachChunk(Mutant):
    def __init__(self) -> None:
        self.count = itertools.count()

    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        return [{**chunk, "id": f"chatcmpl-{next(self.count)}"}]


@spoils("stream.role_once")
class RoleInEveryDelta(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        for choice in chunk["choices"]:
            if not choice["finish_reason"]:
                choice["delta"]["role"] = "assistant"
        return [chunk]


@spoils("stream.finish_once_last")
class GoesOnAfterTheFinish(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        return [chunk, with_delta(chunk, {})] if finishes(chunk) else [chunk]


@spoils("stream.finish_delta_empty")
class RefusalInTheFinish(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        if finishes(chunk):
            chunk["choices"][0]["delta"] = {"refusal": None}
        return [chunk]


@spoils("stream.no_empty_choices")
class PingWithoutChoices(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        return [{**chunk, "choices": []}, chunk] if finishes(chunk) else [chunk]


@spoils("stream.usage_once")
class UsageTwice(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        return [chunk, chunk] if chunk.get("usage") else [chunk]


@spoils("stream.usage_null_elsewhere")
class NoNullUsage(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        return [{k: v for k, v in chunk.items() if (k, v) != ("usage", None)}]


@spoils("stream.no_empty_delta")
class EmptyContentAtTheEnd(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        return [with_delta(chunk, {"content": ""}), chunk] if finishes(chunk) else [chunk]


@spoils("stream.no_template_leak")
class EndOfTurnShows(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        if "Ada" in content_of(chunk):
            return [chunk, with_delta(chunk, {"content": "<|im_end|>"})]
        return [chunk]


@spoils("stream.utf8_whole")
class BrokenCharacterInAName(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        return [with_content(chunk, content_of(chunk).replace("Ada", "Ad\ufffd"))]


# --- asked for ----------------------------------------------------------------------


@spoils("chat.no_template_leak")
class EndOfTurnShowsInAnswers(Mutant):
    def answer(self, status: int, body: Json, request: Json, path: str) -> tuple[int, Json]:
        if request.get("max_tokens") == 512 and not request.get("logprobs"):
            for choice in body.get("choices", []):
                choice["message"]["content"] += "<|im_end|>"
        return status, body


@spoils("stream.usage_final")
class UsageWithTheFinish(Mutant):
    def __init__(self) -> None:
        self.finish: Json = {}

    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        if not (request.get("stream_options") or {}).get("include_usage"):
            return [chunk]
        if finishes(chunk):
            self.finish = chunk
            return []
        return [chunk] if chunk["choices"] else [{**self.finish, "usage": chunk["usage"]}]


@spoils("stream.options_tolerant")
class KnowsOnlyUsage(Mutant):
    async def before(self, request: Json, path: str) -> Response | None:
        if set(request.get("stream_options") or {}) <= {"include_usage"}:
            return None
        return JSONResponse(envelope("unknown stream option", "stream_options"), 400)


@spoils("stream.false_is_json")
class StreamsForNull(Mutant):
    def request(self, path: str, body: Json) -> Json:
        return {**body, "stream": True} if body.get("stream", False) is None else body


@spoils("stream.error_before_headers")
class RefusesInTheStream(Mutant):
    async def before(self, request: Json, path: str) -> Response | None:
        if not request.get("stream") or request.get("temperature") != "hot":
            return None
        error = JSONResponse(envelope("temperature is no number", "temperature")).body
        return Response(b"data: " + bytes(error) + b"\n\n", media_type="text/event-stream")


@spoils("stream.sdk_helper")
class NotesWithoutIndex(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        if content_of(chunk):
            chunk["choices"][0]["delta"]["notes"] = [{"sure": True}]
        return [chunk]


@spoils("stream.incremental")
class AllAtOnce(Mutant):
    def __init__(self) -> None:
        self.held = b""

    def event(self, line: bytes) -> bytes:
        self.held += line
        if b"[DONE]" not in line and b'"error"' not in line:
            return b""
        held, self.held = self.held, b""
        return held


@spoils("stream.equals_nonstream")
class WholeAnswersEndInANewLine(Mutant):
    def answer(self, status: int, body: Json, request: Json, path: str) -> tuple[int, Json]:
        for choice in body.get("choices", []):
            choice["message"]["content"] = f"{choice['message']['content']}\n"
        return status, body


@spoils("stream.utf8_boundary")
class LastByteOfAWordIsLost(Mutant):
    also = ("stream.utf8_whole",)

    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        content = content_of(chunk)
        cut = content.encode()[:-1].decode(errors="replace")
        return [chunk if content.isascii() else with_content(chunk, cut)]


@spoils("stream.stop_hold_back")
class StopIsIgnored(Mutant):
    def request(self, path: str, body: Json) -> Json:
        return {**body, "stop": None}


@spoils("stream.marker_hold_back")
class ThoughtsAreLost(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        thinks = any("reasoning_content" in c["delta"] for c in chunk["choices"])
        return [] if thinks else [chunk]


@spoils("stream.tail_kept")
class HeldBackForEver(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        return [] if content_of(chunk).endswith("<") else [chunk]


@spoils("stream.error_mid")
class DoneAfterAnError(Mutant):
    def event(self, line: bytes) -> bytes:
        return line + b"data: [DONE]\n\n" if line.startswith(b'data: {"error"') else line


@spoils("stream.heartbeat")
class SilentUntilTheFirstWord(Mutant):
    def __init__(self) -> None:
        self.held: list[Json] = []

    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        deltas = [choice["delta"] for choice in chunk["choices"]]
        if deltas == [{}] and not finishes(chunk):
            return []
        if deltas and deltas[0].get("content") == "":
            self.held = [chunk]
            return []
        held, self.held = self.held, []
        return [*held, chunk]


# --- chunks -------------------------------------------------------------------------


def finishes(chunk: Json) -> bool:
    return any(choice["finish_reason"] for choice in chunk["choices"])


def content_of(chunk: Json) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in chunk["choices"])


def with_delta(chunk: Json, delta: Json) -> Json:
    """The same chunk with another delta, and no finish."""
    return {**chunk, "choices": [{**chunk["choices"][0], "delta": delta, "finish_reason": None}]}


def with_content(chunk: Json, content: str) -> Json:
    for choice in chunk["choices"]:
        if choice["delta"].get("content"):
            choice["delta"]["content"] = content
    return chunk


def envelope(message: str, param: str) -> Json:
    kind = "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": None}}
