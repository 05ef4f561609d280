"""Broken calls in Responses."""

from __future__ import annotations

from typing import Any

from conformance.checks.tools import ASK
from conformance.tests.mutants_responses import Whole, asks, items
from conformance.tests.mutants_responses_events import Told
from conformance.tests.mutation import Json, Mutant, spoils


@spoils("responses.function_call")
class CallsWithoutId(Whole):
    def response(self, response: Json, request: Json) -> None:
        for item in response["output"]:
            if request.get("input") == ASK and item["type"] == "function_call":
                item["call_id"] = None


@spoils("responses.arguments_done_name")
class NamelessArguments(Told):
    def tell(self, kind: str, event: Json, request: Json) -> list[Json]:
        event.pop("name", None)
        return [event]


@spoils("responses.truncated_call")
class HalfACall(Whole):
    def response(self, response: Json, request: Json) -> None:
        if asks(request, "Tipperary"):
            call = {"type": "function_call", "id": "fc_1", "call_id": "call_1"}
            said = {"name": "get_weather", "arguments": '{"city": "a long'}
            response["output"] = [{**call, **said, "status": "completed"}]


@spoils("responses.text_then_call")
class LosesTextBeforeCall(Whole):
    def response(self, response: Json, request: Json) -> None:
        if asks(request, "Let me look"):
            del response["output"][0]


@spoils("responses.function_output")
class ForgetsOutputs(Mutant):
    def request(self, path: str, body: Json) -> Json:
        for item in items(body):
            if item.get("call_id") == "call_1" and "output" in item:
                item["output"] = "done"
        return body


@spoils("responses.orphan_output")
class AdoptsOrphans(Mutant):
    def request(self, path: str, body: Json) -> Json:
        for item in items(body):
            if item.get("call_id") == "call_9":
                item["call_id"] = "call_1"
        return body


@spoils("responses.tool_choice")
class IgnoresTheName(Mutant):
    def request(self, path: str, body: Json) -> Json:
        choice: Any = body.get("tool_choice")
        named = isinstance(choice, dict) and choice.get("name") == "get_stock_price"
        return {**body, "tool_choice": "required"} if named else body


@spoils("responses.hosted_tools")
class IgnoresMcp(Mutant):
    def request(self, path: str, body: Json) -> Json:
        offered = body.get("tools")
        if offered:
            body["tools"] = [tool for tool in offered if tool.get("type") != "mcp"]
        return body
