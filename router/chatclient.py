"""The ``chat`` command: a small client of any OpenAI-compatible server."""

from __future__ import annotations

import time

import openai
from openai.types.chat import ChatCompletionMessageParam

from router import console


class ChatError(Exception):
    """The talk cannot go on; the message says what to do."""


def talk(base_url: str, api_key: str, model: str | None, prompt: str | None) -> None:
    """Answer one prompt, or keep asking for the next until end of input. Raises ChatError."""
    client = openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0)
    try:
        name = model or client.models.list().data[0].id
        if prompt is not None:
            _answer(client, name, [{"role": "user", "content": prompt}])
            return
        console.err.print(f"{name} at {base_url}; Ctrl-D ends.", highlight=False)
        history: list[ChatCompletionMessageParam] = []
        while (text := _ask()) is not None:
            history.append({"role": "user", "content": text})
            history.append({"role": "assistant", "content": _answer(client, name, history)})
    except openai.APIConnectionError as error:
        message = f"no server answers at {base_url}. Start one with `mlx-router serve`."
        raise ChatError(message) from error
    except openai.APIError as error:
        raise ChatError(error.message) from error


def _ask() -> str | None:
    try:
        return console.err.input("[bold]> [/]")
    except (EOFError, KeyboardInterrupt):
        return None


def _answer(client: openai.OpenAI, model: str, messages: list[ChatCompletionMessageParam]) -> str:
    """Print the answer as it comes, then its speed; returns its text."""
    started = time.monotonic()
    first: float | None = None
    parts: list[str] = []
    tokens = 0
    stream = client.chat.completions.create(
        model=model, messages=messages, stream=True, stream_options={"include_usage": True}
    )
    for chunk in stream:
        if chunk.usage:
            tokens = chunk.usage.completion_tokens
        text = chunk.choices[0].delta.content if chunk.choices else None
        if text:
            first = first or time.monotonic()
            parts.append(text)
            console.out.print(text, end="", markup=False, highlight=False, soft_wrap=True)
    console.out.print()
    if first is not None:
        seconds = time.monotonic() - first
        speed = f", {(tokens - 1) / seconds:.1f} tok/s" if tokens > 1 and seconds > 0 else ""
        console.err.print(
            f"[dim]{tokens} tokens, first after {first - started:.2f}s{speed}[/]", highlight=False
        )
    return "".join(parts)
