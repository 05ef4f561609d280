"""The model under test, over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import openai
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

from router.toolmodel.evaluation import held_out
from router.toolmodel.evaluation.reply import Call, Reply

AT_ONCE = 8
"""Requests in flight, so that the engine decodes them as one batch."""

PATIENCE = 3600
"""Seconds that an answer may take: the rates do not depend on how busy the machine is."""

LIMIT = 256
"""Tokens of an answer; the longest that a case needs, four calls, takes some 150."""


class Model:
    """Asked greedily, a few requests at a time."""

    def __init__(self, client: openai.AsyncOpenAI, name: str) -> None:
        self._client = client
        self._name = name
        self._seats = asyncio.Semaphore(AT_ONCE)

    async def reply(
        self,
        messages: Sequence[ChatCompletionMessageParam],
        tools: Sequence[str] = (),
        **options: Any,
    ) -> Reply:
        """``tools`` are names of held-out functions; ``options`` are further fields of the
        request. Raises openai.APIError."""
        async with self._seats:
            completion: ChatCompletion = await self._client.chat.completions.create(
                model=self._name,
                messages=list(messages),
                tools=[held_out.TOOLS[name] for name in tools] or openai.omit,
                temperature=0,
                max_tokens=LIMIT,
                **options,
            )
        message = completion.choices[0].message
        made = [call.function for call in message.tool_calls or () if call.type == "function"]
        calls = tuple(Call(function.name, _read(function.arguments)) for function in made)
        return Reply(message.content or "", calls)


def _read(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments
