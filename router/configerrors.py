"""What a user reads when a setting is wrong: its key, where it stands, and what it should be."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

_SAID_BETTER = {
    "model_type": "should be an object",
    "dict_type": "should be an object",
    "tuple_type": "should be a list",
    "path_type": "should be a path",
    "string_too_short": "should not be empty",
}


def sentence(error: ErrorDetails, where: str, settings: type[BaseModel]) -> str:
    """``error`` was made by checking what stands in ``where`` against ``settings``."""
    path = error["loc"]
    if error["type"] == "extra_forbidden":
        return f"unknown key {_dotted(path)} in {where}: {_advice(path, settings)}"
    said = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    said = _SAID_BETTER.get(error["type"], said)
    got = "" if "api_keys" in path else f", got {_short(error['input'])}"
    return f"{_dotted(path)} in {where} {said}{got}"


def _dotted(path: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _short(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _advice(path: tuple[int | str, ...], settings: type[BaseModel]) -> str:
    """The nearest key beside it, else the nearest anywhere, else all keys beside it."""
    model = str(path[1]) if path[0] == "models" and len(path) > 1 else None
    known = list(_known_keys(settings, "", model))
    beside = [key for key in known if key.rpartition(".")[0] == _dotted(path[:-1])]
    for keys, cutoff in ((beside, 0.6), (known, 0.75)):
        leaves = {key.rpartition(".")[2]: key for key in keys}
        for leaf in difflib.get_close_matches(str(path[-1]), leaves, n=1, cutoff=cutoff):
            return f"did you mean {leaves[leaf]}?"
    return "known here are " + ", ".join(beside)


def _known_keys(section: type[BaseModel], prefix: str, model: str | None) -> Iterator[str]:
    """All keys of the sections in ``section``; of single models only those of ``model``."""
    for name, field in section.model_fields.items():
        yield prefix + name
        if isinstance(field.default, BaseModel):
            yield from _known_keys(type(field.default), f"{prefix}{name}.", model)
        elif model and get_origin(field.annotation) is dict:
            _, entry = get_args(field.annotation)
            yield from _known_keys(entry, f"{prefix}{name}.{model}.", None)
