"""The base model with low-rank additions, in PyTorch: Llama's layers over a tree of tokens.

The parameters' names and shapes are those of mlx-lm's adapters: ``lora_a`` (inputs, rank),
``lora_b`` (rank, outputs), and the output of a layer is ``x W^T + scale * (x a) b``.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from router.toolmodel.training.tree import Tree


@dataclass(frozen=True)
class Dimensions:
    """The figures of the model folder's config.json that the forward pass needs."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    head: int
    norm_eps: float
    rope_base: float

    @classmethod
    def read(cls, folder: Path) -> Dimensions:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        heads, width = config["num_attention_heads"], config["hidden_size"]
        return cls(
            layers=config["num_hidden_layers"],
            width=width,
            heads=heads,
            kv_heads=config["num_key_value_heads"],
            head=config.get("head_dim") or width // heads,
            norm_eps=config["rms_norm_eps"],
            rope_base=config["rope_theta"],
        )


class LoraLinear(nn.Module):
    """A frozen linear layer and its trained addition, which starts at nothing."""

    def __init__(self, weight: Tensor, rank: int, scale: float) -> None:
        super().__init__()
        outputs, inputs = weight.shape
        self.weight = weight
        self.scale = scale
        bound = 1 / math.sqrt(inputs)
        self.lora_a = nn.Parameter(torch.empty(inputs, rank).uniform_(-bound, bound))
        self.lora_b = nn.Parameter(torch.zeros(rank, outputs))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(F.linear(x, self.weight), x @ self.lora_a, self.lora_b, alpha=self.scale)


class Layer(nn.Module):
    """One block; its linear layers carry mlx-lm's names."""

    def __init__(
        self, weights: dict[str, Tensor], dims: Dimensions, rank: int, scale: float
    ) -> None:
        super().__init__()
        self.dims = dims
        self.attention_norm = weights["input_layernorm.weight"]
        self.mlp_norm = weights["post_attention_layernorm.weight"]

        def adapted(block: str, *names: str) -> nn.ModuleDict:
            layers = {n: LoraLinear(weights[f"{block}.{n}.weight"], rank, scale) for n in names}
            return nn.ModuleDict(layers)

        self.self_attn = adapted("self_attn", "q_proj", "k_proj", "v_proj", "o_proj")
        self.mlp = adapted("mlp", "gate_proj", "up_proj", "down_proj")

    def forward(self, x: Tensor, tree: Tree, rotation: Tensor) -> Tensor:
        """``x`` (tokens, width); ``rotation`` (tokens, 1, head, 2): cosines and sines."""
        dims, attention, mlp = self.dims, self.self_attn, self.mlp
        h = F.rms_norm(x, (dims.width,), self.attention_norm, dims.norm_eps)
        query = rotate(attention["q_proj"](h).view(-1, dims.heads, dims.head), rotation)
        key = rotate(attention["k_proj"](h).view(-1, dims.kv_heads, dims.head), rotation)
        value = attention["v_proj"](h).view(-1, dims.kv_heads, dims.head)
        x = x + attention["o_proj"](attend(query, key, value, tree).flatten(1))
        h = F.rms_norm(x, (dims.width,), self.mlp_norm, dims.norm_eps)
        return x + mlp["down_proj"](F.silu(mlp["gate_proj"](h)) * mlp["up_proj"](h))


class Llama(nn.Module):
    """A Llama with tied embeddings, as SmolLM2 is."""

    def __init__(
        self, folder: Path, rank: int, scale: float, precision: torch.dtype = torch.float32
    ) -> None:
        """``precision``: of the frozen weights and of the products with any weights; all else
        and the additions themselves are float32."""
        super().__init__()
        self.dims = dims = Dimensions.read(folder)
        self.precision = precision
        weights: dict[str, Tensor] = {}
        for file in sorted(folder.glob("*.safetensors")):
            weights |= {
                name: tensor.to(precision if tensor.ndim == 2 else torch.float32)
                for name, tensor in load_file(file).items()
            }
        self.embedding = weights["model.embed_tokens.weight"]
        self.norm = weights["model.norm.weight"]
        self.layers = nn.ModuleList(
            Layer(_below(weights, f"model.layers.{n}."), dims, rank, scale)
            for n in range(dims.layers)
        )

    def forward(self, tree: Tree) -> Tensor:
        """What follows each token that has a target: logits (targets, words)."""
        with torch.autocast("cpu", self.precision, enabled=self.precision != torch.float32):
            return self._logits(tree).float()

    def _logits(self, tree: Tree) -> Tensor:
        dims = self.dims
        x = F.embedding(tree.tokens, self.embedding).float()
        frequencies = dims.rope_base ** (-torch.arange(0, dims.head, 2) / dims.head)
        angles = torch.outer(tree.positions.float(), frequencies).repeat(1, 2)[:, None]
        rotation = torch.stack([angles.cos(), angles.sin()], -1)
        for layer in self.layers:
            x = layer(x, tree, rotation)
        taught = tree.targets >= 0
        h = F.rms_norm(x[taught], (dims.width,), self.norm, dims.norm_eps)
        return F.linear(h, self.embedding)

    def adapter(self) -> dict[str, Tensor]:
        """The trained parameters by the names mlx-lm reads them by."""
        return {f"model.{name}": parameter for name, parameter in self.named_parameters()}


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Rotary positions; ``x`` (tokens, heads, head), its two halves turned against each other."""
    first, second = x.chunk(2, -1)
    return x * rotation[..., 0] + torch.cat([-second, first], -1) * rotation[..., 1]


def attend(query: Tensor, key: Tensor, value: Tensor, tree: Tree) -> Tensor:
    """Attention over a tree: the trunk sees itself, a branch the trunk and itself.

    Branches never see one another, so they go as a batch of padded rows: for the usual tree a
    third of the work of one square mask. Shapes (tokens, heads, head) in and out.
    """
    groups = query.shape[1] // key.shape[1]
    key, value = (x.repeat_interleave(groups, 1) for x in (key, value))
    trunk, rows, branches = tree.trunk, tree.rows, tree.rows.shape[0]

    def stem(x: Tensor) -> Tensor:
        return x[:trunk].transpose(0, 1)[None]

    def twigs(x: Tensor) -> Tensor:
        return x[rows].transpose(1, 2)

    def both(x: Tensor) -> Tensor:
        return torch.cat([stem(x).expand(branches, -1, -1, -1), twigs(x)], 2)

    causal = torch.ones(trunk, trunk, dtype=torch.bool).tril()
    seen = _attention(stem(query), stem(key), stem(value), causal)
    grown = _attention(twigs(query), both(key), both(value), tree.mask)
    return torch.cat([seen[0].transpose(0, 1), grown.transpose(1, 2)[tree.filled]])


def _attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Written out: PyTorch's own takes several times as long with a mask in bfloat16."""
    unseen = torch.zeros_like(mask, dtype=query.dtype).masked_fill_(~mask, -torch.inf)
    scores = (query / math.sqrt(query.shape[-1])) @ key.transpose(-1, -2)
    return (scores + unseen).softmax(-1) @ value


def _below(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}
