"""What a model is told: the items kept of a conversation and those a client adds, as a chat.

Clients that name a previous response do not agree on what to send beside it. Some send what is
new, some the user's turn once more, some the function calls too, some all there ever was. So
what is kept already is left out, and an output goes behind its call wherever it was sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from router.fielderrors import bad_field, shown
from router.responses.items import Item, text_of

Message = dict[str, Any]


# --- what is new --------------------------------------------------------------------


def new_items(kept: list[Item], given: list[Item]) -> list[Item]:
    """``given`` without what repeats ``kept``.

    A call or an output is known by its id. A message may well say what an earlier one said, so
    it is a repetition only where the client goes on to something that is known for sure.
    """
    memory = _Memory(kept)
    last = memory.last_known(given)
    return [item for at, item in enumerate(given) if not memory.repeats(item, old=at <= last)]


class _Memory:
    def __init__(self, kept: list[Item]) -> None:
        self._ids = {item["id"] for item in kept}
        self._calls = _call_ids(kept, "function_call")
        self._outputs = _call_ids(kept, "function_call_output")
        self._said = Counter(_said(item) for item in kept if item["type"] == "message")

    def last_known(self, given: list[Item]) -> int:
        """The place of the last item that belongs to what is kept, -1 for none: one with a kept
        id, the output of a kept call, or the assistant's words if all before them is kept."""
        last, only_kept = -1, True
        for at, item in enumerate(given):
            answer = item["type"] == "message" and item["role"] == "assistant"
            only_kept = only_kept and (self._has(item) or self._may_repeat(item))
            if self._has(item) or item.get("call_id") in self._calls or (only_kept and answer):
                last = at
        return last

    def repeats(self, item: Item, *, old: bool) -> bool:
        """``old``: something that belongs to what is kept follows. Words are repeated only as
        often as they were said."""
        if self._has(item) or not (old and self._may_repeat(item)):
            return self._has(item)
        if item["type"] == "message":
            self._said[_said(item)] -= 1
        return True

    def _has(self, item: Item) -> bool:
        match item["type"]:
            case "function_call":
                return item["call_id"] in self._calls
            case "function_call_output":
                return item["call_id"] in self._outputs
        return item.get("id") in self._ids

    def _may_repeat(self, item: Item) -> bool:
        """A thought without a known id, or words that were said."""
        if item["type"] == "message":
            return self._said[_said(item)] > 0
        return bool(item["type"] == "reasoning")


def _call_ids(items: list[Item], kind: str) -> set[str]:
    return {item["call_id"] for item in items if item["type"] == kind}


def _said(message: Item) -> tuple[str, str]:
    return message["role"], text_of(message["content"])


# --- items to messages --------------------------------------------------------------


def messages(
    items: list[Item], instructions: str | None, *, old_thoughts: bool = True
) -> list[Message]:
    """The chat that the items are. ``old_thoughts`` False leaves out what was thought before the
    user's last turn. Raises BadRequest for an output without its call, and for nothing to
    answer."""
    if not old_thoughts:
        items = _without_old_thoughts(items)
    spoken = list(_spoken(_paired(items)))
    if not spoken:
        raise bad_field("input", "empty_array", "it holds nothing to answer; add a message")
    system = [{"role": "system", "content": instructions}] if instructions else []
    return system + spoken


def _paired(items: list[Item]) -> list[Item]:
    """Each output directly behind the calls that were made together with its own."""
    calls = _call_ids(items, "function_call")
    outputs = {i["call_id"]: i for i in items if i["type"] == "function_call_output"}
    for call_id in outputs.keys() - calls:
        reason = f"no function call has the id {shown(call_id)} of an output"
        advice = "send the call too, or the `previous_response_id` that made it"
        raise bad_field("input", "invalid_value", f"{reason}; {advice}")
    paired: list[Item] = []
    waiting: list[Item] = []
    for item in items:
        if item["type"] != "function_call":
            paired += waiting
            waiting = []
        if item["type"] != "function_call_output":
            paired.append(item)
        if item["type"] == "function_call" and item["call_id"] in outputs:
            waiting.append(outputs.pop(item["call_id"]))
    return paired + waiting


def _spoken(items: list[Item]) -> Iterator[Message]:
    """Thoughts, words and calls that follow one another are one message of the assistant."""
    turn: Message = {}
    for item in items:
        part = _assistant_part(item)
        if part and _goes_into(turn, part):
            turn = _joined(turn, part)
            continue
        if turn.keys() & {"content", "tool_calls"}:
            yield turn
        turn = part or {}
        if not part:
            yield _other(item)
    if turn.keys() & {"content", "tool_calls"}:
        yield turn


def _assistant_part(item: Item) -> Message | None:
    match item:
        case {"type": "reasoning"}:
            return {"role": "assistant", "reasoning_content": _thought(item)}
        case {"type": "message", "role": "assistant"}:
            return {"role": "assistant", "content": text_of(item["content"])}
        case {"type": "function_call"}:
            function = {"name": item["name"], "arguments": item["arguments"]}
            call = {"id": item["call_id"], "type": "function", "function": function}
            return {"role": "assistant", "tool_calls": [call]}
    return None


def _thought(item: Item) -> str:
    return text_of(item.get("content")) or text_of(item.get("summary"))


_ORDER = ("reasoning_content", "content", "tool_calls")


def _goes_into(turn: Message, part: Message) -> bool:
    """A message is thought, then said, then acted on; only calls come in numbers."""
    [kind] = part.keys() - {"role"}
    later = _ORDER[_ORDER.index(kind) :]
    return kind == "tool_calls" or not turn.keys() & set(later)


def _joined(turn: Message, part: Message) -> Message:
    calls = [*turn.get("tool_calls", ()), *part.get("tool_calls", ())]
    return {**turn, **part, **({"tool_calls": calls} if calls else {})}


def _other(item: Item) -> Message:
    if item["type"] == "function_call_output":
        content = text_of(item["output"])
        return {"role": "tool", "tool_call_id": item["call_id"], "content": content}
    return {"role": item["role"], "content": text_of(item["content"])}


def _without_old_thoughts(items: list[Item]) -> list[Item]:
    users = (at for at, item in enumerate(items) if item.get("role") == "user")
    last = max(users, default=-1)
    return [i for at, i in enumerate(items) if at > last or i["type"] != "reasoning"]
