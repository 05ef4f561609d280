"""What a check works with: requests to one target, remembered so that many checks share them."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, TypeVar

import h11

from conformance.client import Exchange, Sent, exchange
from conformance.eventstream import EventStream
from conformance.expect import json_object, status
from conformance.programs import CarryOut, Ran, Round, anew
from conformance.target import Target
from conformance.transcript import Transcript

Json = dict[str, Any]

Kind = TypeVar("Kind", bound=EventStream)

QUESTION = "Say hello to Ada in one short sentence."


def user(text: str) -> Json:
    return {"role": "user", "content": text}


def script(text: str = "", **fields: Any) -> str:
    """A message that the scripted engine plays as the model's next raw answer."""
    return json.dumps({"script": {"text": text, **fields}})


class Session:
    """Requests to one target. Answers to equal requests are shared, unless ``fresh``.

    ``last`` is the latest exchange and ``ran`` the latest program, for the report of a check;
    ``streams`` are all streams of the run, which the invariants judge, and ``round`` what programs
    have done. ``front`` stands before the servers that a check starts itself: it takes a root URL
    and gives the one to be asked.
    """

    def __init__(
        self,
        target: Target,
        front: Callable[[str], AbstractAsyncContextManager[str]] = nullcontext,
        carry_out: CarryOut = anew,
    ) -> None:
        self.target = target
        self.front = front
        self.last: Exchange | None = None
        self.ran: Ran | None = None
        self.streams: list[EventStream] = []
        self.round = Round(carry_out)
        self._remembered: dict[str, Exchange] = {}

    def beside(self) -> Session:
        """The same session for one more check at the same time: only what is of one check, the
        latest exchange and program, is its own."""
        return copy.copy(self)

    async def request(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        fresh: bool = True,
    ) -> Exchange:
        """``path`` is below the API's prefix; one that begins with ``//`` is below the host."""
        sent = self.sent(method, path, json_body=json_body, raw=raw, headers=headers)
        key = repr(sent)
        if fresh or key not in self._remembered:
            self._remembered[key] = await exchange(sent)
        self.last = self._remembered[key]
        return self.last

    def sent(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Sent:
        base = self.target.root if path.startswith("//") else self.target.base_url
        body = json.dumps(json_body).encode() if json_body is not None else raw
        content = {"content-type": "application/json"} if body is not None else {}
        key = {"authorization": f"Bearer {self.target.api_key}"}
        return Sent(
            method,
            base + path.removeprefix("/" if path.startswith("//") else ""),
            {**content, **key, "accept": "application/json", **(headers or {})},
            body,
        )

    def body(self, prompt: str | list[Json] = QUESTION, **fields: Any) -> Json:
        """A chat request. Greedy and short, unless told otherwise; a field set to ``...`` is
        left out."""
        messages = [user(prompt)] if isinstance(prompt, str) else prompt
        usual = {"model": self.target.model, "messages": messages, "temperature": 0}
        if not {"max_tokens", "max_completion_tokens"} & set(fields):
            usual["max_tokens"] = 64
        return {k: v for k, v in {**usual, **fields}.items() if v is not ...}

    async def chat(
        self, prompt: str | list[Json] = QUESTION, *, fresh: bool = False, **fields: Any
    ) -> Exchange:
        """POST /chat/completions, whatever the answer."""
        body = self.body(prompt, **fields)
        return await self.request("POST", "/chat/completions", json_body=body, fresh=fresh)

    async def answers_again(self, seconds: float) -> bool:
        """Whether the server answers a small request, if need be after so many seconds."""
        sent = self.sent("POST", "/chat/completions", json_body=self.body(max_tokens=1))
        try:
            async with asyncio.timeout(seconds):
                while (await exchange(sent)).received.status >= 500:
                    await asyncio.sleep(1)
        except (TimeoutError, OSError, h11.ProtocolError):
            return False
        return True

    async def answer(self, prompt: str | list[Json] = QUESTION, **fields: Any) -> Json:
        """The completion. Raises Failed when the answer is not a 200 with a JSON object."""
        exchanged = await self.chat(prompt, **fields)
        status(exchanged, 200)
        return json_object(exchanged)

    async def stream(
        self, prompt: str | list[Json] = QUESTION, *, fresh: bool = False, **fields: Any
    ) -> Transcript:
        """The stream. Raises Failed when the answer is not a 200."""
        body = self.body(prompt, stream=True, **fields)
        return await self.streamed(Transcript, "/chat/completions", body, fresh=fresh)

    async def streamed(
        self, kind: type[Kind], path: str, body: Json, *, fresh: bool = False
    ) -> Kind:
        """The stream that a POST gives. Raises Failed when the answer is not a 200."""
        known = len(self._remembered)
        exchanged = await self.request("POST", path, json_body=body, fresh=fresh)
        status(exchanged, 200)
        stream = kind.of(exchanged)
        if fresh or len(self._remembered) > known:
            self.streams.append(stream)
        return stream
