"""Values that a case expects, some of which may be written in several ways that are equally right.

``{"any": ["7 pm", "19:00"]}`` stands for either; the first is what the case itself says where
one value is needed.
"""

from __future__ import annotations

from typing import Any

Json = Any


def fits(value: Json, wanted: Json) -> bool:
    """Numbers are compared as numbers, so 450.0 is 450; texts letter by letter."""
    match wanted:
        case {"any": [*ways]}:
            return any(fits(value, way) for way in ways)
        case dict():
            same = isinstance(value, dict) and value.keys() == wanted.keys()
            return same and all(fits(value[key], wanted[key]) for key in wanted)
        case list():
            same = isinstance(value, list) and len(value) == len(wanted)
            return same and all(map(fits, value, wanted))
    # In Python, but not in JSON, true is a number.
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


def preferred(wanted: Json) -> Json:
    """The value itself: the first of the ways to write it."""
    match wanted:
        case {"any": [first, *_]}:
            return preferred(first)
        case dict():
            return {key: preferred(part) for key, part in wanted.items()}
        case list():
            return [preferred(part) for part in wanted]
    return wanted
