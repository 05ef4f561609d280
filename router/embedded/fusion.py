"""The tool-calling model: the base model with the adapter's low-rank additions in its weights.

The adapter is in mlx-lm's format: ``lora_a`` (inputs, rank), ``lora_b`` (rank, outputs), and
``scale`` in adapter_config.json; a weight W (outputs, inputs) becomes W + scale * (a b)^T.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from router.embedded.conversion import GENERATION
from router.embedded.source import ADAPTER, CHAT_TEMPLATE

GREEDY = GENERATION | {"do_sample": False}
"""A call's arguments are copied, not invented: the likeliest token is the right one."""


def fuse(base: Path, output: Path) -> None:
    """Write the tool-calling model into ``output``; needs the base model's folder."""
    config = json.loads((ADAPTER / "adapter_config.json").read_text(encoding="utf-8"))
    additions = load_file(ADAPTER / "adapters.safetensors")
    output.mkdir()
    for path in base.iterdir():
        if path.suffix == ".safetensors":
            weights = _fused(load_file(path), additions, config["lora_parameters"]["scale"])
            save_file(weights, output / path.name, metadata={"format": "mlx"})
        elif path.name in ("config.json", "vocab.json", "merges.txt") or "token" in path.name:
            shutil.copy2(path, output)
    shutil.copy2(base / "model.safetensors.index.json", output)
    shutil.copy2(CHAT_TEMPLATE, output / "chat_template.jinja")
    _forget_template(output / "tokenizer_config.json")
    (output / "generation_config.json").write_text(json.dumps(GREEDY, indent=2))


def _fused(
    weights: dict[str, NDArray[Any]], additions: dict[str, NDArray[Any]], scale: float
) -> dict[str, NDArray[Any]]:
    fused = dict(weights)
    for layer in {name.rpartition(".lora_")[0] for name in additions}:
        name = f"{layer}.weight"
        a, b = (additions[f"{layer}.lora_{part}"].astype(np.float32) for part in "ab")
        weight = weights[name] + scale * (a @ b).T
        # In rows: safetensors writes an array's memory as it lies.
        fused[name] = np.ascontiguousarray(weight, dtype=weights[name].dtype)
    return fused


def _forget_template(path: Path) -> None:
    """The base model's template, which knows no tools."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config.pop("chat_template", None)
    path.write_text(json.dumps(config, indent=2), encoding="utf-8")
