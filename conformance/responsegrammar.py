"""What the events of a Responses stream must be, one after the other: pure rules over them.

Each rule takes the events that `parsed` gives and returns what is wrong, in words. They follow
api.openai.com, recorded: an event's name is its type, numbers run from 0, every item is opened,
filled and closed, and what closes it repeats what filled it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any

from conformance.sse import Reader

Json = dict[str, Any]
Event = tuple[str | None, Json]
"""Its `event:` line, and its data."""
Events = Sequence[Event]
Rule = Callable[[Events], list[str]]

TERMINAL = ("response.completed", "response.incomplete", "response.failed")
BEGUN = ("response.created", "response.queued", "response.in_progress")
KEEP_ALIVE = ("keepalive", "response.in_progress")
"""May come anywhere between the beginning and the end."""

ADDED, DONE = "response.output_item.added", "response.output_item.done"
PART_ADDED, PART_DONE = "response.content_part.added", "response.content_part.done"
SUMMARY_ADDED = "response.reasoning_summary_part.added"
SUMMARY_DONE = "response.reasoning_summary_part.done"
ANNOTATION = "response.output_text.annotation.added"

TEXTS = {
    "response.output_text": "text",
    "response.refusal": "refusal",
    "response.reasoning_text": "text",
    "response.reasoning_summary_text": "text",
    "response.function_call_arguments": "arguments",
    "response.custom_tool_call_input": "input",
    "response.mcp_call_arguments": "arguments",
    "response.code_interpreter_call_code": "code",
}
"""What comes in pieces: `….delta` carries one, `….done` all of them under this name."""

IN_PARTS = ("response.output_text", "response.refusal", "response.reasoning_text")
FIRST = {
    "message": {PART_ADDED, DONE},
    "reasoning": {SUMMARY_ADDED, PART_ADDED, DONE},
    "function_call": {
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
    },
    "custom_tool_call": {
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.done",
    },
}
"""What may follow the opening of an item of this type. Of hosted tools' items nothing is said."""

NEXT = {
    PART_ADDED: {f"{text}.{end}" for text in IN_PARTS for end in ("delta", "done")},
    **{f"{text}.done": {PART_DONE} for text in IN_PARTS},
    PART_DONE: {PART_ADDED, DONE},
    SUMMARY_ADDED: {f"response.reasoning_summary_text.{end}" for end in ("delta", "done")},
    "response.reasoning_summary_text.done": {SUMMARY_DONE},
    SUMMARY_DONE: {SUMMARY_ADDED, PART_ADDED, DONE},
    "response.function_call_arguments.done": {DONE},
    "response.custom_tool_call_input.done": {DONE},
    **{f"{text}.delta": {f"{text}.delta", f"{text}.done"} for text in TEXTS},
    DONE: set[str](),
}
"""What may follow an event within its item, annotations aside."""

FIXED = ("id", "type", "call_id", "name", "role")
"""Members of an item that never change."""


def parsed(reader: Reader) -> tuple[list[Event], list[str]]:
    """The events that are JSON objects with a type, and what is wrong with the others."""
    events: list[Event] = []
    wrong: list[str] = []
    for event in reader.events:
        if event.data == "[DONE]":
            wrong.append("[DONE], which ends a chat stream and not this one")
            continue
        try:
            data = json.loads(event.data)
        except ValueError:
            data = None
        if isinstance(data, dict) and isinstance(data.get("type"), str):
            events.append((event.name, data))
        else:
            wrong.append(f"an event is no JSON object with a type: {event.data[:80]!r}")
    return events, wrong


def names(events: Events) -> list[str]:
    """The `event:` line is the type."""
    return [
        f"event {name!r} has the type {data['type']!r}"
        for name, data in events
        if name != data["type"]
    ]


def sequence(events: Events, first: int = 0) -> list[str]:
    """`sequence_number` runs from 0, or from where a kept stream is read on, without a gap."""
    for wanted, (_, data) in enumerate(events, first):
        found = data.get("sequence_number")
        if found != wanted or type(found) is not int:
            return [f"{data['type']} has the sequence_number {found!r}, not {wanted}"]
    return []


def order(events: Events) -> list[str]:
    """created, in_progress, whatever there is, and one end, which nothing follows."""
    types = [data["type"] for _, data in events]
    wrong = []
    if types[:1] != ["response.created"]:
        wrong.append(f"it begins with {types[:1]}")
    begun = [kind for kind in types if kind != "keepalive"][:3]
    if "response.in_progress" not in begun:
        wrong.append(f"no response.in_progress after response.created, but {begun[1:2]}")
    late = [kind for kind in types[3:] if kind in BEGUN and kind not in KEEP_ALIVE]
    wrong += [f"{kind} in the middle" for kind in late]
    return wrong


def terminal(events: Events) -> list[str]:
    """One completed, incomplete or failed comes last, with a response of that status. A failure
    is an `error` event before it."""
    types = [data["type"] for _, data in events]
    ends = [kind for kind in types if kind in TERMINAL]
    if len(ends) != 1 or types[-1:] != ends:
        return [f"it has the ends {ends}, and its last event is {types[-1:]}"]
    wrong = []
    status = (events[-1][1].get("response") or {}).get("status")
    if ends != [f"response.{status}"]:
        wrong.append(f"{ends[0]} carries a response that is {status!r}")
    if "error" in types and (types[-2:] != ["error", "response.failed"]):
        wrong.append("an error that response.failed does not follow")
    return wrong


def grammar(events: Events) -> list[str]:
    """Within an item: opened, then parts, each opened, filled and closed, then closed."""
    wrong = []
    for index, item in _items(events).items():
        types = [data["type"] for data in item if data["type"] != ANNOTATION]
        if types[0] != ADDED:
            wrong.append(f"item {index} begins with {types[0]}")
        if types[-1] != DONE and not _failed(events):
            wrong.append(f"item {index} ends with {types[-1]}")
        kind = str((item[0].get("item") or {}).get("type"))
        for before, after in itertools.pairwise(types):
            allowed = FIRST.get(kind) if before == ADDED else NEXT.get(before)
            if after == ADDED or (allowed is not None and after not in allowed):
                wrong.append(f"in item {index}, a {kind}, {after} follows {before}")
    return wrong


def one_by_one(events: Events) -> list[str]:
    """Items come one after the other, with the output_index 0, 1 and so on."""
    found = (data["output_index"] for _, data in events if "output_index" in data)
    runs = [index for index, _ in itertools.groupby(found)]
    return [] if runs == list(range(len(runs))) else [f"the items come in the order {runs}"]


def identity(events: Events) -> list[str]:
    """All events of an item carry its id; what closes it has the id, type, call_id and name that
    opened it. All responses have one id."""
    wrong = []
    for index, item in _items(events).items():
        opened = item[0].get("item") or {}
        for data in item[1:]:
            if "item" not in data and data.get("item_id") != opened.get("id"):
                found = data.get("item_id")
                wrong.append(f"{data['type']} of {opened.get('id')!r} has the item_id {found!r}")
        closed = item[-1].get("item") or {} if item[-1]["type"] == DONE else opened
        changed = [name for name in FIXED if closed.get(name) != opened.get(name)]
        wrong += [f"the {name} of item {index} changes" for name in changed]
    ids = {data["response"].get("id") for _, data in events if "response" in data}
    if len(ids) > 1:
        wrong.append(f"the responses have the ids {sorted(map(str, ids))}")
    return wrong


def places(events: Events) -> list[str]:
    """The parts of an item have the content_index, or summary_index, 0, 1 and so on, and what
    comes between the beginning and the end of a part has that of the part."""
    wrong = []
    for opening, member in ((PART_ADDED, "content_index"), (SUMMARY_ADDED, "summary_index")):
        for index, item in _items(events).items():
            count = -1
            for data in item:
                count += data["type"] == opening
                if member in data and data[member] != max(count, 0):
                    wrong.append(f"{data['type']} of item {index}: {member} {data[member]!r}")
    return wrong


def texts(events: Events) -> list[str]:
    """What ends a text, a part or an item repeats what came in pieces."""
    wrong = []
    for index, item in _items(events).items():
        pieces: dict[Any, str] = {}
        for data in item:
            text, _, end = data["type"].rpartition(".")
            place = tuple(data.get(member) for member in ("content_index", "summary_index"))
            if text in TEXTS and end == "delta":
                pieces[place] = pieces.get(place, "") + str(data.get("delta"))
            elif text in TEXTS and data.get(TEXTS[text]) != pieces.setdefault(place, ""):
                wrong.append(f"{data['type']} of item {index} is not its deltas, joined")
            elif "part" in data and end == "done" and _text(data["part"]) != pieces.get(place):
                wrong.append(f"{data['type']} of item {index} is another part")
        kept = _texts(item[-1].get("item") or {}) if item[-1]["type"] == DONE else None
        if kept is not None and kept != list(pieces.values()):
            wrong.append(f"item {index} is closed with {kept}, after {list(pieces.values())}")
    return wrong


def output(events: Events) -> list[str]:
    """The response that ends the stream has the items that were closed, in their order."""
    if not events or events[-1][1]["type"] not in TERMINAL or _failed(events):
        return []
    closed = [data.get("item") or {} for _, data in events if data["type"] == DONE]
    kept = (events[-1][1].get("response") or {}).get("output") or []
    named = [[[item.get(name) for name in FIXED] for item in items] for items in (closed, kept)]
    if named[0] != named[1]:
        return [f"the items {named[0]} were closed, the output has {named[1]}"]
    wrong = [i for i, (a, b) in enumerate(zip(closed, kept, strict=True)) if _texts(a) != _texts(b)]
    return [f"item {index} is another in the output" for index in wrong]


RULES: tuple[Rule, ...] = (
    names,
    sequence,
    order,
    terminal,
    grammar,
    one_by_one,
    identity,
    places,
    texts,
    output,
)


def problems(events: Events) -> list[str]:
    """What all the rules find."""
    return [found for rule in RULES for found in rule(events)]


def _failed(events: Events) -> bool:
    return any(data["type"] in ("error", "response.failed") for _, data in events)


def _items(events: Events) -> dict[Any, list[Json]]:
    """The events of each item, by its output_index."""
    items: dict[Any, list[Json]] = {}
    for _, data in events:
        if "output_index" in data:
            items.setdefault(data["output_index"], []).append(data)
    return items


def _texts(item: Json) -> list[str] | None:
    """What an item holds that came in pieces, in order; None where that cannot be told."""
    match item.get("type"):
        case "message":
            return [_text(part) for part in item.get("content") or []]
        case "reasoning":
            parts = [*(item.get("summary") or []), *(item.get("content") or [])]
            return [_text(part) for part in parts]
        case "function_call":
            return [str(item.get("arguments"))]
        case "custom_tool_call":
            return [str(item.get("input"))]
    return None


def _text(part: Json) -> str:
    return str(part.get("refusal" if part.get("type") == "refusal" else "text"))
