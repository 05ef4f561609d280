"""``python -m conformance.replay``: recorded OpenAI traffic, sent to a server or to a router of
its own."""

from __future__ import annotations

import asyncio
import fnmatch
from pathlib import Path
from typing import Annotated

import typer

from conformance import readme
from conformance.record.cassette import read as own_recordings
from conformance.replay import report
from conformance.replay.corpus import Corpus, load, load_folder
from conformance.replay.exact_answers import with_scripts
from conformance.replay.fetching import FOLDER, FetchError
from conformance.replay.journal import Journal
from conformance.replay.judges import judge
from conformance.replay.outcome import Outcome
from conformance.replay.progress import Progress
from conformance.replay.replaying import Cassette, Replay, cassettes, sample
from conformance.replay.selfcheck import self_check
from conformance.replay.serving import opened
from conformance.replay.sources import LISTED, Tier, sources
from conformance.target import Target


def main(
    base_url: Annotated[str | None, typer.Option(help="A running server, with its /v1.")] = None,
    model: Annotated[str, typer.Option(help="The model to ask.")] = "smollm2-135m-instruct-tools",
    api_key: Annotated[str, typer.Option(envvar="OPENAI_API_KEY")] = "unused",
    engine: Annotated[str, typer.Option(help="Of a router of our own: mlx, scripted.")] = "mlx",
    max_tokens: Annotated[
        int, typer.Option(help="Longest answer of a router of our own, unless a request says.")
    ] = 48,
    tier: Annotated[Tier, typer.Option(help="How many sources.")] = "minimal",
    listed: Annotated[Path, typer.Option("--sources", help="A list of other ones.")] = LISTED,
    traffic: Annotated[Path, typer.Option(help="Where they are kept.")] = FOLDER,
    folder: Annotated[
        Path | None, typer.Option("--cassettes", help="A folder of cassettes instead.")
    ] = None,
    ours: Annotated[
        bool, typer.Option("--ours", help="What agents/ asked, from fixtures/traffic, instead.")
    ] = False,
    size: Annotated[
        int | None, typer.Option("--sample", help="So many recordings, the same each time.")
    ] = None,
    only: Annotated[str, typer.Option(help="Cassettes with an id that matches.")] = "*",
    resume: Annotated[
        Path | None, typer.Option(help="Keep answers here, and go on from there.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results here.")] = None,
    md: Annotated[Path | None, typer.Option(help="A README with <!-- replay -->.")] = None,
    self_only: Annotated[
        bool, typer.Option("--self-check", help="Only judge the recordings themselves.")
    ] = False,
) -> None:
    """Replay recorded OpenAI traffic: each request as it was, but for the model's name. Without
    --base-url a router is started for it."""
    try:
        if ours:
            # Without a script another call would be made than the next request answers.
            corpus = Corpus(with_scripts(own_recordings()))
        else:
            corpus = load_folder(folder) if folder else load(sources(tier, listed), traffic, _say)
    except (FetchError, OSError) as error:
        _say(f"replay: {error}; --ours needs no package index")
        raise typer.Exit(2) from None
    if self_only:
        raise typer.Exit(_checked(corpus))
    chosen = [told for told in cassettes(corpus.recordings) if _matches(told, only)]
    if size is not None:
        chosen = sample(chosen, size)
    running = Target(base_url.rstrip("/"), model, frozenset(), api_key) if base_url else None
    outcomes = asyncio.run(_replayed(chosen, Journal(resume), running, engine, max_tokens))
    server = model if running else f"the router ({engine}, {max_tokens} tokens an answer)"
    found = report.Report(outcomes, server, corpus.dropped, len(corpus.repeats))
    typer.echo(report.text(found))
    if json_file:
        report.save(found, json_file)
    if md:
        readme.write(md, "replay", report.markdown(found))
    raise typer.Exit(0 if found.good else 1)


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _matches(told: Cassette, pattern: str) -> bool:
    return any(fnmatch.fnmatch(recording.id, pattern) for recording in told)


def _checked(corpus: Corpus) -> int:
    count = 0
    for recording, problem in self_check([*corpus.recordings, *corpus.repeats], judge):
        count += 1
        typer.echo(f"{recording.id}: {problem}")
    total = len(corpus.recordings) + len(corpus.repeats)
    typer.echo(f"replay.self_check: {count or 'no'} false alarms over {total} recordings")
    return 1 if count else 0


async def _replayed(
    told: list[Cassette],
    journal: Journal,
    running: Target | None,
    engine: str,
    max_tokens: int,
) -> list[Outcome]:
    """In the order of the recordings."""
    recordings = [recording for cassette in told for recording in cassette]
    left = [one for cassette in told if not journal.recall(cassette) for one in cassette]
    progress = Progress(left, _say)
    outcomes: dict[str, Outcome] = {}

    def heard(outcome: Outcome) -> None:
        outcomes[outcome.id] = outcome
        progress.heard(outcome)

    async with opened(running, engine, max_tokens) as target:
        await Replay(target, judge, heard, journal).run(told)
    return [outcomes[recording.id] for recording in recordings]


if __name__ == "__main__":
    typer.run(main)
