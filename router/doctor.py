"""Is everything there that the router needs? Each check says what it saw and what to do."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from router.catalog import Catalog
from router.config import Config
from router.errors import NotFound
from router.serve import CannotListen, bind

ENGINE_TIMEOUT = 120
"""Seconds; the first import of MLX on a cold disk is slow."""


@dataclass(frozen=True)
class Check:
    """``ok`` None: nothing is wrong, but it is worth knowing."""

    name: str
    ok: bool | None
    detail: str


def examine(config: Config, home: Path) -> list[Check]:
    return [
        Check("python", True, f"{platform.python_version()} on {platform.platform()}"),
        *_engine(),
        _home(home),
        _default_model(config, home),
        _port(config),
    ]


def as_json(checks: list[Check]) -> str:
    return json.dumps([asdict(check) for check in checks])


def _engine() -> list[Check]:
    """Asked of a process of its own: this one never imports MLX."""
    command = [sys.executable, "-m", "router.engine.doctor"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=ENGINE_TIMEOUT)
    if run.returncode != 0:
        why = (run.stderr.strip().splitlines() or ["no output"])[-1]
        return [Check("mlx", False, f"does not start: {why}. Reinstall it: pip install -U mlx")]
    seen: dict[str, Any] = json.loads(run.stdout)
    gflops = f"{seen['gflops']:.0f} GFLOP/s in float32"
    return [
        Check("mlx", True, f"{seen['mlx']} on {seen['device']}, {gflops}"),
        _blas(seen),
    ]


def _blas(seen: dict[str, Any]) -> Check:
    if sys.platform == "darwin":
        return Check("blas", True, "Accelerate, part of macOS")
    if seen["blas"]:
        return Check("blas", True, f"{seen['blas']} ({seen['blas_path']})")
    return Check("blas", False, f"the slow reference BLAS of the mlx wheel; {seen['advice']}")


def _home(home: Path) -> Check:
    nearest = next(p for p in (home, *home.parents) if p.exists())
    if os.access(nearest, os.W_OK):
        return Check("home", True, str(home))
    return Check("home", False, f"{home} is not writable; set MLX_ROUTER_HOME to a folder that is")


def _default_model(config: Config, home: Path) -> Check:
    try:
        spec = Catalog(config, home).default
    except NotFound as error:
        return Check("model", False, f"defaults.model: {error.message}")
    if spec.path:
        return Check("model", True, f"{spec.id} at {spec.path}")
    return Check("model", None, f"{spec.id} is prepared on first use (mlx-router pull {spec.id})")


def _port(config: Config) -> Check:
    server = config.server
    try:
        bind(server.host, server.port).close()
    except CannotListen as error:
        return Check("port", None, str(error))
    return Check("port", True, f"{server.host}:{server.port} is free")
