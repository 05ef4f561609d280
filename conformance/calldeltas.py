"""How the calls of one choice come in a stream, part by part."""

from __future__ import annotations

import itertools
from typing import Any

from conformance.failure import expect
from conformance.transcript import Choice

Json = dict[str, Any]

SDK_ADDS = "the SDKs add deltas together, so what comes twice is doubled"


def parts_of(choice: Choice) -> list[Json]:
    """All parts of calls, in the order of their arrival."""
    return [part for delta in choice.deltas for part in delta.get("tool_calls") or []]


def heads_whole(choice: Choice) -> None:
    """The first part of each call has its index, id, type and name, and a string of arguments."""
    for head in _heads_and_tails(choice)[0]:
        expect(type(head.get("index")) is int, "an integer index", head, "LangChain drops the call")
        expect(bool(head.get("id")) and isinstance(head["id"], str), "an id", head)
        expect(head.get("type") == "function", "type function", head)
        function = head.get("function") or {}
        expect(bool(function), "a function", head, "LangChain drops the call")
        expect(bool(function.get("name")) and isinstance(function["name"], str), "a name", head)
        expect(isinstance(function.get("arguments"), str), "a string of arguments", head)


def heads_once(choice: Choice) -> None:
    """Id, type and name come in the first part of a call and never again."""
    for part in _heads_and_tails(choice)[1]:
        name = (part.get("function") or {}).get("name")
        again = [value for value in (part.get("id"), part.get("type"), name) if value]
        expect(not again, "nothing but arguments after the first delta", part, SDK_ADDS)


def indices_whole(choice: Choice) -> None:
    """The calls have the indices 0, 1 and so on, without a gap."""
    found = [head.get("index") for head in _heads_and_tails(choice)[0]]
    hint = "the SDK puts calls into a list by their index"
    expect(found == list(range(len(found))), "indices from 0", found, hint)


def one_by_one(choice: Choice) -> None:
    """A call is complete before the next one begins."""
    order = [part for part, _ in itertools.groupby(p.get("index") for p in parts_of(choice))]
    expect(len(order) == len(set(order)), "one call after the other", order)


RULES = (heads_whole, heads_once, indices_whole, one_by_one)


def _heads_and_tails(choice: Choice) -> tuple[list[Json], list[Json]]:
    """The first part of each call, and all others."""
    heads: dict[Any, Json] = {}
    tails = []
    for part in parts_of(choice):
        if heads.setdefault(part.get("index"), part) is not part:
            tails.append(part)
    return list(heads.values()), tails
