"""What a model said: a text, calls, or both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """``arguments`` is an object; from a server that lets broken JSON through, a text."""

    name: str
    arguments: Any

    def __str__(self) -> str:
        return f"{self.name}({json.dumps(self.arguments, ensure_ascii=False)})"


@dataclass(frozen=True)
class Reply:
    text: str
    calls: tuple[Call, ...] = ()

    def __str__(self) -> str:
        return " ".join([*map(str, self.calls), self.text]).strip()
