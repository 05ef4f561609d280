"""A program that was run, in words: its command, how it ended, what it said and asked."""

from __future__ import annotations

from conformance.programs import Ran

LONGEST = 20_000
"""Characters of each output; frameworks can log a lot."""


def text(ran: Ran) -> str:
    end = "never ended" if ran.code is None else f"exit code {ran.code}"
    requests = [f"{e.sent.method} {e.sent.url}: {e.received.status}" for e in ran.exchanges]
    parts = {
        "requests": "\n".join(requests),
        "standard output": ran.said,
        "standard error": ran.complained,
    }
    head = f"$ {ran.command}\n{end} after {ran.seconds:.1f} s"
    shown = [f"{name}:\n{part.strip()[-LONGEST:]}" for name, part in parts.items() if part.strip()]
    return "\n\n".join([head, *shown])
