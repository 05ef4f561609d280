"""Broken Responses: the object, and what is asked of it."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from conformance.checks.responses import LONG
from conformance.tests.features import refusal
from conformance.tests.mutation import Json, Mutant, spoils


class Whole(Mutant):
    """Spoils each response that is no stream, whether it was just made or is fetched."""

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if isinstance(body, dict) and body.get("object") == "response" and "output" in body:
            self.response(body, request)
        return status, body

    def response(self, response: Json, request: Json) -> None:
        raise NotImplementedError


class Throughout(Whole):
    """Spoils the responses in the events of a stream, as well."""

    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        if "response" in chunk:
            self.response(chunk["response"], request)
        return [chunk]


def asks(request: Json, words: str) -> bool:
    return words in str(request.get("input"))


def items(request: Json) -> list[Json]:
    """Those that are sent as input; a string has none."""
    given = request.get("input")
    return given if isinstance(given, list) else []


# --- the object ---------------------------------------------------------------------


@spoils("responses.shape")
class NoListOfTools(Throughout):
    def response(self, response: Json, request: Json) -> None:
        response["tools"] = response["tools"] or None


@spoils("responses.always_present")
class ForgetsTheDefaults(Throughout):
    def response(self, response: Json, request: Json) -> None:
        del response["truncation"]


@spoils("responses.output_text")
class TextOfAnotherType(Whole):
    def response(self, response: Json, request: Json) -> None:
        if asks(request, "Bob"):
            response["output"][0]["content"][0]["type"] = "text"


@spoils("responses.usage")
class CountsTheInputTwice(Throughout):
    def response(self, response: Json, request: Json) -> None:
        if response["usage"]:
            response["usage"]["total_tokens"] += response["usage"]["input_tokens"]


@spoils("responses.incomplete")
class CutItemsAreCompleted(Whole):
    def response(self, response: Json, request: Json) -> None:
        if response["status"] == "incomplete" and response["output"]:
            response["output"][-1]["status"] = "completed"


# --- what is asked ------------------------------------------------------------------


@spoils("responses.input_forms")
class IgnoresInstructions(Mutant):
    def request(self, path: str, body: Json) -> Json:
        return {**body, "instructions": None} if body.get("instructions") == LONG else body


@spoils("responses.extras")
class ForgetsMetadata(Mutant):
    def request(self, path: str, body: Json) -> Json:
        return {**body, "metadata": None}


@spoils("responses.no_silent_ignore")
class IgnoresBackground(Mutant):
    def request(self, path: str, body: Json) -> Json:
        return {**body, "background": None}


@spoils("responses.error_shape")
class UnknownModelIsNotFound(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        unknown = status == 400 and body["error"]["code"] == "model_not_found"
        return (404 if unknown else status), body


@spoils("responses.logprobs")
class LogprobsOfTheStart(Whole):
    def response(self, response: Json, request: Json) -> None:
        for item in response["output"]:
            for part in item.get("content", []):
                del part["logprobs"][1:]


@spoils("responses.unsupported_part")
class DropsImages(Mutant):
    def request(self, path: str, body: Json) -> Json:
        for item in items(body):
            if isinstance(item.get("content"), list):
                item["content"] = [p for p in item["content"] if p["type"] != "input_image"]
        return body


@spoils("responses.input_tokens")
class CountsTheQuestionOnly(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if path.endswith("/input_tokens"):
            body["input_tokens"] -= 3
        return status, body


# --- what is too long ---------------------------------------------------------------


@spoils("responses.context_length")
class TooLongWithoutACode(Mutant):
    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if status == 400 and body["error"]["code"] == "context_length_exceeded":
            body["error"]["code"] = "invalid_value"
        return status, body


@spoils("responses.truncation")
class NeverTruncates(Mutant):
    def request(self, path: str, body: Json) -> Json:
        return {**body, "truncation": "disabled"}


# --- JSON ---------------------------------------------------------------------------


def format_name(request: Json) -> str:
    return str(((request.get("text") or {}).get("format") or {}).get("name"))


@spoils("responses.text_format")
class FencesDocuments(Whole):
    def response(self, response: Json, request: Json) -> None:
        if format_name(request) == "ticket":
            part = response["output"][0]["content"][0]
            part["text"] = f"```json\n{part['text']}\n```"


@spoils("responses.sdk_parse")
class KnowsOneFormat(Mutant):
    async def before(self, request: Json, path: str) -> Response | None:
        if format_name(request) in ("None", "ticket"):
            return None
        return refusal("There is no such format.", "text.format.name")
