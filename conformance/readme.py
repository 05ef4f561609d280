"""What stands in a README between two comments, and is written by a program."""

from __future__ import annotations

from pathlib import Path

import typer


def write(readme: Path, name: str, table: str) -> None:
    """Put the table between ``<!-- name -->`` and ``<!-- /name -->``. Raises typer.BadParameter
    where they are missing."""
    text = readme.read_text(encoding="utf-8")
    try:
        readme.write_text(placed(text, name, table), encoding="utf-8")
    except ValueError as problem:
        raise typer.BadParameter(f"{readme}: {problem}") from None


def placed(text: str, name: str, table: str) -> str:
    """The text with the table between its two comments. Raises ValueError without them."""
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, begin, rest = text.partition(opening)
    _, end, after = rest.partition(closing)
    if not (begin and end):
        raise ValueError(f"it has no {opening} … {closing}")
    return f"{before}{opening}\n{table}\n{closing}{after}"


def table(rows: list[list[str]]) -> str:
    """Rows of cells as Markdown, the heading first. All columns but the first hold numbers or
    marks."""
    rule = ["---", *["---:"] * (len(rows[0]) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]])
