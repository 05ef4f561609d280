"""``python -m conformance.bench [case…]``: the router beside mlx-lm's own server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from conformance.bench.cases import CASES, Ratio, Servers
from conformance.peers import PROFILE, mlx_lm_server, peer_model
from conformance.session import Session
from conformance.target import load_profile, spawned

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    cases: Annotated[list[str] | None, typer.Argument(help=f"Of: {', '.join(CASES)}.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the ratios here.")] = None,
) -> None:
    """Ratios of times, each with its median over the rounds. Exits 1 where a goal is missed."""
    unknown = set(cases or ()) - set(CASES)
    if unknown:
        typer.echo(f"bench: no case is called {', '.join(unknown)}; there are {', '.join(CASES)}")
        raise typer.Exit(2)
    model = peer_model()
    with mlx_lm_server(model) as peer_url:
        ratios = asyncio.run(_run(cases or list(CASES), peer_url, str(model)))
    _show(ratios)
    if json_file:
        shown = [{**vars(r), "median": r.median, "met": r.met} for r in ratios]
        json_file.write_text(json.dumps(shown, indent=2))
    raise typer.Exit(0 if all(ratio.met for ratio in ratios) else 1)


async def _run(names: list[str], peer_url: str, model: str) -> list[Ratio]:
    peer = load_profile(PROFILE).at(peer_url, model, "unused")
    async with spawned("mlx", frozenset()) as router:
        servers = Servers(Session(router), Session(peer))
        return [ratio for name in names for ratio in await CASES[name](servers)]


def _show(ratios: list[Ratio]) -> None:
    table = Table("ratio", "median", "rounds", "goal", "of")
    for ratio in ratios:
        rounds = " ".join(f"{value:.2f}" for value in ratio.values)
        mark = "" if ratio.met else " missed"
        table.add_row(ratio.name, f"{ratio.median:.2f}", rounds, ratio.goal + mark, ratio.meaning)
    Console().print(table)


if __name__ == "__main__":
    app(prog_name="python -m conformance.bench")
