"""What the scripted engine is told to say.

A message or prompt that is a JSON object with the one key ``script`` tells the engine what its
next answer is, in raw model text, and how it is to be delivered::

    {"script": {"text": "Paris <tool_call>...", "rate": 50, "prefill_ms": 0}}

What stands behind ``script`` can also come with the request, for whoever must not touch its
messages; then a list has one script for each answer that the request wants.

Without any the engine makes up an answer itself: see ``improvise``.
"""

from __future__ import annotations

import json
import re
from typing import Any, Literal

import msgspec

from router.engine.instance import instance
from router.frames import FinishReason, Generate, Prompt

TOKEN = re.compile(r"\s*\S+|\s+")
"""The scripted engine's idea of a token: a word with the white space before it."""


class Mishap(msgspec.Struct, forbid_unknown_fields=True):
    """What goes wrong after ``after`` tokens: the request fails, the process dies, or
    nothing more comes."""

    kind: Literal["error", "crash", "stall"]
    after: int = 0


class Script(msgspec.Struct, forbid_unknown_fields=True):
    """One answer. ``pieces`` are its tokens, or ``text`` is cut into words. ``rate`` is in
    tokens per second (0: as fast as they can be sent), ``prefill_ms`` the time before the
    first. ``reasoning_open`` plays a template that opens a thought in the prompt. ``held``: it is
    refused where decoding that is held to the request's tools and schema would not allow it."""

    text: str = ""
    pieces: list[str] = []
    rate: float = 0
    prefill_ms: float = 0
    finish_reason: FinishReason = "stop"
    reasoning_open: bool = False
    held: bool = False
    mishap: Mishap | None = None

    def tokens(self) -> list[str]:
        return self.pieces or tokenize(self.text)


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    script: Script


def tokenize(text: str) -> list[str]:
    return TOKEN.findall(text)


def of(request: Generate) -> list[Script]:
    """The script of each sequence. Raises ValueError for a faulty one, or too few."""
    if request.script:
        return _given(request)
    if request.prompts:
        texts = [words(prompt) for prompt in request.prompts]
        played = [_written(text) or Script(text=_repeated(text)) for text in texts]
    else:
        played = [_written(text(request.messages[-1])) or Script(text=improvise(request))]
    return [script for script in played for _ in range(request.n)]


def _given(request: Generate) -> list[Script]:
    given = msgspec.json.decode(request.script, type=Script | list[Script])
    scripts = given if isinstance(given, list) else [given] * request.sequences
    if len(scripts) < request.sequences:
        raise ValueError(f"{len(scripts)} scripts for {request.sequences} answers")
    return scripts


def _written(text: str) -> Script | None:
    if text.lstrip().startswith('{"script"'):
        return msgspec.json.decode(text, type=_Envelope).script
    return None


def words(prompt: Prompt) -> str:
    """A raw prompt as text: token ids are numbers, since this model has no vocabulary."""
    return prompt if isinstance(prompt, str) else " ".join(map(str, prompt))


def improvise(request: Generate) -> str:
    """The answer of a well-behaved model: it calls the first function it may, reports what the
    function returned, and otherwise repeats what it was told, or fills in a schema."""
    last = request.messages[-1]
    schema = request.constraint.schema
    answered = last["role"] in ("tool", "function")
    if answered and not request.constraint.demands:
        results = []
        for message in reversed(request.messages):
            if message["role"] not in ("tool", "function"):
                break
            results.append(text(message))
        return f"The result is: {'; '.join(reversed(results))}"
    if function := _function_to_call(request):
        call = {
            "name": function["name"],
            "arguments": instance(function.get("parameters") or {"type": "object"}),
        }
        return f"<tool_call>\n{json.dumps(call, ensure_ascii=False)}\n</tool_call>"
    if schema is not None:
        return json.dumps(instance(schema), ensure_ascii=False)
    return _repeated(text(last))


def _repeated(text: str) -> str:
    return f"You said: {text}"


def _function_to_call(request: Generate) -> dict[str, Any] | None:
    """The first function that may be called, unless its result is what this turn is about."""
    constraint = request.constraint
    if request.messages[-1]["role"] in ("tool", "function") and not constraint.required:
        return None
    functions: list[dict[str, Any]] = [tool["function"] for tool in request.tools]
    allowed = [
        f for f in functions if not constraint.functions or f["name"] in constraint.functions
    ]
    return allowed[0] if allowed else None


def text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content)
