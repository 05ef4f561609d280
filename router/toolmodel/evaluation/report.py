"""The rates as a table, the misses one by one, and both as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from router.toolmodel.evaluation.rates import Outcome, Score


def table(model: str, scores: Sequence[Score]) -> Table:
    marks = {True: "[green]met[/]", False: "[red]not met[/]", None: ""}
    shown = Table(title=model, title_justify="left", box=None, pad_edge=False)
    for heading in ("rate", "right", "of", "percent", "goal", ""):
        shown.add_column(heading, justify="left" if heading == "rate" else "right")
    for score in scores:
        goal = "" if score.rate.goal is None else str(score.rate.goal)
        counts = (str(score.right), str(score.of), f"{score.percent:.1f}")
        shown.add_row(score.rate.name, *counts, goal, marks[score.met])
    return shown


def misses(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Each outcome that missed something: what was asked, wanted and said."""
    for outcome in outcomes:
        if outcome.missed:
            lines = (
                ", ".join(rate.name for rate in outcome.missed),
                f"  request   {outcome.request}",
                f"  expected  {outcome.expected}",
                f"  got       {outcome.got}\n",
            )
            console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def as_json(model: str, scores: Sequence[Score], outcomes: Sequence[Outcome]) -> str:
    rows = [
        {
            "rate": score.rate.name,
            "right": score.right,
            "of": score.of,
            "percent": score.percent,
            "goal": score.rate.goal,
            "met": score.met,
        }
        for score in scores
    ]
    missed = [
        {
            "rates": [rate.name for rate in outcome.missed],
            "request": outcome.request,
            "expected": outcome.expected,
            "got": outcome.got,
        }
        for outcome in outcomes
        if outcome.missed
    ]
    return json.dumps({"model": model, "rates": rows, "misses": missed}, indent=2)
