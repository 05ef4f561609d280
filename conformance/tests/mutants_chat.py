"""Broken chat completions."""

from __future__ import annotations

import json
from typing import Any

from conformance.tests.mutation import Json, Mutant, spoils

CHAT = "/v1/chat/completions"


class SpoiltAnswer(Mutant):
    """Spoils completions: the whole body, or each choice."""

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if status == 200 and path == CHAT:
            self.completion(body, request)
        return status, body

    def completion(self, body: Json, request: Json) -> None:
        for choice in body["choices"]:
            self.choice(choice, request)

    def choice(self, choice: Json, request: Json) -> None: ...


class Repeats(SpoiltAnswer):
    """Knows which requests it has had before."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def completion(self, body: Json, request: Json) -> None:
        if (key := json.dumps(request)) in self.seen:
            self.again(body)
        self.seen.add(key)

    def again(self, body: Json) -> None: ...


class Refuses(Mutant):
    """Answers a 400 to what should be accepted."""

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if path != CHAT or not self.dislikes(request):
            return status, body
        error = {"message": "Bad.", "type": "invalid_request_error", "param": None, "code": None}
        return 400, {"error": error}

    def dislikes(self, request: Json) -> bool:
        return False


# --- the object ---------------------------------------------------------------------


@spoils("chat.schema")
class NoLogprobsKey(SpoiltAnswer):
    def choice(self, choice: Json, request: Json) -> None:
        if choice["logprobs"] is None:
            del choice["logprobs"]


@spoils("chat.always_present")
class NoServiceTier(SpoiltAnswer):
    def completion(self, body: Json, request: Json) -> None:
        del body["service_tier"]


@spoils("chat.id_unique")
class OneId(SpoiltAnswer):
    def completion(self, body: Json, request: Json) -> None:
        body["id"] = "chatcmpl-1"


@spoils("chat.id_prefix")
class AnotherPrefix(SpoiltAnswer):
    def completion(self, body: Json, request: Json) -> None:
        body["id"] = body["id"].replace("chatcmpl-", "cmpl-")


@spoils("chat.created_now")
class Milliseconds(SpoiltAnswer):
    def completion(self, body: Json, request: Json) -> None:
        body["created"] *= 1000


@spoils("chat.model_echo")
class AnotherModel(SpoiltAnswer):
    def completion(self, body: Json, request: Json) -> None:
        body["model"] = "gpt-4o"


@spoils("chat.content_type_of_content")
class ContentOfParts(SpoiltAnswer):
    """Only in answers that were cut, which chat.schema does not look at."""

    def choice(self, choice: Json, request: Json) -> None:
        if choice["finish_reason"] == "length" and request.get("max_tokens") == 1:
            choice["message"]["content"] = [{"type": "text", "text": choice["message"]["content"]}]


# --- how it ends --------------------------------------------------------------------


@spoils("chat.finish_stop")
class LengthWithoutStop(SpoiltAnswer):
    def choice(self, choice: Json, request: Json) -> None:
        if not request.get("stop"):
            choice["finish_reason"] = "length"


@spoils("chat.finish_length")
class StopAtMaxTokens(SpoiltAnswer):
    def choice(self, choice: Json, request: Json) -> None:
        if "max_completion_tokens" not in request:
            choice["finish_reason"] = "stop"


@spoils("chat.max_completion_tokens")
class LastLimitWins(Mutant):
    def request(self, path: str, body: Json) -> Json:
        if "max_tokens" in body and body.get("max_completion_tokens"):
            del body["max_tokens"]
        return body


@spoils("chat.stop")
class StopStringIgnored(Mutant):
    def request(self, path: str, body: Json) -> Json:
        if isinstance(body.get("stop"), str):
            del body["stop"]
        return body


@spoils("chat.stop_limit")
class FirstFourStops(Mutant):
    def request(self, path: str, body: Json) -> Json:
        if isinstance(body.get("stop"), list):
            body["stop"] = body["stop"][:4]
        return body


# --- usage --------------------------------------------------------------------------


@spoils("chat.usage_math")
class WrongSum(SpoiltAnswer):
    def completion(self, body: Json, request: Json) -> None:
        body["usage"]["total_tokens"] += 1


@spoils("chat.usage_details")
class MoreCachedThanSent(SpoiltAnswer):
    def completion(self, body: Json, request: Json) -> None:
        usage = body["usage"]
        usage["prompt_tokens_details"]["cached_tokens"] = usage["prompt_tokens"] + 1


@spoils("chat.usage_prompt_stable")
class CachedNotCounted(Repeats):
    def again(self, body: Json) -> None:
        usage = body["usage"]
        usage["prompt_tokens"] -= 2
        usage["total_tokens"] -= 2


# --- what is asked for --------------------------------------------------------------


@spoils("chat.n")
class OneChoice(Mutant):
    def request(self, path: str, body: Json) -> Json:
        body.pop("n", None)
        return body


@spoils("chat.temperature_zero")
class AlwaysAnother(Repeats):
    def again(self, body: Json) -> None:
        body["choices"][0]["message"]["content"] += " again"


@spoils("chat.sampling_ranges")
class PenaltyClamped(Mutant):
    def request(self, path: str, body: Json) -> Json:
        if body.get("presence_penalty"):
            body["presence_penalty"] = min(body["presence_penalty"], 2)
        return body


@spoils("chat.null_optionals")
class NoNullSeed(Refuses):
    def dislikes(self, request: Json) -> bool:
        return request.get("seed", 0) is None


@spoils("chat.unknown_fields")
class NoUnknownFields(Refuses):
    def dislikes(self, request: Json) -> bool:
        return "x_foo" in request


@spoils("chat.logprobs")
class LogprobsIgnored(SpoiltAnswer):
    def choice(self, choice: Json, request: Json) -> None:
        choice["logprobs"] = None


# --- messages -----------------------------------------------------------------------


@spoils("chat.roles")
class DeveloperDropped(Mutant):
    def request(self, path: str, body: Json) -> Json:
        if isinstance(messages := body.get("messages"), list):
            body["messages"] = [m for m in messages if _role(m) != "developer"]
        return body


@spoils("chat.system_positions")
class FirstSystemMessageOnly(Mutant):
    def request(self, path: str, body: Json) -> Json:
        if isinstance(messages := body.get("messages"), list):
            later = [m for m in messages[1:] if _role(m) != "system"]
            body["messages"] = [*messages[:1], *later]
        return body


def _role(message: Any) -> Any:
    return message.get("role") if isinstance(message, dict) else None


class Parts(Mutant):
    """Changes content that is an array."""

    def request(self, path: str, body: Json) -> Json:
        for message in body.get("messages") or []:
            if isinstance(message, dict) and isinstance(message.get("content"), list):
                message["content"] = self.parts(message["content"])
        return body

    def parts(self, parts: list[Json]) -> list[Json]:
        return parts


@spoils("chat.content_parts")
class LastTextOnly(Parts):
    def parts(self, parts: list[Json]) -> list[Json]:
        return parts[-1:]


@spoils("chat.unsupported_part")
class ImagesDropped(Parts):
    def parts(self, parts: list[Json]) -> list[Json]:
        return [part for part in parts if part["type"] == "text"]


@spoils("chat.messages_invalid")
class NumbersAreText(Mutant):
    def request(self, path: str, body: Json) -> Json:
        for message in body.get("messages") or []:
            if isinstance(message, dict) and type(message.get("content")) is int:
                message["content"] = str(message["content"])
        return body


# --- text ---------------------------------------------------------------------------


@spoils("chat.reasoning_separate")
class ThoughtsTwice(SpoiltAnswer):
    def choice(self, choice: Json, request: Json) -> None:
        message = choice["message"]
        if "reasoning_content" in message:
            message["reasoning"] = message["reasoning_content"]


@spoils("chat.unicode")
class Latin1(SpoiltAnswer):
    def choice(self, choice: Json, request: Json) -> None:
        text = choice["message"]["content"] or ""
        choice["message"]["content"] = text.encode().decode("latin-1")
