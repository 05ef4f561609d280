"""Cassettes: files in which recorders of HTTP keep what was said.

vcrpy's YAML and JSON, with the variations that projects have made of it, and Ruby's VCR.
"""

from __future__ import annotations

import base64
import gzip
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from conformance.replay.bodies import decoded

ENDINGS = (".yaml", ".yml", ".json", ".yaml.gz", ".yml.gz", ".json.gz")


@dataclass(frozen=True)
class Interaction:
    """A request and its answer as a cassette has them, bodies decompressed. Names of headers
    are lower case."""

    method: str
    url: str
    asked: dict[str, str]
    body: bytes | None
    status: int
    answered: list[tuple[str, str]]
    answer: bytes


class _Loader(yaml.CSafeLoader):
    """Builds plain values only, whatever a tag asks for."""


def _plain(loader: _Loader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return base64.b64decode(str(text)) if tag.endswith("binary") else text
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    assert isinstance(node, yaml.SequenceNode)
    values = loader.construct_sequence(node, deep=True)
    # A string of a class of its own, as keys of headers are, has itself as its one argument.
    return values[0] if len(values) == 1 and isinstance(values[0], str) else values


_Loader.add_multi_constructor("", _plain)


def in_archive(archive: Path) -> Iterator[tuple[str, list[Interaction]]]:
    """Every cassette of a tar file that has interactions, by its path in there. Nothing is
    unpacked to disk."""
    with tarfile.open(archive) as members:
        for member in members:
            file = members.extractfile(member) if member.name.endswith(ENDINGS) else None
            if file and (found := interactions(file.read())):
                yield member.name.partition("/")[2], found


def in_folder(folder: Path) -> Iterator[tuple[str, list[Interaction]]]:
    """The same of a folder."""
    for file in sorted(folder.rglob("*")):
        if file.name.endswith(ENDINGS) and (found := interactions(file.read_bytes())):
            yield file.relative_to(folder).as_posix(), found


def interactions(data: bytes) -> list[Interaction]:
    """What a file holds; nothing, where it is no cassette."""
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    # Parsing takes time, and most files of an archive are something else.
    if not any(word in data for word in (b"interactions", b"requests")):
        return []
    return [_interaction(*pair) for pair in _pairs(_document(data))]


def _document(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        pass
    try:
        return yaml.load(data, _Loader)
    except (yaml.YAMLError, ValueError):
        return None


def _pairs(document: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    match document:
        case {"interactions": list(told)} | {"http_interactions": list(told)}:
            return [
                (one["request"], one["response"])
                for one in told
                if isinstance(one, dict) and one.get("request") and one.get("response")
            ]
        case {"requests": list(requests), "responses": list(responses)}:
            return list(zip(requests, responses, strict=False))
    return []


def _interaction(request: dict[str, Any], response: dict[str, Any]) -> Interaction:
    asked, answered = _headers(request.get("headers")), _headers(response.get("headers"))
    status = response.get("status", response.get("status_code"))
    return Interaction(
        str(request.get("method", "GET")).upper(),
        str(request.get("uri") or request.get("url") or ""),
        asked,
        _body(request, asked.get("content-encoding")),
        int(status["code"] if isinstance(status, dict) else status or 0),
        list(answered.items()),
        _body(response, answered.get("content-encoding")) or b"",
    )


def _headers(recorded: Any) -> dict[str, str]:
    """Pairs or a mapping; a value is a string or a list of them; names may be bytes."""
    named = {_text(name).lower(): value for name, value in dict(recorded or {}).items()}
    return {
        name: ", ".join(map(_text, value)) if isinstance(value, list) else _text(value)
        for name, value in named.items()
    }


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _body(message: dict[str, Any], encoding: str | None) -> bytes | None:
    """Plain, or below ``string``; or parsed, which pydantic-ai does for its readers' sake."""
    if "parsed_body" in message:
        return json.dumps(message["parsed_body"], ensure_ascii=False).encode()
    body = message.get("body")
    if isinstance(body, dict):
        encoded = body.get("base64_string")
        body = base64.b64decode(encoded) if encoded else body.get("string")
    if body is None:
        return None
    return decoded(body if isinstance(body, bytes) else str(body).encode(), encoding)
