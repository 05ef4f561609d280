"""Images that a recorded request names by their address, which a server need not reach."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from conformance.images import noise


def shown(text: str) -> str:
    """The request with an image of our own in place of each that lies elsewhere."""
    for address in set(_addresses(json.loads(text))):
        named = rf'("(?:image_)?url"\s*:\s*){re.escape(json.dumps(address))}'
        text = re.sub(named, rf"\g<1>{json.dumps(noise())}", text)
    return text


def _addresses(value: Any) -> Iterator[str]:
    """Of the image parts of a chat (`image_url`) and of Responses (`input_image`)."""
    match value:
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            found = url
        case {"type": "input_image", "image_url": str(url)}:
            found = url
        case dict() | list():
            for inner in value.values() if isinstance(value, dict) else value:
                yield from _addresses(inner)
            return
        case _:
            return
    if found.startswith(("http://", "https://")):
        yield found
