"""What the exact tier counts for the router, against it, and not at all."""

from __future__ import annotations

from conformance.replay.exact import FORBIDDEN
from conformance.replay.exact_total import ANSWERED_WITH, Total
from conformance.replay.outcome import Fault, Outcome


def outcome(excuse: str | None = None, *faults: Fault) -> Outcome:
    return Outcome("id", "source", "POST responses", 200, 200, faults, excuse)


SAME = outcome()


def test_what_no_text_model_can_say_or_see_is_not_asked_of_it() -> None:
    other = outcome(f"{ANSWERED_WITH} item web_search_call")
    total = Total.of([SAME, other, outcome("vision"), outcome("audio")])
    assert total == Total(told=3, sensed=2, same=1)
    assert total.share == 1


def test_a_fault_and_a_refused_request_count_against_it() -> None:
    total = Total.of([SAME, outcome(None, FORBIDDEN), outcome("tool web_search"), outcome("files")])
    assert total == Total(told=4, sensed=0, same=1)
    assert total.share == 0.25
    assert "1 are given as OpenAI gave them: 25.0%." in str(total)
