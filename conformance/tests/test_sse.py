"""The strict reader: what it reads, and what it complains about."""

from __future__ import annotations

import pytest

from conformance.sse import Event, Reader


def read(*reads: bytes) -> Reader:
    """The reads come one second after another, from 0 on."""
    reader = Reader()
    for at, data in enumerate(reads):
        reader.feed(at, data)
    reader.finish()
    return reader


def test_events_have_the_time_of_the_read_that_completed_them() -> None:
    reader = read(b"data: one\n\ndata: tw", b"o\n", b"\ndata: three\n\n")
    assert reader.events == [Event(0, "one"), Event(2, "two"), Event(2, "three")]
    assert reader.problems == []


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_any_line_ending_may_be_used_throughout(ending: bytes) -> None:
    reader = read(ending.join([b"event: a", b"data: one", b"", b"data: two", b"", b": end"]))
    assert [(event.name, event.data) for event in reader.events] == [("a", "one"), (None, "two")]


def test_every_cut_of_a_stream_reads_the_same() -> None:
    lines = (
        ": hello",
        "event: delta",
        "data: naïve 日本 👩‍👩‍👧",
        "",
        "data: [DONE]",
        "",
        ": end",
        "",
    )
    stream = "\r\n".join(lines).encode()
    whole = read(stream)
    for cut in range(1, len(stream)):
        parts = read(stream[:cut], stream[cut:])
        assert [(e.name, e.data) for e in parts.events] == [(e.name, e.data) for e in whole.events]
        assert parts.problems == []


def test_a_stream_byte_by_byte_is_read() -> None:
    stream = "data: ü\r\n\r\ndata: b\r\n\r\n: end\r\n".encode()
    reader = read(*(bytes([byte]) for byte in stream))
    assert [event.data for event in reader.events] == ["ü", "b"]
    assert reader.problems == []


def test_mixed_line_endings_are_a_problem() -> None:
    assert read(b"data: a\r\n\r\ndata: b\n\n").problems == ["line endings are mixed"]


def test_comments_are_kept_with_their_times_and_are_no_events() -> None:
    reader = read(b": ping\n\n", b"data: a\n\n", b":\n\n")
    assert reader.comments == [(0, "ping"), (2, "")]
    assert [event.data for event in reader.events] == ["a"]
    assert reader.problems == []


def test_only_one_space_after_the_colon_is_no_data() -> None:
    assert [e.data for e in read(b"data:a\n\ndata:  b\n\n").events] == ["a", " b"]


def test_several_data_lines_are_one_event_and_a_problem() -> None:
    reader = read(b"data: a\ndata: b\n\n")
    assert [event.data for event in reader.events] == ["a\nb"]
    assert reader.problems == ["an event of several data lines"]


@pytest.mark.parametrize(
    ("stream", "problem"),
    [
        (b"data: \xf0\x9f\n\n", "not UTF-8"),
        (b"data: a\n", "in the middle"),
        (b"data: a\n\ndata: b", "in the middle"),
        (b"data:\n\n", "empty data"),
        (b"date: a\n\n", "unknown field 'date'"),
        (b'{"error": 1}\n\n', "unknown field"),
        (b"data\n\n", "without a colon"),
    ],
)
def test_what_is_no_clean_stream_is_a_problem(stream: bytes, problem: str) -> None:
    assert any(problem in found for found in read(stream).problems)


def test_what_is_not_utf8_is_read_all_the_same() -> None:
    assert [event.data for event in read(b"data: a\xff\n\n").events] == ["a\ufffd"]


def test_identities_and_retry_times_are_allowed() -> None:
    assert read(b"id: 1\nretry: 1000\ndata: a\n\n").problems == []
