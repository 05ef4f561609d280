"""Where models lie, the foremost place first.

models.<id>.path in config.json             source "config"
folders in defaults.model_directory         "directory"
the models that come with the router        "embedded"
the Hugging Face cache                      "hub"
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from router import embedded, hub
from router.config import Config
from router.modelfolder import look, read_text

Source = Literal["config", "directory", "embedded", "hub"]


def places(config: Config, home: Path) -> Iterator[tuple[str, Source, Path | None]]:
    """Id, source and folder of each candidate, the foremost source first."""
    for id, model in config.models.items():
        if model.path:
            yield id, "config", model.path
    if directory := config.defaults.model_directory:
        for id, path in (*_plain_folders(directory), *_hub_folders(directory)):
            yield id, "directory", path
    for id in embedded.MODELS:
        yield id, "embedded", embedded.folder(home, id) if embedded.is_ready(home, id) else None
    for id, path in _hub_folders(hub.cache_folder()):
        yield id, "hub", path


def _plain_folders(directory: Path) -> Iterator[tuple[str, Path]]:
    """``name`` and ``org/name``."""
    for folder in _subfolders(directory):
        if (folder / "config.json").is_file():
            yield folder.name, folder
        else:
            for inner in _subfolders(folder):
                yield f"{folder.name}/{inner.name}", inner


def _hub_folders(cache: Path) -> Iterator[tuple[str, Path]]:
    """``models--org--name/snapshots/<commit>``: main's snapshot, else the newest whole one."""
    for repo in _subfolders(cache):
        kind, *parts = repo.name.split("--")
        if kind != "models" or not parts:
            continue
        main = read_text(repo / "refs" / "main").strip()
        snapshots = sorted(
            _subfolders(repo / "snapshots"),
            key=lambda folder: (folder.name == main, folder.stat().st_mtime),
            reverse=True,
        )
        for folder in snapshots:
            if not look(folder).lack:
                yield "/".join(parts), folder
                break


def _subfolders(folder: Path) -> list[Path]:
    try:
        inner = sorted(folder.iterdir())
    except OSError:
        return []
    return [path for path in inner if path.is_dir() and not path.name.startswith(".")]
