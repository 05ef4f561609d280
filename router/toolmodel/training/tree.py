"""Conversations that share a beginning, as one row of tokens: a trunk and its branches.

The system prompt with its tools is most of the tokens of a short conversation. Written once, with
several conversations branching off, it is read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

UNTAUGHT = -100
"""The target of a token after which nothing is to be learned."""


class Written(NamedTuple):
    """A token of a branch, how much the model is taught to write it (0: not at all), and whether
    an answer opens with it."""

    token: int
    weight: float = 0.0
    opens: bool = False


Branch = Sequence[Written]


@dataclass(frozen=True)
class Tree:
    """``tokens``, ``positions``, ``targets``, ``weights``, ``opens``: (tokens,), the trunk first,
    then each branch; the last two are those of the targets.

    ``trunk``: its length. ``rows`` (branches, longest): where each branch's tokens lie; ``filled``
    tells which of them are no padding. ``mask`` (longest, trunk + longest): what a branch sees.
    """

    tokens: Tensor
    positions: Tensor
    targets: Tensor
    weights: Tensor
    opens: Tensor
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
    opens = [False] * len(trunk)
    longest = max(map(len, branches))
    rows = torch.zeros(len(branches), longest, dtype=torch.long)
    filled = torch.zeros(len(branches), longest, dtype=torch.bool)
    for number, branch in enumerate(branches):
        start, length = len(tokens), len(branch)
        rows[number, :length] = torch.arange(start, start + length)
        filled[number, :length] = True
        tokens += [written.token for written in branch]
        positions += range(len(trunk), len(trunk) + length)
        following = branch[1:]
        targets += [w.token if w.weight else UNTAUGHT for w in following] + [UNTAUGHT]
        weights += [w.weight for w in following] + [0.0]
        opens += [w.opens for w in following] + [False]
    own = torch.ones(longest, longest, dtype=torch.bool).tril()
    return Tree(
        tokens=torch.tensor(tokens),
        positions=torch.tensor(positions),
        targets=torch.tensor(targets),
        weights=torch.tensor(weights),
        opens=torch.tensor(opens),
        trunk=len(trunk),
        rows=rows,
        filled=filled,
        mask=torch.cat([torch.ones(longest, len(trunk), dtype=torch.bool), own], 1),
    )
