"""Taking out of an exchange what is a secret, or says whose machine it was recorded on.

Of headers only those stay that say what a client or a server is and wants. Out of the rest goes
what looks like a key, an organisation, a path of somebody's disk or an address of a local network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from conformance.client import Exchange, Received, Sent
from conformance.replay.bodies import decoded

GONE = "scrubbed"

KEPT = {
    *("accept", "accept-encoding", "allow", "content-type", "openai-beta", "openai-version"),
    *("retry-after", "user-agent", "warning", "x-request-id", "x-should-retry"),
    *("x-stainless-helper-method", "x-stainless-lang", "x-stainless-package-version"),
    *("x-stainless-raw-response", "x-stainless-retry-count"),
}
KEPT_BEGINNINGS = ("x-ratelimit-",)
NAMED = {"authorization", "api-key", "x-api-key"}
"""Headers without whose presence a request means something else."""

_PLACE = r"(?<![\w.-])"
_MARKS = {
    re.compile(r"(?<=Bearer )[\w.~+/=-]+"): GONE,
    re.compile(
        rf"{_PLACE}(?:sk-|pk-|hf_|gh[opsu]_|github_pat_|glpat-|pypi-|xox[a-z]-|AIza|AKIA)[\w-]{{8,}}"
    ): GONE,
    re.compile(rf"{_PLACE}eyJ[\w-]{{8,}}\.[\w-]{{8,}}\.[\w-]+"): GONE,
    re.compile(rf"{_PLACE}(?:org|proj)[-_]\w{{12,}}"): GONE,
    re.compile(rf"{_PLACE}/(?:Users|home|mnt|opt|private|root|srv|tmp|var|work)/[\w./@+-]*"): (
        f"/{GONE}"
    ),
    re.compile(rf"{_PLACE}[A-Z]:\\+Users\\+[\w.\\@+-]*"): f"/{GONE}",
    re.compile(
        r"(?<=//)(?:localhost|127\.0\.0\.1|\[::1\]|10(?:\.\d+){3}|192\.168(?:\.\d+){2})(?::\d+)?"
    ): "localhost",
}


def scrubbed(exchange: Exchange, hosts: Iterable[str] = ()) -> Exchange:
    """The exchange without what is not for others. ``hosts``: more names that are not. The
    answer's body is decompressed, and one read at 0 s. Raises ValueError for a body that is no
    text."""
    sent, received = exchange.sent, exchange.received
    names = tuple(hosts)
    body = sent.body and _text(sent.body, names)
    answer = _text(decoded(received.body, received.header("content-encoding")), names)
    headers = [(name, _words(value, names)) for name, value in received.headers if _stays(name)]
    return Exchange(
        Sent(sent.method, _words(sent.url, names), _asked(sent.headers, names), body),
        Received(received.status, headers, [(0.0, answer)], complete=received.complete),
    )


def _asked(headers: dict[str, str], hosts: tuple[str, ...]) -> dict[str, str]:
    named = {name.lower(): value for name, value in headers.items()}
    kept = {name: _words(value, hosts) for name, value in named.items() if _stays(name)}
    return kept | {name: GONE for name in named if name in NAMED}


def _stays(name: str) -> bool:
    return name in KEPT or name.startswith(KEPT_BEGINNINGS)


def _text(body: bytes, hosts: tuple[str, ...]) -> bytes:
    return _words(body.decode(), hosts).encode()


def _words(text: str, hosts: tuple[str, ...]) -> str:
    for host in hosts:
        text = re.sub(rf"{_PLACE}{re.escape(host)}(?![\w-])", "localhost", text)
    for mark, instead in _MARKS.items():
        text = mark.sub(instead, text)
    return text
