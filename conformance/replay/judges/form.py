"""JSON or a stream, as it was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from conformance import expect
from conformance.checks.streaming import content_type
from conformance.failure import Failed
from conformance.replay.judges.answer import Answer
from conformance.replay.judges.problem import Problem


def problems(answer: Answer) -> Iterator[Problem]:
    """None of the other rules can be asked of an answer that has such a problem."""
    try:
        if answer.streamed:
            content_type(answer.stream)
        else:
            expect.json_object(answer.exchange)
    except Failed as failed:
        yield Problem("type", "body", str(failed))
        return
    if answer.streamed and not answer.stream.data:
        yield Problem("type", "body", "a stream without a single event that is a JSON object")
