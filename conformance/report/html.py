"""One HTML page with everything, to be opened from disk: it loads nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from conformance.report import exchange, program
from conformance.report.verdict import STALE_HINT, Tally, Verdict, by_section, worst_first
from conformance.runner import Result

MOST_MOMENTS = 200
"""Events of one stream that the page shows; its transcript has all."""


def render(results: Sequence[Result], target: str, server: str) -> str:
    sections = by_section(results)
    environment = Environment(
        loader=PackageLoader("conformance.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = _prose
    return environment.get_template("page.html.j2").render(
        target=target,
        server=server,
        now=datetime.now(UTC),
        seconds=sum(result.seconds for result in results),
        tally=Tally.of(results),
        counts=_shares(results),
        loud=worst_first(results),
        sections={name: (members, _shares(members)) for name, members in sections.items()},
        verdict=Verdict.of,
        css=lambda verdict: verdict.name.lower(),
        exchange=exchange,
        program=program,
        most_moments=MOST_MOMENTS,
        stale_hint=STALE_HINT,
    )


def _prose(text: str) -> Markup:
    """Text in which what stands between backticks is code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    code = Markup("<code>{}</code>")
    return Markup("").join(code.format(p) if i % 2 else escape(p) for i, p in enumerate(parts))


def _shares(results: Sequence[Result]) -> list[tuple[Verdict, int]]:
    """How many of each verdict there are, best first, without those that did not come."""
    counts = Counter(map(Verdict.of, results))
    return [(verdict, counts[verdict]) for verdict in reversed(Verdict) if counts[verdict]]
