"""Broken tool calls: their shape, the choice between tools, and the history."""

from __future__ import annotations

import itertools
import json
from typing import Any

from starlette.responses import Response

from conformance.tests.features import name_of, refusal
from conformance.tests.mutation import Json, Mutant, spoils


def made(answer: Any) -> list[Json]:
    """The calls of an answer; of an error, none."""
    choices = answer.get("choices") or [{}]
    return choices[0].get("message", {}).get("tool_calls") or []


def names(request: Json) -> list[str]:
    return [name_of(tool) for tool in request.get("tools") or []]


class Calls(Mutant):
    """Spoils each call of whole answers that the model made of its own choice."""

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if request.get("tool_choice", "auto") == "auto":
            for call in made(body):
                self.call(call, request)
        return status, body

    def call(self, call: Json, request: Json) -> None:
        raise NotImplementedError


# --- a call ---------------------------------------------------------------------------


@spoils("tools.call_shape")
class NoType(Calls):
    def call(self, call: Json, request: Json) -> None:
        del call["type"]


@spoils("tools.args_schema_valid")
class NumbersAsStrings(Calls):
    def call(self, call: Json, request: Json) -> None:
        if call["function"]["name"] == "get_weather":
            arguments = json.loads(call["function"]["arguments"])
            text = json.dumps({key: str(value) for key, value in arguments.items()})
            call["function"]["arguments"] = text


@spoils("tools.finish_tool_calls")
class AlwaysStop(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if made(body):
            body["choices"][0]["finish_reason"] = "stop"
        return status, body


@spoils("tools.id_unique")
class CountedIds(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        for number, call in enumerate(made(body)):
            call["id"] = f"call_{number}"
        return status, body


@spoils("tools.name_offered")
class NamesWithNamespace(Calls):
    def call(self, call: Json, request: Json) -> None:
        if call["function"]["name"] == "get_weather":
            call["function"]["name"] = "functions.get_weather"

    also = ("tools.args_schema_valid",)


@spoils("tools.content_clean")
class MarkupInContent(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        for call in made(body):
            text = f"<tool_call>{json.dumps(call['function'])}</tool_call>"
            message = body["choices"][0]["message"]
            message["content"] = message["content"] or text
        return status, body


@spoils("tools.no_params")
class EmptyStringForNoArguments(Calls):
    def call(self, call: Json, request: Json) -> None:
        if call["function"]["arguments"] == "{}":
            call["function"]["arguments"] = ""


@spoils("tools.nested_schema")
class RefusesReferences(Mutant):
    async def before(self, request: Json, path: str) -> Response | None:
        if "$ref" in json.dumps(request.get("tools")):
            return refusal("A schema must not contain $ref.", "tools[0].function.parameters")
        return None


# --- which tools may be called --------------------------------------------------------


class IgnoresChoice(Mutant):
    """Drops the tool_choice where ``ignores`` says so."""

    def ignores(self, choice: Any, request: Json) -> bool:
        raise NotImplementedError

    def request(self, path: str, body: Json) -> Json:
        if self.ignores(body.get("tool_choice"), body):
            body.pop("tool_choice", None)
        return body


@spoils("tools.choice_none")
class IgnoresNone(IgnoresChoice):
    def ignores(self, choice: Any, request: Json) -> bool:
        return bool(choice == "none" and request["messages"][-1]["role"] == "user")


@spoils("tools.choice_required")
class RequiredIsAnOption(Mutant):
    """Required as if it were auto, with a model that sees no use for a tool."""

    def request(self, path: str, body: Json) -> Json:
        if body.get("tool_choice") == "required" and body.get("tools"):
            return {**body, "tool_choice": "none"}
        return body


@spoils("tools.choice_named")
class NamedIsRequired(Mutant):
    def request(self, path: str, body: Json) -> Json:
        choice = body.get("tool_choice") or {}
        if isinstance(choice, dict) and choice.get("function", {}).get("name") in names(body):
            body["tool_choice"] = "required"
        return body


@spoils("tools.choice_invalid")
class IgnoresUnknownName(IgnoresChoice):
    def ignores(self, choice: Any, request: Json) -> bool:
        if not isinstance(choice, dict) or choice.get("type") != "function":
            return False
        return choice["function"]["name"] not in names(request)


@spoils("tools.choice_allowed")
class IgnoresAllowed(IgnoresChoice):
    def ignores(self, choice: Any, request: Json) -> bool:
        return isinstance(choice, dict) and choice.get("type") == "allowed_tools"


@spoils("tools.empty_list")
class RefusesEmptyList(Mutant):
    async def before(self, request: Json, path: str) -> Response | None:
        return refusal("tools must not be empty.", "tools") if request.get("tools") == [] else None


@spoils("tools.parallel_false")
class IgnoresParallel(Mutant):
    def request(self, path: str, body: Json) -> Json:
        return {key: value for key, value in body.items() if key != "parallel_tool_calls"}


@spoils("tools.unsupported_type")
class DropsOtherTypes(Mutant):
    def request(self, path: str, body: Json) -> Json:
        if body.get("tools"):
            body["tools"] = [tool for tool in body["tools"] if tool["type"] == "function"]
        return body


@spoils("tools.deprecated_functions")
class IgnoresFunctions(Mutant):
    def request(self, path: str, body: Json) -> Json:
        return {k: v for k, v in body.items() if k not in ("functions", "function_call")}


# --- the history ----------------------------------------------------------------------


def results(body: Json) -> list[Json]:
    return [m for m in body.get("messages") or [] if m.get("role") == "tool"]


@spoils("tools.round_trip")
class LosesResult(Mutant):
    def request(self, path: str, body: Json) -> Json:
        for message in results(body):
            if isinstance(message["content"], str):
                message["content"] = ""
        return body


@spoils("tools.round_trip_order")
class DemandsOrder(Mutant):
    async def before(self, request: Json, path: str) -> Response | None:
        found = [message["tool_call_id"] for message in results(request)]
        for earlier, later in itertools.pairwise(found):
            if earlier > later:
                return refusal(f"Expected {later}.", "messages[2].tool_call_id")
        return None


@spoils("tools.history_forms")
class LosesParts(Mutant):
    """Reads results that are strings, and nothing else."""

    def request(self, path: str, body: Json) -> Json:
        for message in results(body):
            if not isinstance(message["content"], str):
                message["content"] = ""
        return body


@spoils("tools.orphan_result")
class DropsOrphans(Mutant):
    def request(self, path: str, body: Json) -> Json:
        known = {call["id"] for m in body.get("messages", []) for call in m.get("tool_calls") or []}
        orphans = [m for m in results(body) if m["tool_call_id"] not in known]
        if orphans:
            body["messages"] = [m for m in body["messages"] if m not in orphans]
        return body
