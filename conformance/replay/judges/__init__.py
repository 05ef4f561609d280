"""Is an answer one that OpenAI could have given? Its form is judged, never its content.

`type`: JSON or a stream, as asked. `schema`: types and enumerations (`shapes`). `presence`: the
members that are always there (`conformance.replay.presence`). `grammar`: the order of a stream.
`meaning`: forced tools, schemas, stops, limits, counts. The class of a status is not judged here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache

from conformance.client import Exchange
from conformance.replay import presence
from conformance.replay.judges import form, grammar, meaning, shapes
from conformance.replay.judges.answer import Answer, kind_of
from conformance.replay.judges.problem import Kind, Problem
from conformance.replay.recording import Recording

__all__ = ["Kind", "Problem", "judge", "judged"]

OWN = {
    "one_document": "gpt-4o at times says its document several times in a row",
    "usage_null_elsewhere": "of 150 chat streams that nobody asked for usage, 4 have it",
    "no_empty_choices": "as before",
}
"""Rules that OpenAI's own answers break, now and then, and other answers must keep."""


def judged(recording: Recording) -> bool:
    """Is there anything known about answers of this endpoint?"""
    return kind_of(recording.exchange.sent.method, recording.path) is not None


def judge(
    recording: Recording, answer: Exchange, profile: presence.Profile | None = None
) -> list[Problem]:
    """What is wrong with an answer to the recorded request: with the recorded one by what was
    usual on its day, with any other by what is usual now. ``profile``: this project's own, unless
    another is given."""
    kind = kind_of(recording.exchange.sent.method, recording.path)
    if kind is None:
        return []
    own = answer is recording.exchange
    told = Answer(kind, answer, (recording.made or date.min) if own else None)
    if wrong := list(form.problems(told)):
        return wrong
    wrong = [*shapes.problems(told), *_absent(told, profile or _profile())]
    for problems in (grammar.problems, meaning.problems):
        try:
            wrong += [found for found in problems(told) if not own or found.where not in OWN]
        except (AttributeError, LookupError, TypeError, ValueError):
            # It is not even shaped so that this can be asked.
            if not wrong:
                raise
    return wrong


def _absent(told: Answer, profile: presence.Profile) -> Iterator[Problem]:
    for found in told.objects:
        known = profile.get(found.kind, {})
        for path, value in presence.objects(found.value):
            if shape := known.get(path):
                for name, words in shape.problems(value, told.made):
                    place = f"{path}.{name}" if path else name
                    yield Problem("presence", f"{found.where}: {place}", f"{name} {words}")


@cache
def _profile() -> presence.Profile:
    return presence.read()
