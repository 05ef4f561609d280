"""Conversations as trees of tokens, the model's own writing marked as what is taught."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from jinja2 import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from router.toolmodel.conversations import Setting, conversation, setting
from router.toolmodel.training.loss import Loss
from router.toolmodel.training.tree import Branch, Tree, Written, grow

CHAT_TEMPLATE = Path(__file__).parents[1] / "chat_template.jinja"
SYSTEM = re.compile(r".*?<\|im_end\|>\n", re.DOTALL)
ANSWER = re.compile(r"<\|im_start\|>assistant\n(.*?<\|im_end\|>)", re.DOTALL)

CALL, CALL_END = "<tool_call>", "</tool_call>"

WORDS_WEIGHT = 0.35
"""Of the tokens of an answer in words, which could be said in many ways; calls cannot."""

ENOUGH_WEIGHT = 4
"""Of what follows a call, which decides between another one and the end of the answer."""

MOST_BRANCHES = 10
ROOM = 250
"""Tokens by which the last branch may go over; a tree still larger is drawn anew."""


@dataclass(frozen=True)
class Teacher:
    """Draws trees of about ``size`` tokens."""

    tokenizer: Tokenizer
    template: Template
    size: int

    @classmethod
    def of(cls, model: Path, size: int) -> Teacher:
        return cls(Tokenizer.from_file(str(model / "tokenizer.json")), chat_template(), size)

    def lesson(self, random: Random) -> Tree:
        """One setting, and as many conversations in it as fit."""
        while True:
            scene = setting(random)
            trunk: list[int] = []
            branches: list[Branch] = []
            length = 0
            while length < self.size and len(branches) < MOST_BRANCHES:
                opening, rest = self._rendered(scene, conversation(random, scene))
                trunk = self._tokens(opening)
                branches.append(list(self._marked(rest)))
                length = len(trunk) + sum(map(len, branches))
            if length <= self.size + ROOM:
                return grow(trunk, branches)

    def loss(self) -> Loss:
        call = self._tokens(CALL)[0]
        return Loss(call)

    def _rendered(self, scene: Setting, messages: list[dict[str, Any]]) -> tuple[str, str]:
        """The system's turn, and all after it."""
        system = [] if scene.system is None else [{"role": "system", "content": scene.system}]
        text = self.template.render(messages=[*system, *messages], tools=list(scene.tools) or None)
        opening = SYSTEM.match(text)
        assert opening
        return opening[0], text[opening.end() :]

    def _marked(self, text: str) -> Iterator[Written]:
        """Only what the assistant writes is taught."""
        read = 0
        for answer in ANSWER.finditer(text):
            yield from map(Written, self._tokens(text[read : answer.start(1)]))
            yield from self._taught(answer[1])
            read = answer.end()
        yield from map(Written, self._tokens(text[read:]))

    def _taught(self, answer: str) -> Iterator[Written]:
        usual = 1 if answer.startswith(CALL) else WORDS_WEIGHT
        encoding = self.tokenizer.encode(answer, add_special_tokens=False)
        for token, (start, _) in zip(encoding.ids, encoding.offsets, strict=True):
            weight = ENOUGH_WEIGHT if answer[:start].endswith(CALL_END) else usual
            yield Written(token, weight, opens=start == 0)

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def chat_template() -> Template:
    """The model's template in an environment like the one transformers renders it in."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.from_string(CHAT_TEMPLATE.read_text(encoding="utf-8"))
