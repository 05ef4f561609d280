"""What is learned from a tree: whether an answer calls, and the tokens it is made of."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from router.toolmodel.training.tree import Tree

DECISION_WEIGHT = 4
"""Of the choice between a call and words, made with an answer's first token. Which word it is
counts like any other word: a greeting can begin in many ways, and counted as much as the choice
itself that noise was three quarters of the whole loss."""


@dataclass(frozen=True)
class Loss:
    """``call``: the token a call begins with, and no words."""

    call: int

    def __call__(self, logits: Tensor, tree: Tree) -> tuple[Tensor, Tensor]:
        """(nats, weight of the right guesses), summed over the targets; ``logits`` (targets,
        words)."""
        taught = tree.targets >= 0
        targets, weights, opens = (x[taught] for x in (tree.targets, tree.weights, tree.opens))
        right = weights @ (logits.detach().argmax(-1) == targets).float()
        said = weights @ F.cross_entropy(logits, targets, reduction="none")
        decided = self._decided(logits[opens], targets[opens] == self.call)
        return said + DECISION_WEIGHT * decided, right

    def _decided(self, logits: Tensor, calls: Tensor) -> Tensor:
        """The cross entropy of "a call or not", summed over answers."""
        others = logits.index_fill(-1, torch.tensor([self.call]), -torch.inf).logsumexp(-1)
        return F.binary_cross_entropy_with_logits(
            logits[:, self.call] - others, calls.float(), reduction="sum"
        )
