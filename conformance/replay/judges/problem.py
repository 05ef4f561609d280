"""What a judge says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["type", "schema", "presence", "grammar", "meaning"]


@dataclass(frozen=True)
class Problem:
    """``where``: the object and the member in it, "chunk 3: choices[].delta.role", or the rule
    that is broken."""

    kind: Kind
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.message}"
