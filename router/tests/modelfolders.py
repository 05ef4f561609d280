"""Model folders as they lie on disk, and catalogs of them."""

from __future__ import annotations

from pathlib import Path

from router.catalog import Catalog
from router.config import Config, Defaults, Model


def make(folder: Path, files: dict[str, str] | None = None) -> Path:
    """A whole model folder, with these files besides or instead."""
    folder.mkdir(parents=True)
    usual = {
        "config.json": '{"model_type": "llama"}',
        "model.safetensors": "weights",
        "tokenizer.json": "{}",
    }
    for name, text in (usual | (files or {})).items():
        (folder / name).write_text(text)
    return folder


def snapshot(cache: Path, repo: str, commit: str, main: bool = True) -> Path:
    folder = cache / ("models--" + repo.replace("/", "--"))
    if main:
        (folder / "refs").mkdir(parents=True, exist_ok=True)
        (folder / "refs" / "main").write_text(commit)
    return make(folder / "snapshots" / commit)


def catalog(
    home: Path, directory: Path | None = None, models: dict[str, Model] | None = None
) -> Catalog:
    defaults = Defaults(model_directory=directory)
    return Catalog(Config(defaults=defaults, models=models or {}), home)


def ids(catalog: Catalog) -> list[str]:
    return [spec.id for spec in catalog.list()]
