"""Output items while they are made: each tells its own events, from added to done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from router import wire
from router.frames import TokenLogprob
from router.responses.items import Item, new_item, text_part

Json = dict[str, Any]

Tell = Callable[..., None]
"""``tell(kind, **members)``: an event of type ``response.<kind>``."""


class Growing:
    """One item at its ``place`` in the output. ``end`` gives it as it stays."""

    def __init__(self, item: Item, place: int, tell: Tell) -> None:
        self._item = item
        self._place = place
        self._tell = tell
        tell("output_item.added", item=item, output_index=place)

    def end(self, *, cut: bool) -> Item:
        """``cut``: the answer was too long, and this is where it ends."""
        item = {**self._item, **self._whole(cut=cut)}
        self._tell("output_item.done", item=item, output_index=self._place)
        return item

    def _whole(self, *, cut: bool) -> Json:
        """The members that have changed since the item was added."""
        raise NotImplementedError

    def _about(self, kind: str, **members: Any) -> None:
        self._tell(kind, **members, item_id=self._item["id"], output_index=self._place)


class Message(Growing):
    def __init__(self, place: int, tell: Tell) -> None:
        item = new_item("message", status="in_progress", content=[], role="assistant")
        super().__init__(item, place, tell)
        self._text: list[str] = []
        self._logprobs: list[Json] = []
        self._about("content_part.added", content_index=0, part=text_part("assistant", ""))

    def say(self, text: str, entries: Sequence[TokenLogprob]) -> None:
        logprobs = [wire.logprob(entry) for entry in entries]
        self._text.append(text)
        self._logprobs += logprobs
        self._about("output_text.delta", content_index=0, delta=text, logprobs=logprobs)

    def _whole(self, *, cut: bool) -> Json:
        text = "".join(self._text)
        part = {**text_part("assistant", text), "logprobs": self._logprobs}
        self._about("output_text.done", content_index=0, logprobs=self._logprobs, text=text)
        self._about("content_part.done", content_index=0, part=part)
        return {"status": "incomplete" if cut else "completed", "content": [part]}


class Thought(Growing):
    """The whole thought is its own summary, in one part."""

    def __init__(self, place: int, tell: Tell) -> None:
        super().__init__(new_item("reasoning", summary=[]), place, tell)
        self._text: list[str] = []
        self._about("reasoning_summary_part.added", part=_summary(""), summary_index=0)

    def think(self, text: str) -> None:
        self._text.append(text)
        self._about("reasoning_summary_text.delta", delta=text, summary_index=0)

    def _whole(self, *, cut: bool) -> Json:
        text = "".join(self._text)
        self._about("reasoning_summary_text.done", text=text, summary_index=0)
        self._about("reasoning_summary_part.done", part=_summary(text), summary_index=0)
        return {"summary": [_summary(text)]}


class Call(Growing):
    """A call comes whole, however it is cut up for the wire."""

    def __init__(self, place: int, tell: Tell, *, call_id: str, name: str) -> None:
        item = new_item(
            "function_call", status="in_progress", arguments="", call_id=call_id, name=name
        )
        super().__init__(item, place, tell)
        self._name = name
        self._arguments: list[str] = []

    def pass_on(self, arguments: str) -> None:
        self._arguments.append(arguments)
        self._about("function_call_arguments.delta", delta=arguments)

    def _whole(self, *, cut: bool) -> Json:
        arguments = "".join(self._arguments)
        self._about("function_call_arguments.done", arguments=arguments, name=self._name)
        return {"status": "completed", "arguments": arguments}


def _summary(text: str) -> Json:
    return {"type": "summary_text", "text": text}
