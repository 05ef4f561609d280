"""Conversations that share a beginning, as one row of tokens: a trunk and its branches.

The system prompt with its tools is most of the tokens of a short conversation. Written once, with
several conversations branching off, it is read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

UNTAUGHT = -100
"""The target of a token after which nothing is to be learned."""

Branch = Sequence[tuple[int, float]]
"""Tokens, each with how much the model is taught to write it; 0: not at all."""


@dataclass(frozen=True)
class Tree:
    """``tokens``, ``positions``, ``targets``, ``weights``: (tokens,), the trunk first, then each
    branch; ``weights`` are those of the targets.

    ``trunk``: its length. ``rows`` (branches, longest): where each branch's tokens lie; ``filled``
    tells which of them are no padding. ``mask`` (longest, trunk + longest): what a branch sees.
    """

    tokens: Tensor
    positions: Tensor
    targets: Tensor
    weights: Tensor
    trunk: int
    rows: Tensor
    filled: Tensor
    mask: Tensor

    @property
    def taught(self) -> float:
        """The weight of all targets."""
        return float(self.weights.sum())


def grow(trunk: Sequence[int], branches: Sequence[Branch]) -> Tree:
    tokens, positions = list(trunk), list(range(len(trunk)))
    targets, weights = [UNTAUGHT] * len(trunk), [0.0] * len(trunk)
    longest = max(map(len, branches))
    rows = torch.zeros(len(branches), longest, dtype=torch.long)
    filled = torch.zeros(len(branches), longest, dtype=torch.bool)
    for number, branch in enumerate(branches):
        start, length = len(tokens), len(branch)
        rows[number, :length] = torch.arange(start, start + length)
        filled[number, :length] = True
        tokens += [token for token, _ in branch]
        positions += range(len(trunk), len(trunk) + length)
        targets += [token if weight else UNTAUGHT for token, weight in branch[1:]] + [UNTAUGHT]
        weights += [weight for _, weight in branch[1:]] + [0.0]
    own = torch.ones(longest, longest, dtype=torch.bool).tril()
    return Tree(
        tokens=torch.tensor(tokens),
        positions=torch.tensor(positions),
        targets=torch.tensor(targets),
        weights=torch.tensor(weights),
        trunk=len(trunk),
        rows=rows,
        filled=filled,
        mask=torch.cat([torch.ones(longest, len(trunk), dtype=torch.bool), own], 1),
    )
