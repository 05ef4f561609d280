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

Branch = Sequence[tuple[int, bool]]
"""Tokens, each with whether the model is taught to write it."""


@dataclass(frozen=True)
class Tree:
    """``tokens``, ``positions``, ``targets``: (tokens,), the trunk first, then each branch.

    ``trunk``: its length. ``rows`` (branches, longest): where each branch's tokens lie; ``filled``
    tells which of them are no padding. ``mask`` (longest, trunk + longest): what a branch sees.
    """

    tokens: Tensor
    positions: Tensor
    targets: Tensor
    trunk: int
    rows: Tensor
    filled: Tensor
    mask: Tensor

    @property
    def taught(self) -> int:
        return int((self.targets >= 0).sum())


def grow(trunk: Sequence[int], branches: Sequence[Branch]) -> Tree:
    tokens, positions = list(trunk), list(range(len(trunk)))
    targets = [UNTAUGHT] * len(trunk)
    longest = max(map(len, branches))
    rows = torch.zeros(len(branches), longest, dtype=torch.long)
    filled = torch.zeros(len(branches), longest, dtype=torch.bool)
    for number, branch in enumerate(branches):
        start, length = len(tokens), len(branch)
        rows[number, :length] = torch.arange(start, start + length)
        filled[number, :length] = True
        tokens += [token for token, _ in branch]
        positions += range(len(trunk), len(trunk) + length)
        targets += [token if taught else UNTAUGHT for token, taught in branch[1:]] + [UNTAUGHT]
    own = torch.ones(longest, longest, dtype=torch.bool).tril()
    return Tree(
        tokens=torch.tensor(tokens),
        positions=torch.tensor(positions),
        targets=torch.tensor(targets),
        trunk=len(trunk),
        rows=rows,
        filled=filled,
        mask=torch.cat([torch.ones(longest, len(trunk), dtype=torch.bool), own], 1),
    )
