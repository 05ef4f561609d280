"""The KV of finished and abandoned sequences, for prompts that begin the same way.

An agent's next request repeats its last one and adds a turn; a client that timed out sends the
same prompt again. Both go on where the stored KV ends instead of reading everything anew.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import numpy as np
from mlx_lm.models.cache import can_trim_prompt_cache, trim_prompt_cache

SHORTEST = 16
"""Tokens below which a hit saves less than it costs."""

Cache = list[Any]
"""One mlx-lm cache object for each layer."""

Tokens = np.ndarray[tuple[int], np.dtype[np.int32]]


@dataclass(frozen=True, slots=True)
class Entry:
    tokens: Tokens
    cache: Cache
    nbytes: int


class PrefixCache:
    """Least recently used entries leave when ``budget`` bytes are exceeded.

    Entries are never handed out themselves: the engine writes into what it gets.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def take(self, prompt: list[int]) -> tuple[Cache | None, int]:
        """A copy of the KV of the longest stored prefix of ``prompt``, and its tokens.

        At least one token is left to read, because its logits are what comes next. Caches
        that cannot be cut (recurrent states, wrapped windows) serve only whole.
        """
        wanted = np.array(prompt[:-1], dtype=np.int32)
        best, shared = None, SHORTEST - 1
        for key, entry in self._entries.items():
            common = _common(entry.tokens, wanted)
            whole = common == len(entry.tokens)
            if common > shared and (whole or can_trim_prompt_cache(entry.cache)):
                best, shared = key, common
        if best is None:
            return None, 0
        self._entries.move_to_end(best)
        entry = self._entries[best]
        cache = copy.deepcopy(entry.cache)
        trim_prompt_cache(cache, len(entry.tokens) - shared)
        return cache, shared

    def put(self, tokens: list[int], cache: Cache) -> None:
        """Keep the KV of ``tokens``; what it makes needless goes."""
        if len(tokens) < SHORTEST:
            return
        kept = np.array(tokens, dtype=np.int32)
        entry = Entry(kept, cache, sum(layer.nbytes for layer in cache))
        if entry.nbytes > self._budget:
            return
        # What mlx-lm extracts is lazy, and would keep the whole batch it came from alive.
        mx.eval([layer.state for layer in cache])
        if can_trim_prompt_cache(cache):
            for key, old in list(self._entries.items()):
                if _common(old.tokens, kept) == len(old.tokens):
                    self._drop(key)
        self._drop(kept.tobytes())
        self._entries[kept.tobytes()] = entry
        self.nbytes += entry.nbytes
        while self.nbytes > self._budget:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: bytes) -> None:
        if entry := self._entries.pop(key, None):
            self.nbytes -= entry.nbytes


def _common(a: Tokens, b: Tokens) -> int:
    """How many tokens two sequences share from their beginning."""
    length = min(len(a), len(b))
    different = np.flatnonzero(a[:length] != b[:length])
    return int(different[0]) if len(different) else length
