"""Writes the reports that were asked for."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from conformance.report import badge as badges
from conformance.report import html as pages
from conformance.report import json as documents
from conformance.report import junit as suites
from conformance.report import markdown
from conformance.runner import Result


def write(
    results: Sequence[Result],
    target: str,
    json_file: Path | None,
    junit: Path | None,
    md: Path | None,
    html: Path | None,
    badge: Path | None,
    *,
    server: str = "",
    transcripts: Mapping[str, Path] | None = None,
) -> None:
    """``target`` is the profile's name, ``server`` says in words what was asked. A path of
    ``-`` is standard output."""
    if json_file:
        write_text(json_file, documents.render(results, target, server, transcripts or {}))
    if junit:
        write_text(junit, suites.render(results))
    if md:
        write_text(md, markdown.render(results, target, server))
    if html:
        write_text(html, pages.render(results, target, server))
    if badge:
        write_text(badge, badges.render(results))


def write_text(path: Path, text: str) -> None:
    if str(path) == "-":
        sys.stdout.write(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
