"""Broken tool calls: in streams, and where the model writes what is no call."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import JSONResponse, Response

from conformance.tests.mutants_tools import Calls, made, names
from conformance.tests.mutation import Json, Mutant, spoils


def last(request: Json) -> str:
    return str(request["messages"][-1]["content"])


class Parts(Mutant):
    """Spoils each part of a call in a stream."""

    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        for part in parts(chunk):
            self.part(part, request)
        return [chunk]

    def part(self, part: Json, request: Json) -> None:
        raise NotImplementedError


def parts(chunk: Json) -> list[Json]:
    return [part for choice in chunk["choices"] for part in choice["delta"].get("tool_calls") or []]


# --- a call in a stream ---------------------------------------------------------------


@spoils("tools.stream_first_delta")
class HeadWithoutArguments(Parts):
    def part(self, part: Json, request: Json) -> None:
        if "id" in part:
            del part["function"]["arguments"]


@spoils("tools.stream_once")
class TypeInEveryDelta(Parts):
    def part(self, part: Json, request: Json) -> None:
        part["type"] = "function"


@spoils("tools.stream_index")
class IndexFromOne(Parts):
    def part(self, part: Json, request: Json) -> None:
        part["index"] += 1


@spoils("tools.stream_sequential")
class ClosesFirstCallLate(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        if not any(part["index"] == 1 and "id" in part for part in parts(chunk)):
            return [chunk]
        late = {"index": 0, "function": {"arguments": " "}}
        delta = {**chunk["choices"][0], "delta": {"tool_calls": [late]}}
        return [chunk, {**chunk, "choices": [delta]}]


@spoils("tools.stream_equals")
class StreamsLowerCase(Parts):
    def part(self, part: Json, request: Json) -> None:
        if names(request) == ["plan_trip"]:
            part["function"]["arguments"] = part["function"]["arguments"].lower()


@spoils("tools.stream_args_incremental")
class ArgumentsInOnePiece(Mutant):
    """Holds the arguments of a note until its stream ends."""

    def __init__(self) -> None:
        self.held = ""

    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        if names(request) != ["save_note"]:
            return [chunk]
        for part in parts(chunk):
            self.held += part["function"]["arguments"]
            part["function"]["arguments"] = ""
        (choice,) = chunk["choices"]
        if not choice["finish_reason"]:
            return [chunk]
        whole = {"index": 0, "function": {"arguments": self.held}}
        self.held = ""
        delta = {**choice, "delta": {"tool_calls": [whole]}, "finish_reason": None}
        return [{**chunk, "choices": [delta]}, chunk]


# --- what the model writes ------------------------------------------------------------


def call(name: str, arguments: str) -> Json:
    function = {"name": name, "arguments": arguments}
    return {"id": "call_made_up", "type": "function", "function": function}


@spoils("tools.none_offered")
class FindsCallsWithoutTools(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if not names(request) and "<tool_call>" in last(request):
            message = body["choices"][0]["message"]
            message.update(content=None, tool_calls=[call("get_weather", '{"city": "Rome"}')])
        return status, body


@spoils("tools.parallel_two")
class FirstCallOnly(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        del made(body)[1:]
        return status, body


@spoils("tools.scalar_types")
class ValuesAsWritten(Calls):
    """What an XML-style parser makes of arguments when it does not look at the schema."""

    def call(self, call: Json, request: Json) -> None:
        if names(request) == ["set_options"]:
            text = call["function"]["arguments"].replace("null", '"null"')
            call["function"]["arguments"] = text


@spoils("tools.string_fidelity")
class EndsAtTheMarker(Calls):
    def call(self, call: Json, request: Json) -> None:
        arguments = json.loads(call["function"]["arguments"] or "{}")
        if names(request) == ["save_note"]:
            arguments["text"] = arguments["text"].partition("</tool_call>")[0]
            call["function"]["arguments"] = json.dumps(arguments)


@spoils("tools.truncated")
class HalfACall(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        choice = body.get("choices", [{}])[0]
        if names(request) and choice.get("finish_reason") == "length":
            choice["message"]["tool_calls"] = [call("get_weather", '{"city": "a long')]
        return status, body


@spoils("tools.malformed")
class FailsOnMalformed(Mutant):
    async def before(self, request: Json, path: str) -> Response | None:
        if "Troms" not in last(request):
            return None
        error = {"message": "Bad call.", "type": "server_error", "param": None, "code": None}
        return JSONResponse({"error": error}, 500)


@spoils("tools.text_then_call")
class LosesTextBeforeCall(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        if "Let me look" in last(request):
            for choice in chunk["choices"]:
                choice["delta"].pop("content", None)
        return [chunk]
