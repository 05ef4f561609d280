"""One sequence held to its grammar: a logits processor that lets only what fits be sampled."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
from llguidance import LLMatcher


class Constraint:
    """``forced``: the tokens that must come next, where the grammar leaves one way on; they
    need not be sampled. ``lost``: the grammar no longer follows, and nothing is held to it.

    The mask is made by NumPy and ``mx.where``, on Metal as on the CPU: llguidance's own Metal
    kernel would save little and could not be tested without one.

    mlx-lm computes one step ahead, so it asks for the mask after a token before that token has
    been handed out, and asks once more after the last.
    """

    def __init__(self, grammar: LLMatcher, seen: int) -> None:
        """``seen``: tokens of the prompt, which the grammar does not speak of."""
        self.forced: list[int] = []
        self.lost = False
        self._matcher = grammar.deep_copy()
        self._seen = seen

    def start(self) -> list[int]:
        """The tokens every answer begins with; they may join the prompt."""
        return self._matcher.compute_ff_tokens()

    def __call__(self, tokens: mx.array, logits: mx.array) -> mx.array:
        """Token ids so far and logits ``[1, vocabulary]`` to logits where only tokens that
        keep to the grammar are finite."""
        self._follow(tokens[self._seen :].tolist())
        if self.lost:
            return logits
        allowed = self._allowed(logits.shape[-1])
        return mx.where(allowed, logits, -mx.inf)

    def _follow(self, new: list[int]) -> None:
        self._seen += len(new)
        self.forced = []
        self.lost = self.lost or not self._matcher.consume_tokens(new)
        if not self.lost and not self._matcher.is_stopped():
            self.forced = self._matcher.compute_ff_tokens()

    def _allowed(self, vocabulary: int) -> mx.array:
        """``[1, vocabulary]`` of bool. A model may have more logits than its tokenizer tokens."""
        packed = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        self.lost = self._matcher.is_error()
        mask = np.zeros((1, vocabulary), dtype=bool)
        bits = np.unpackbits(packed, bitorder="little")[:vocabulary]
        mask[0, : len(bits)] = bits
        return mx.array(mask | self.lost)
