"""A model folder that is whole or not there.

Everything is made in a temporary folder beside the target and under a lock; the manifest is
written last, all of it flushed, and then the folder renamed to its name. Two servers make it once.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.embedded.error import EmbeddedError

MANIFEST = "manifest.json"
SMALL = 4 << 20
"""Bytes up to which a file is hashed at every start."""

Progress = Callable[[str, float], None]
"""Called with a stage ("wait", "fetch", "convert") and the fraction of that stage done, 0 to 1."""


@dataclass(frozen=True)
class Sealed:
    """The folder ``path``, as the steps numbered ``recipe`` make it from ``source``."""

    path: Path
    recipe: int
    source: dict[str, Any]

    def is_ready(self) -> bool:
        """Whether it has been made. ``ensure`` looks closer."""
        return self._manifest().get("recipe") == self.recipe

    def ensure(self, make: Callable[[Path], None], progress: Progress) -> None:
        """Have ``make`` write the folder anew unless it is whole. Raises EmbeddedError."""
        if self._is_intact():
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock(progress):
                if not self._is_intact():
                    self._replace(make)
        except OSError as error:
            raise EmbeddedError(
                f"cannot write {self.path}: {error.strerror or error}. It needs 370 MB;"
                " MLX_ROUTER_HOME chooses another place."
            ) from error

    def verify(self) -> list[str]:
        """The names of files that are missing or not as they were made; reads every byte."""
        files = self._manifest().get("files")
        if files is None:
            return [MANIFEST]
        return [name for name, made in files.items() if describe(self.path / name) != made]

    def _replace(self, make: Callable[[Path], None]) -> None:
        folder, name = self.path.parent, self.path.name
        for leftover in folder.glob(f".{name}.*/"):
            shutil.rmtree(leftover, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=folder) as stage:
            made = Path(stage, "made")
            make(made)
            self._seal(made)
            if self.path.exists():
                self.path.rename(Path(stage, "replaced"))
            made.rename(self.path)
            _flush(folder)

    def _seal(self, made: Path) -> None:
        files = {path.name: describe(path) for path in sorted(made.iterdir())}
        manifest = {"recipe": self.recipe, "source": self.source, "files": files}
        (made / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
        for path in (*made.iterdir(), made):
            _flush(path)

    @contextlib.contextmanager
    def _lock(self, progress: Progress) -> Iterator[None]:
        """One process at a time; the system releases it when a process dies."""
        with self.path.with_name(f".{self.path.name}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress("wait", 0.0)
                fcntl.flock(file, fcntl.LOCK_EX)
                progress("wait", 1.0)
            yield

    def _is_intact(self) -> bool:
        """Whether all files are there with their sizes, and the small ones with their content."""
        manifest = self._manifest()
        if manifest.get("recipe") != self.recipe or manifest.get("source") != self.source:
            return False
        for name, made in manifest["files"].items():
            path = self.path / name
            if not path.is_file() or path.stat().st_size != made["bytes"]:
                return False
            if made["bytes"] <= SMALL and describe(path) != made:
                return False
        return True

    def _manifest(self) -> dict[str, Any]:
        try:
            manifest: dict[str, Any] = json.loads((self.path / MANIFEST).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return manifest


def describe(path: Path) -> dict[str, Any]:
    """Size in bytes and SHA-256 of a file; empty where none is."""
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
