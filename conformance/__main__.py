"""``python -m conformance``: run the checks against a server, or against a router of its own."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import typer

from conformance import checks as _checks  # noqa: F401  registers the checks
from conformance import report
from conformance.check import REGISTRY, Check, carried_out
from conformance.frameworks import given
from conformance.programs import anew
from conformance.rounds import merged
from conformance.runner import Result, Runner
from conformance.servers import opened
from conformance.session import Session
from conformance.standby import Standby
from conformance.target import Profile, Target, load_profile

ROUTER = "mlx-router"
STDOUT = Path("-")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def select(offered: Iterable[Check], ids: list[str]) -> list[Check]:
    """Checks whose id is, or begins with, one of ``ids``; all of them without any."""
    chosen = [check for check in offered if not ids or check.id.startswith(tuple(ids))]
    if not chosen:
        hint = "; those of frameworks need --framework" if ids[0].startswith("fw") else ""
        raise _misused(f"no check is called {' or '.join(ids)}; see --list{hint}")
    return chosen


def _misused(problem: object) -> typer.Exit:
    typer.echo(f"conformance: {problem}", err=True)
    return typer.Exit(2)


@app.command()
def main(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids or their beginnings.")] = None,
    base_url: Annotated[str | None, typer.Option(help="A running server, with its /v1.")] = None,
    model: Annotated[str, typer.Option(help="The model to ask.")] = "smollm2-135m-instruct-tools",
    api_key: Annotated[str, typer.Option(envvar="OPENAI_API_KEY")] = "unused",
    target: Annotated[str | None, typer.Option(help="Profile of conformance/targets.")] = None,
    strict: Annotated[bool, typer.Option(help="A SHOULD that does not hold fails, too.")] = False,
    framework: Annotated[
        list[str] | None,
        typer.Option(help="NAME=PYTHON: run agents/NAME with this Python; may be repeated."),
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, help="Carry out each check so many times.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="Programs of frameworks at a time.")] = 1,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write results here; without a file, print them.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="JUnit XML.")] = None,
    md: Annotated[Path | None, typer.Option(help="A Markdown table.")] = None,
    html: Annotated[Path | None, typer.Option(help="One page with everything.")] = None,
    badge: Annotated[Path | None, typer.Option(help="Badge JSON.")] = None,
    transcripts: Annotated[
        Path | None, typer.Option(help="Folder for the exchanges of failures (default: a new one).")
    ] = None,
    list_only: Annotated[bool, typer.Option("--list", help="List the checks and stop.")] = False,
) -> None:
    """Check a server that speaks the OpenAI API. Without --base-url a router is started twice:
    with its embedded model, and with the scripted engine."""
    if list_only:
        report.listing(select(REGISTRY.values(), ids or []), as_json=json_file)
        return
    if json_file == STDOUT:
        report.to_stderr()
    try:
        programs = given(framework or [])
        profile = load_profile(target or (ROUTER if base_url is None else "any"))
    except (FileNotFoundError, ValueError) as error:
        raise _misused(error) from None
    chosen = select(carried_out(programs), ids or [])
    running = None
    if base_url:
        running = profile.at(base_url, model, api_key)
    repeated = [check for check in chosen if not check.once]
    rounds = [chosen, *[repeated] * (repeat - 1)]
    with report.live([check for checks in rounds for check in checks]) as on_result:
        results = asyncio.run(_run(rounds, running, profile, on_result, strict=strict, jobs=jobs))
    saved = report.save(results, transcripts)
    server = f"{model} at {running.base_url}" if running else "started for this run"
    files = (json_file, junit, md, html, badge)
    report.write(results, profile.name, *files, server=server, transcripts=saved)
    report.summary(results, saved)
    raise typer.Exit(1 if any(result.unexpected for result in results) else 0)


def spelled_out(arguments: list[str]) -> list[str]:
    """``--json`` without a file is ``--json -``; click cannot have both."""
    full = []
    for argument, follower in itertools.zip_longest(arguments, arguments[1:], fillvalue="--"):
        full.append(argument)
        if argument == "--json" and follower.startswith("--"):
            full.append(str(STDOUT))
    return full


async def _run(
    rounds: list[list[Check]],
    running: Target | None,
    profile: Profile,
    on_result: Callable[[Result], None],
    *,
    strict: bool,
    jobs: int,
) -> list[Result]:
    """A round knows no answer of another. From the second on, programs that were started stay."""
    results: list[list[Result]] = []
    async with opened(profile, running) as (primary, scripted), Standby() as standby:
        for checks in rounds:
            session = Session(primary.target, carry_out=standby.ran if results else anew)
            acting = scripted and Session(scripted.target)
            runner = Runner(session, acting, profile, strict=strict, jobs=jobs)
            results.append(await runner.run(checks, on_result))
    return merged(results)


if __name__ == "__main__":
    app(spelled_out(sys.argv[1:]), prog_name="python -m conformance")
