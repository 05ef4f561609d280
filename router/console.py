"""What the commands print for people."""

from __future__ import annotations

import threading

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from router import __version__
from router.catalog import ModelSpec
from router.config import Config

out = Console()
err = Console(stderr=True)


def human_bytes(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def banner(config: Config, spec: ModelSpec, port: int, engine: str) -> None:
    """Model, address, key policy, and three lines to copy."""
    server = config.server
    host = "localhost" if server.host in ("127.0.0.1", "::1", "0.0.0.0", "::") else server.host
    base_url = f"http://{host}:{port}/v1"
    size = human_bytes(spec.size_bytes) if spec.size_bytes else "converted on first use"
    keys = f"{len(server.api_keys)} API key(s) required" if server.api_keys else "any API key"
    reach = "this machine only" if server.host in ("127.0.0.1", "localhost", "::1") else server.host
    key = "<your key>" if server.api_keys else "unused"
    lines = [
        f"[bold]MLX Router {__version__}[/]  {base_url}",
        f"  model   {spec.id} ({size}), {engine} engine",
        f"  access  {reach}, {keys}",
        "",
        f"  export OPENAI_BASE_URL={base_url}",
        f"  export OPENAI_API_KEY={key}",
        f"  curl {base_url}/models",
        "",
    ]
    err.print("\n".join(lines), highlight=False, soft_wrap=True)


class LoadProgress:
    """A bar for the stages of a load: ``callback(stage, fraction)``, from any thread."""

    def __init__(self, title: str) -> None:
        self._lock = threading.Lock()
        self._title = title
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            console=err,
        )

    def __call__(self, stage: str, fraction: float) -> None:
        with self._lock:
            if stage not in self._tasks:
                self._progress.start()
                self._tasks[stage] = self._progress.add_task(f"{self._title}: {stage}", total=1.0)
            self._progress.update(self._tasks[stage], completed=fraction)
            if self._progress.finished:
                self.close()

    def close(self) -> None:
        if self._tasks:  # a bar that never began would leave an empty line
            self._progress.stop()


def models_table(specs: list[ModelSpec], default: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("model", "source", "size", "aliases"):
        table.add_column(column)
    for spec in specs:
        name = f"{spec.id} (default)" if spec.id == default else spec.id
        size = human_bytes(spec.size_bytes) if spec.size_bytes else "not converted yet"
        table.add_row(name, spec.source, size, ", ".join(spec.aliases))
    return table
