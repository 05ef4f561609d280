"""Which kinds of conversation a setting has, and how often."""

from collections.abc import Callable
from random import Random

from router.toolmodel.conversations import calls, chains, chat, memory, records, refusals
from router.toolmodel.conversations.messages import Message
from router.toolmodel.conversations.settings import TERMINATE, Setting

Maker = Callable[[Random, Setting], list[Message]]

SHARES: dict[str, dict[str, int]] = {
    "plain": {
        "single": 30,
        "parallel": 20,
        "sequence": 6,
        "memory": 9,
        "chat": 10,
        "failed": 3,
        "follow up": 4,
        "unfit": 18,
    },
    "chain": {"chained": 62, "single": 10, "parallel": 5, "memory": 5, "chat": 5, "unfit": 13},
    "arithmetic": {"arithmetic": 66, "single": 13, "parallel": 13, "unfit": 8},
    "handoff": {"single": 75, "chat": 17, "unfit": 8},
    "bare": {"memory": 46, "chat": 44, "unfit": 10},
    "structured": {"final": 100},
    "json": {"json": 100},
}
"""Parts of a hundred, by the kind of the setting."""


def conversation(random: Random, setting: Setting) -> list[Message]:
    """The messages after the system prompt; the last is the assistant's."""
    kinds = SHARES[setting.kind]
    kind = random.choices(list(kinds), list(kinds.values()))[0]
    return made(random, setting, kind)


def made(random: Random, setting: Setting, kind: str) -> list[Message]:
    messages = MAKERS[kind](random, setting)
    if setting.system and TERMINATE in setting.system and "tool_calls" not in messages[-1]:
        messages[-1]["content"] += f" {TERMINATE}"
    return messages


def _single(random: Random, setting: Setting) -> list[Message]:
    """A call, and now and then a word of thanks or another call after it."""
    messages = calls.single(random, setting)
    chance = random.random()
    if chance < 0.06:
        return messages + chat.thanks(random)
    if chance < 0.14 and setting.kind != "handoff":
        return messages + calls.single(random, setting)
    return messages


def _memory(random: Random, setting: Setting) -> list[Message]:
    def between(random: Random) -> list[Message]:
        if setting.offered and random.random() < 0.7:
            return calls.single(random, setting)
        return chat.chat(random, setting)

    return memory.remembered(random, between)


def _chat(random: Random, setting: Setting) -> list[Message]:
    messages = chat.chat(random, setting)
    if setting.offered and random.random() < 0.15:
        return messages + calls.single(random, setting)
    return messages


def _chained(random: Random, setting: Setting) -> list[Message]:
    assert setting.chain
    return chains.chained(random, setting.chain)


def _arithmetic(random: Random, setting: Setting) -> list[Message]:
    return chains.arithmetic(random, setting.offered)


def _final(random: Random, setting: Setting) -> list[Message]:
    assert setting.record
    tool = random.choice(setting.offered) if setting.offered and random.random() < 0.6 else None
    return records.final_call(random, setting.record, tool)


def _json(random: Random, setting: Setting) -> list[Message]:
    assert setting.record
    return records.as_json(random, setting.record)


MAKERS: dict[str, Maker] = {
    "single": _single,
    "parallel": calls.parallel,
    "sequence": calls.sequence,
    "memory": _memory,
    "chat": _chat,
    "failed": calls.failed,
    "follow up": calls.follow_up,
    "chained": _chained,
    "arithmetic": _arithmetic,
    "final": _final,
    "json": _json,
    "unfit": refusals.unfit,
}
