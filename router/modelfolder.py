"""What a folder on disk holds: whether MLX can load a text model from it, and what it says of
itself.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from router.config import Sampling

GENERATES = re.compile("(ForCausalLM|ForConditionalGeneration|LMHeadModel)$")
"""Class names that generate text; encoders and classifiers end otherwise."""


@dataclass(frozen=True)
class Facts:
    """``lack`` says what a folder lacks to be a text model that MLX loads; "" when nothing."""

    lack: str
    created: int = 0
    size_bytes: int = 0
    sampling: dict[str, float] = field(default_factory=dict)


def look(folder: Path) -> Facts:
    """What is in a folder; read again only when files come, go, or its config changes."""
    try:
        names = frozenset(name for name in os.listdir(folder) if (folder / name).is_file())
        return _look(folder, names, (folder / "config.json").stat().st_mtime_ns)
    except OSError:
        return Facts("config.json")


@lru_cache(maxsize=4096)
def _look(folder: Path, names: frozenset[str], changed: int) -> Facts:
    config = _json(folder / "config.json")
    weights = [folder / name for name in names if re.fullmatch(r"model.*\.safetensors", name)]
    if lack := _lack(folder, names, config, {path.name for path in weights}):
        return Facts(lack)
    return Facts(
        "",
        created=changed // 10**9,
        size_bytes=sum(path.stat().st_size for path in weights),
        sampling=_sampling(_json(folder / "generation_config.json")),
    )


def _lack(folder: Path, names: frozenset[str], config: dict[str, Any], weights: set[str]) -> str:
    if not config.get("model_type"):
        return "a model_type in config.json"
    classes = config.get("architectures")
    encoder = isinstance(classes, list) and not any(GENERATES.search(str(c)) for c in classes)
    if encoder or config.get("is_encoder_decoder"):
        return "a text generation model"
    if not weights:
        return "model*.safetensors"
    index = _json(folder / "model.safetensors.index.json").get("weight_map")
    if isinstance(index, dict) and (missing := set(map(str, index.values())) - weights):
        return min(missing)
    parts = {int(found[1]) for name in weights if (found := re.search(r"-of-(\d+)\.", name))}
    if parts and len(weights) < max(parts):
        return f"{max(parts) - len(weights)} of the {max(parts)} parts of its weights"
    tokenizer = re.compile(r"tokenizer\.(json|model)|vocab\.json|.*tiktoken.*")
    return "" if any(tokenizer.fullmatch(name) for name in names) else "tokenizer.json"


def _sampling(generation: dict[str, Any]) -> dict[str, float]:
    if generation.get("do_sample") is False:
        return {"temperature": 0.0}
    known = {key: generation[key] for key in Sampling.model_fields if key in generation}
    try:
        return Sampling.model_validate(known).model_dump(exclude_none=True)
    except ValidationError:
        return {}


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_text(path))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def read_text(path: Path) -> str:
    """The text of a file, or "" where none can be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
