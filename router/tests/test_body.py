from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from router.body import MAX_DEPTH, parse_object
from router.errors import BadRequest


def nested(levels: int) -> bytes:
    return b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"{}", {}),
        (b' {"a": [1, -2.5, true, null, "x"]}\n', {"a": [1, -2.5, True, None, "x"]}),
        ('{"a": "é😀"}'.encode(), {"a": "é😀"}),
        (rb'{"a": "\ud83d\ude00"}', {"a": "😀"}),
        (rb'{"a": "\u0000"}', {"a": "\x00"}),
        (b'{"a": [18446744073709551615, -9223372036854775808]}', {"a": [2**64 - 1, -(2**63)]}),
    ],
)
def test_an_object_is_returned_as_it_is(raw: bytes, expected: dict[str, Any]) -> None:
    assert parse_object(raw) == expected


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "it is empty"),
        (b" \n\t", "it is empty"),
        (b"{", "truncated"),
        (b'{"a": 1,}', "trailing comma in object (byte 8)"),
        (b'{"a": 1} x', "trailing characters (byte 10)"),
        (b"{a: 1}", "object keys must be strings (byte 1)"),
        (b"{'a': 1}", "object keys must be strings (byte 1)"),
        (b'{"a": NaN}', "invalid character (byte 6)"),
        (b'{"a": Infinity}', "invalid character (byte 6)"),
        (b'{"a": -Infinity}', "invalid character (byte 7)"),
        (b'{"a": 1e400}', "number out of range"),
        (b'{"a": 01}', "invalid number (byte 7)"),
        (b'{"a": ' + b"9" * 5000 + b"}", "integer value out of range"),
        (rb'{"a": "\ud800 alone"}', "surrogate"),
        (rb'{"a": "\udc00"}', "surrogate"),
        (b'{"a": "\xff"}', "it is not UTF-8 text"),
        (b'{"a": "\xed\xa0\x80"}', "it is not UTF-8 text"),
        (b'\xef\xbb\xbf{"a": 1}', "invalid character (byte 0)"),
        (nested(MAX_DEPTH + 1), "more than 128 levels deep"),
        (b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}", "more than 128 levels deep"),
        (nested(100_000), "more than 128 levels deep"),
        (b"[" * 100_000, "more than 128 levels deep"),
    ],
)
def test_what_is_not_json_is_refused_with_the_reason(raw: bytes, words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_object(raw)
    assert caught.value.code == "invalid_json"
    assert caught.value.param is None
    assert words in caught.value.message
    assert "`$" not in caught.value.message


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"[]", "an array"),
        (b'"x"', "a string"),
        (b"1", "an integer"),
        (b"1.5", "a number"),
        (b"true", "a boolean"),
        (b"null", "null"),
    ],
)
def test_json_that_is_no_object_is_refused_by_type(raw: bytes, kind: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_object(raw)
    assert caught.value.code == "invalid_type"
    assert caught.value.message.endswith(f"but it is {kind}.")


def test_the_deepest_nesting_allowed_is_read() -> None:
    assert parse_object(nested(MAX_DEPTH)) == msgspec.json.decode(nested(MAX_DEPTH))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": "' + b"x" * 2_000_000 + b'"}',
        b'{"a": [' + b"1," * 1_000_000 + b"1]}",
        b'{"a": [' + b"[]," * 600_000 + b"[]]}",
    ],
    ids=["text", "integers", "arrays"],
)
def test_two_megabytes_are_read_quickly(raw: bytes) -> None:
    began = time.perf_counter()
    parse_object(raw)
    assert time.perf_counter() - began < 2
