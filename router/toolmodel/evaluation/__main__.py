"""``python -m router.toolmodel.evaluation``: rate a model, on a router or on any server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from pathlib import Path
from typing import Annotated, NoReturn

import openai
import typer
from rich.console import Console
from rich.progress import Progress

from router.config import Defaults
from router.toolmodel.evaluation import report
from router.toolmodel.evaluation.cases import Cases, load
from router.toolmodel.evaluation.exams import exams
from router.toolmodel.evaluation.model import PATIENCE, Model
from router.toolmodel.evaluation.ownrouter import StartError, started
from router.toolmodel.evaluation.rates import Outcome, scores

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
out = Console()
err = Console(stderr=True)


@app.command()
def main(
    model: Annotated[str, typer.Option(help="The model to ask.")] = Defaults().model,
    base_url: Annotated[
        str | None, typer.Option(help="A running server, with its /v1. Without it: a new router.")
    ] = None,
    api_key: Annotated[str, typer.Option(envvar="OPENAI_API_KEY")] = "unused",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write rates and misses here.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print each miss.")] = False,
    require_goals: Annotated[
        bool, typer.Option("--require-goals", help="Exit with 1 when a goal is not met.")
    ] = False,
) -> None:
    """Rate how a model calls functions that it was never trained on.

    Exits with 0 whatever the rates are, and with 2 when they could not be taken.
    """
    try:
        with contextlib.ExitStack() as stack:
            url = base_url or stack.enter_context(started("--model", model))
            outcomes = asyncio.run(evaluate(url, api_key, model, load()))
    except openai.APIConnectionError as error:
        _fail(f"the server cannot be reached ({error}); check --base-url, or leave it out")
    except (openai.APIError, StartError) as error:
        _fail(str(error))
    taken = scores(outcomes)
    if show:
        report.misses(out, outcomes)
    out.print(report.table(model, taken))
    if json_file:
        json_file.write_text(report.as_json(model, taken, outcomes), encoding="utf-8")
    if require_goals and any(score.met is False for score in taken):
        raise typer.Exit(1)


async def evaluate(base_url: str, api_key: str, model: str, cases: Cases) -> list[Outcome]:
    """Put all cases to the model. Raises openai.APIError as soon as one cannot be asked."""
    async with openai.AsyncOpenAI(base_url=base_url, api_key=api_key, timeout=PATIENCE) as client:
        asked = exams(Model(client, model), cases)
        with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
            bar = progress.add_task(model, total=len(asked))

            async def watched(exam: Awaitable[Outcome]) -> Outcome:
                outcome = await exam
                progress.advance(bar)
                return outcome

            return await asyncio.gather(*map(watched, asked))


def _fail(message: str) -> NoReturn:
    typer.echo(f"evaluation: {message}", err=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    app(prog_name="python -m router.toolmodel.evaluation")
