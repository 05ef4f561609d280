"""What speaks against a recording being an exchange with api.openai.com, as it really was."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from conformance.replay.answers import is_stream, made, objects
from conformance.replay.cassettes import Interaction

HOST = "api.openai.com"
REDACTED = "**REDACTED**"
"""What recorders put in place of what they hide."""

IDS = {
    "chatcmpl-": r"[A-Za-z0-9]{29}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "cmpl-": r"[A-Za-z0-9]{29}",
    "resp_": r"[0-9a-f]{32,}",
}
"""How OpenAI goes on in the id of an answer, by what that begins with."""

ENDS = ("response.completed", "response.incomplete", "response.failed", "error")


def doubt(told: Interaction) -> str | None:
    """Why it is not genuine; None if nothing speaks against it."""
    url = urlsplit(told.url)
    if told.url != REDACTED and url.hostname != HOST:
        return "another host"
    if "chatgpt-account-id" in told.asked:
        return "ChatGPT's own backend"
    if endpoint(told) is None:
        return "its address is hidden"
    if _azure(told):
        return "answered by Azure"
    if not _id_of_openai(told.answer):
        return "made by hand: its id is none of OpenAI's"
    if told.answered and not _through_the_edge(dict(told.answered)):
        return "made by hand: it has not passed OpenAI's edge"
    if is_stream(told.answer) and not _whole(told):
        return "parts of the stream were taken out"
    if _unasked_usage(told):
        return "parts of the request were taken out"
    return None


def endpoint(told: Interaction) -> str | None:
    """The path below /v1. A hidden one is told by the answer, which names what it is."""
    if told.url != REDACTED:
        return urlsplit(told.url).path.removeprefix("/v1")
    answer = next(objects(told.answer), {})
    match made(told.answer):
        case {"object": "chat.completion" | "chat.completion.chunk"}:
            return "/chat/completions"
        case {"object": "text_completion"}:
            return "/completions"
        case {"object": "list", "data": [{"object": "embedding"}, *_]}:
            return "/embeddings"
        case {"object": "response.input_tokens"}:
            return "/responses/input_tokens"
        case {"object": "response"} if told.method == "POST" and told.body != b"":
            return "/responses"
    return "/responses" if str(answer.get("type")).startswith("response.") else None


def _azure(told: Interaction) -> bool:
    names = [name for name, _ in told.answered]
    return b'"content_filter_result' in told.answer or any(
        name.startswith(("x-ms-", "apim-", "azureml-")) for name in names
    )


def _id_of_openai(answer: bytes) -> bool:
    name = str(made(answer).get("id", ""))
    return all(
        re.fullmatch(rest, name.removeprefix(kind))
        for kind, rest in IDS.items()
        if name.startswith(kind)
    )


def _through_the_edge(headers: dict[str, str]) -> bool:
    cloudflare = headers.get("server") in ("cloudflare", REDACTED)
    return cloudflare or "cf-ray" in headers or "openai-processing-ms" in headers


def _whole(told: Interaction) -> bool:
    """The stream has an end, and its numbers, which early ones lack, leave none out."""
    events = list(objects(told.answer))
    numbers = [event["sequence_number"] for event in events if "sequence_number" in event]
    first = numbers[0] if numbers and "starting_after=" in told.url else 0
    ended = b"[DONE]" in told.answer[-200:] or (events and events[-1].get("type") in ENDS)
    return bool(ended) and numbers == list(range(first, first + len(numbers)))


def _unasked_usage(told: Interaction) -> bool:
    """A stream of chat tells its usage only to who asks for it."""
    counted = b'"choices":[],"usage":{' in told.answer.replace(b" ", b"")
    return counted and b"include_usage" not in (told.body or b"")
