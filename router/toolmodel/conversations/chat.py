"""Conversations that need no tool, whether or not some are offered."""

import tomllib
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from router.toolmodel.conversations.messages import Message, assistant, user
from router.toolmodel.conversations.settings import Setting
from router.toolmodel.conversations.text import expand, listed

FILE = Path(__file__).parent / "chat.toml"

KNOWING_DOMAINS = {"search", "text", "arithmetic", "math", "translate", "languages", "science"}
"""Where such tools are offered, a question of general knowledge is theirs."""


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def chat(random: Random, setting: Setting) -> list[Message]:
    chance = random.random()
    if chance < 0.5:
        return _exchange(random, random.choice(_file()["exchange"]))
    if chance < 0.68:
        return _echo(random)
    if chance < 0.76 and setting.offered:
        return _abilities(random, setting)
    if any(one.tool.domain in KNOWING_DOMAINS for one in setting.offered):
        return _exchange(random, random.choice(_file()["exchange"]))
    if chance < 0.9:
        return _fact(random)
    return _exchange(random, random.choice(_file()["creation"]))


def thanks(random: Random) -> list[Message]:
    return _exchange(random, next(one for one in _file()["exchange"] if "Thanks!" in one["says"]))


def _exchange(random: Random, one: dict[str, Any]) -> list[Message]:
    return [user(random.choice(one["says"])), assistant(random.choice(one["answers"]))]


def _fact(random: Random) -> list[Message]:
    question, answer = random.choice(_file()["knowledge"])
    return [user(question), assistant(answer)]


ECHOES = (
    "{word}",
    "{made}",
    "{sentence}",
    "{phrase}",
    "pong",
    "hello world",
    "OK",
    "{1..999}",
    "yes",
    "{id}",
    "{title}",
)


def _echo(random: Random) -> list[Message]:
    if random.random() < 0.2:
        last = random.randint(3, 10)
        form = random.choice(("Count from 1 to {}.", "Count to {}", "Please count to {}."))
        return [user(form.format(last)), assistant(", ".join(map(str, range(1, last + 1))))]
    text = expand(random, random.choice(ECHOES))
    form = random.choice(
        (
            *(
                "Say '{}'.",
                'Say "{}"',
                "Repeat after me: {}",
                "Reply with exactly: {}",
                "Just say {}",
            ),
            *(
                "Reply with only: {}",
                "Respond with: {}",
                "Echo: {}",
                "Answer with exactly this: {}",
            ),
        )
    )
    return [user(form.format(text)), assistant(text)]


def _abilities(random: Random, setting: Setting) -> list[Message]:
    names = listed([one["function"]["name"] for one in setting.tools])
    question = random.choice(
        (
            "What can you do?",
            "What tools do you have?",
            "Which functions can you call?",
            "How can you help me?",
        )
    )
    return [user(question), assistant(f"I can use these tools: {names}.")]
