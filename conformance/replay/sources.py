"""Where recorded traffic comes from: source distributions, pinned and hashed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

LISTED = Path(__file__).parent / "sources.toml"

Tier = Literal["minimal", "core", "all"]
TIERS = get_args(Tier)


@dataclass(frozen=True)
class Source:
    name: str
    version: str
    sha256: str
    licence: str
    megabytes: float
    tier: Tier

    @property
    def requirement(self) -> str:
        """As pip reads it."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def sources(tier: Tier, listed: Path = LISTED) -> list[Source]:
    """Those of a tier and of the smaller ones before it, in the order of the list."""
    known = [Source(**fields) for fields in tomllib.loads(listed.read_text("utf-8"))["source"]]
    return [source for source in known if TIERS.index(source.tier) <= TIERS.index(tier)]
