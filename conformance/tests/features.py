"""Features that the server behind the mutants does not have, each implemented in front of it.

A check of such a feature needs a server that has it, and one that has it but broken. A layer is
a mutant without a defect; the defects are its subclasses, which override the same methods as
those of any other mutant, and call ``super()`` to keep the feature.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from starlette.responses import JSONResponse, Response, StreamingResponse

from conformance.tests.mutation import Json, Mutant
from conformance.tests.prefix_cache import PrefixCache

CHAT = "/v1/chat/completions"


class Completions(Mutant):
    """POST /v1/completions. What it answers goes through ``answer``, ``chunk`` and ``event``."""

    features = frozenset({"completions"})

    async def before(self, request: Json, path: str) -> Response | None:
        if path != "/v1/completions":
            return None
        for name, harmless in (("suffix", None), ("echo", False), ("best_of", 1)):
            if request.get(name) not in (None, harmless):
                return refusal(f"{name} is not supported; leave it out.", name)
        if not request.get("prompt"):
            return refusal("Missing prompt.", "prompt")
        if request.get("stream"):
            return StreamingResponse(self._events(request), media_type="text/event-stream")
        words, reason, usage = _continuation(request)
        body = {**_completion(request, "".join(words), reason), "usage": usage}
        status, spoilt = self.answer(200, body, request, path)
        return JSONResponse(spoilt, status)

    def _events(self, request: Json) -> Iterator[bytes]:
        words, reason, usage = _continuation(request)
        chunks = [_completion(request, word, None) for word in words]
        chunks.append(_completion(request, "", reason))
        if (request.get("stream_options") or {}).get("include_usage"):
            chunks = [{**chunk, "usage": None} for chunk in chunks]
            chunks.append({**chunks[0], "choices": [], "usage": usage})
        for chunk in chunks:
            for spoilt in self.chunk(chunk, request):
                yield self.event(b"data: " + json.dumps(spoilt).encode() + b"\n\n")
        yield self.event(b"data: [DONE]\n\n")


LAYERS: tuple[type[Mutant], ...] = (Completions, PrefixCache)


def refusal(message: str, param: str) -> JSONResponse:
    """A 400 in OpenAI's envelope."""
    error = {
        "message": message,
        "type": "invalid_request_error",
        "param": param,
        "code": "invalid_value",
    }
    return JSONResponse({"error": error}, 400)


def name_of(tool: Json) -> str:
    return str(tool.get("function", {}).get("name"))


def _continuation(request: Json) -> tuple[list[str], str, Json]:
    prompt = request["prompt"] if isinstance(request["prompt"], str) else str(request["prompt"][0])
    words = [f"{word} " for word in f"and so on after: {prompt}".split()]
    limit = request.get("max_tokens") or 16
    cut = words[:limit]
    sizes = (len(prompt.split()), len(cut))
    usage = {"prompt_tokens": sizes[0], "completion_tokens": sizes[1], "total_tokens": sum(sizes)}
    return cut, "length" if len(words) > limit else "stop", usage


def _completion(request: Json, text: str, finish_reason: str | None) -> Json:
    return {
        "id": "cmpl-feature",
        "object": "text_completion",
        "created": 1_750_000_000,
        "model": request["model"],
        "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": finish_reason}],
    }
