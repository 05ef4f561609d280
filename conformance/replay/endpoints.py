"""The endpoints of recorded requests, by one name whatever ids are in the path."""

from __future__ import annotations

import re

ANSWERED = ("chat/completions", "completions", "models", "models/{id}")
"""What a server of text models answers; besides, all of ``responses``."""

FAMILIES = {"threads": "assistants"}
"""Paths that belong to an API of another name."""

_ID = re.compile(r"/(?=[^/]*[0-9])[^/]{8,}|(?<=/models)/.+")


def endpoint(method: str, path: str) -> str:
    """``POST chat/completions``, ``GET responses/{id}``."""
    return f"{method} {_ID.sub('/{id}', path).strip('/')}"


def family(path: str) -> str | None:
    """The API that a path belongs to, where it is one that needs more than a model of text."""
    first = path.strip("/").split("/")[0]
    below = endpoint("", path).strip()
    if below in ANSWERED or first == "responses":
        return None
    return FAMILIES.get(first, first)
