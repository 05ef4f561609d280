"""Imports go one way, and only the engine knows MLX."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1]

LAYERS = [
    {"errors", "frames", "events", "ids", "config", "configerrors", "embedded", "hub"},
    {"toolmodel"},
    {
        "body",
        "completionwire",
        "fielderrors",
        "jsonrepair",
        "metrics",
        "schema",
        "responses",
        "splitter",
        "sse",
        "wire",
        "configdocs",
        "modelfolder",
        "modelplaces",
        "catalog",
    },
    {"toolformats", "toolschema", "barecall"},
    {"toolcalls"},
    {"worker"},
    {"pool", "pipeline"},
    {"middleware"},
    {"api"},
    {"logs", "app"},
    {"serve", "console", "chatclient", "doctor"},
    {"cli"},
    {"__main__"},
]
"""A module may import from its own layer and those before it."""

ENGINE_MAY_IMPORT = {"frames", "events", "errors", "config", "embedded", "engine"}


def imports_of(path: Path) -> set[str]:
    """The router's own modules that a file imports, by their first name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return {name.split(".")[1] for name in found if name.startswith("router.")} - {"__version__"}


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if "tests" not in p.parts)


def layer(module: str) -> int:
    return next(i for i, names in enumerate(LAYERS) if module in names)


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    module = path.relative_to(PACKAGE).with_suffix("").parts[0]
    if module == "engine":
        assert imports_of(path) <= ENGINE_MAY_IMPORT
    elif module != "__init__":
        above = {name for name in imports_of(path) if layer(name) > layer(module)}
        assert not above


def test_the_http_process_does_not_import_mlx() -> None:
    code = "import router.cli, router.app, sys; print([m for m in sys.modules if 'mlx' in m])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [m for m in ast.literal_eval(run.stdout) if m.split(".")[0] in ("mlx", "mlx_lm")] == []


def test_no_private_attribute_of_mlx_lm() -> None:
    """In the engine, attributes that begin with an underscore are only ever its own."""
    for path in (PACKAGE / "engine").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            private = isinstance(node, ast.Attribute) and re.match("_[^_]", node.attr)
            if isinstance(node, ast.Attribute) and private:
                owner = node.value
                assert isinstance(owner, ast.Name), f"{path.name}:{node.lineno} {node.attr}"
                assert owner.id in ("self", "cls"), f"{path.name}:{node.lineno} {node.attr}"
