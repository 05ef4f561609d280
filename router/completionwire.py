"""Text completions on the wire, in the shapes of OpenAI's older endpoint.

A chunk of a stream has the shape of the whole answer, so both are made of the same choices.
"""

from __future__ import annotations

import codecs
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

from router import wire
from router.events import Event, Finish, TextDelta, Usage
from router.frames import TokenLogprob

Json = dict[str, Any]


class _Envelope(wire.Envelope):
    def __init__(self, model: str) -> None:
        super().__init__(model, "cmpl-")

    def completion(self, choices: list[Json]) -> Json:
        body = self.wrap("text_completion", choices)
        del body["service_tier"]  # which this endpoint never had
        return body


class _Offsets:
    """Where each token of one choice begins in its text, in characters.

    Tokens can be parts of a character; it counts where its last byte comes.
    """

    def __init__(self) -> None:
        self._reader = codecs.getincrementaldecoder("utf-8")("replace")
        self._at = 0

    def before(self, entry: TokenLogprob) -> int:
        at = self._at
        self._at += len(self._reader.decode(entry.raw))
        return at


def _logprobs(entries: Sequence[TokenLogprob], offsets: _Offsets) -> Json | None:
    if not entries:
        return None
    return {
        "tokens": [entry.token for entry in entries],
        "token_logprobs": [entry.logprob for entry in entries],
        "top_logprobs": [_likeliest(entry) for entry in entries],
        "text_offset": [offsets.before(entry) for entry in entries],
    }


def _likeliest(entry: TokenLogprob) -> dict[str, float]:
    """The likeliest tokens, best first, and the one that was taken, whether or not it is among
    them. Different bytes can read alike: the likelier token is kept."""
    found: dict[str, float] = {}
    for top in entry.top:
        found.setdefault(top.token, top.logprob)
    found.setdefault(entry.token, entry.logprob)
    return found


def _choice(index: int, text: str, logprobs: Json | None, finish_reason: str | None) -> Json:
    return {"text": text, "index": index, "logprobs": logprobs, "finish_reason": finish_reason}


# --- the whole answer ---------------------------------------------------------------


class _Text:
    """One choice, collected."""

    def __init__(self, beginning: str) -> None:
        self.text = [beginning]
        self.logprobs: list[TokenLogprob] = []
        self.finish_reason: str | None = None

    def add(self, event: Event) -> None:
        match event:
            case TextDelta(text, entries):
                self.text.append(text)
                self.logprobs.extend(entries)
            case Finish(reason):
                self.finish_reason = reason

    def choice(self, index: int) -> Json:
        logprobs = _logprobs(self.logprobs, _Offsets())
        return _choice(index, "".join(self.text), logprobs, self.finish_reason)


async def completion(
    events: AsyncIterator[tuple[int, Event]],
    *,
    model: str,
    beginnings: Sequence[str],
    counts: Usage,
) -> Json:
    """Events to one ``text_completion`` with a choice for each of ``beginnings``, which stand in
    front of what the model says. ``counts`` is read after the last event."""
    texts = [_Text(beginning) for beginning in beginnings]
    async for choice, event in events:
        texts[choice].add(event)
    choices = [text.choice(index) for index, text in enumerate(texts)]
    return {**_Envelope(model).completion(choices), "usage": wire.usage(counts)}


# --- the stream ---------------------------------------------------------------------


async def chunks(
    events: AsyncIterator[tuple[int, Event]],
    *,
    model: str,
    beginnings: Sequence[str],
    include_usage: bool,
    counts: Usage,
) -> AsyncGenerator[Json]:
    """Events to ``text_completion`` chunks, the usage chunk last if it was asked for."""
    envelope = _Envelope(model)
    offsets = [_Offsets() for _ in beginnings]

    def chunk(choices: list[Json], totals: Json | None = None) -> Json:
        body = envelope.completion(choices)
        return {**body, "usage": totals} if include_usage else body

    for index, beginning in enumerate(beginnings):
        if beginning:
            yield chunk([_choice(index, beginning, None, None)])
    async for index, event in events:
        text = event.text if isinstance(event, TextDelta) else ""
        entries = event.logprobs if isinstance(event, TextDelta) else ()
        reason = event.reason if isinstance(event, Finish) else None
        yield chunk([_choice(index, text, _logprobs(entries, offsets[index]), reason)])
    if include_usage:
        yield chunk([], wire.usage(counts))
