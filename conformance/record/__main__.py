"""``python -m conformance.record``: a proxy between a client and a server that writes down what
they say, into ``fixtures/traffic/<client>/<name>.json``.

A client of your own is pointed at the proxy (``--as client/name``); the programs of ``agents/``
are run (``--framework NAME=PYTHON``), each of their scenarios a recording.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from conformance.client import Exchange
from conformance.frameworks import Program, given
from conformance.programs import ran
from conformance.record import cassette
from conformance.record.scrub import scrubbed
from conformance.recorder import recorded
from conformance.target import Target, spawned

SCENARIOS = ("text", "stream", "memory", "tool", "parallel", "structured", "errors")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    upstream: Annotated[
        str | None, typer.Option(help="The server, with its /v1; without one, a router is started.")
    ] = None,
    name: Annotated[str, typer.Option("--as", help="CLIENT/NAME of the recording.")] = "me/first",
    framework: Annotated[
        list[str] | None,
        typer.Option(help="NAME=PYTHON: record agents/NAME, with this Python; may be repeated."),
    ] = None,
    model: Annotated[
        str, typer.Option(help="What frameworks ask.")
    ] = "smollm2-135m-instruct-tools",
    api_key: Annotated[str, typer.Option(envvar="OPENAI_API_KEY")] = "unused",
    folder: Annotated[Path, typer.Option(help="Where recordings go.")] = cassette.FOLDER,
) -> None:
    """Record a client until Ctrl-C, or the programs of agents/."""
    try:
        programs = given(framework or [])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    asyncio.run(_record(upstream, model, api_key, programs, folder / f"{name}.json", folder))


async def _record(
    upstream: str | None,
    model: str,
    api_key: str,
    programs: Sequence[Program],
    path: Path,
    folder: Path,
) -> None:
    async with _target(upstream, model, api_key) as target:
        for program in programs:
            await record(program, target, folder)
        if not programs:
            _write(path, await _until_interrupted(target.base_url), target)


async def record(
    program: Program, target: Target, folder: Path, scenarios: Sequence[str] = SCENARIOS
) -> None:
    for scenario in scenarios:
        one = await ran(program, program.scenario(scenario), target)
        ended = "" if one.code == 0 else f", of a program that ended with {one.code}"
        _write(folder / program.name / f"{scenario}.json", one.exchanges, target, ended)


@contextlib.asynccontextmanager
async def _target(upstream: str | None, model: str, api_key: str) -> AsyncIterator[Target]:
    if upstream is not None:
        yield Target(upstream.rstrip("/"), model, frozenset(), api_key)
        return
    async with spawned("mlx", frozenset()) as target:
        yield target


async def _until_interrupted(base_url: str) -> list[Exchange]:
    interrupted = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted.set)
    async with recorded(base_url) as (through, exchanges):
        typer.echo(f"{through} leads to {base_url}; Ctrl-C writes down what was said")
        await interrupted.wait()
        return exchanges


def _write(path: Path, exchanges: Sequence[Exchange], target: Target, note: str = "") -> None:
    hosts = (urlsplit(target.base_url).netloc, socket.gethostname())
    kept = list(_presentable(exchanges, hosts))
    cassette.write(path, kept, datetime.now(UTC).date())
    left = len(exchanges) - len(kept)
    lost = f", without {left} that broke off or are no text" if left else ""
    typer.echo(f"{path.parent.name}/{path.name}: {len(kept)} exchanges{lost}{note}")


def _presentable(exchanges: Sequence[Exchange], hosts: tuple[str, ...]) -> Iterator[Exchange]:
    for each in exchanges:
        with contextlib.suppress(ValueError):
            if each.received.complete:
                yield scrubbed(each, hosts)


if __name__ == "__main__":
    app(prog_name="python -m conformance.record")
