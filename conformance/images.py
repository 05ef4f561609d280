"""Images made on the spot, for requests that hold one, and what may become of those."""

from __future__ import annotations

import base64
import random
import struct
import zlib

from conformance.client import Exchange
from conformance.expect import refused
from conformance.failure import expect


def noise(side: int = 112) -> str:
    """A grey image as a data URL, so noisy that reading the URL as text would cost over 8000
    tokens."""
    pixels = random.Random(0)
    rows = b"".join(b"\0" + pixels.randbytes(side) for _ in range(side))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + parts).decode()


def is_refused(exchange: Exchange) -> bool:
    """Is the answer a 400? Raises Failed for one that does not name the image."""
    if exchange.received.status != 400:
        return False
    found = refused(exchange)
    named = "image" in found["message"].lower() or "content" in str(found["param"])
    expect(named, "an error that names the image part", found)
    return True


def judge_cost(tokens: int) -> None:
    """Was it seen as an image, and neither dropped nor read as text?"""
    hint = "refuse parts that the model cannot read"
    expect(8 <= tokens <= 4000, "8 to 4000 tokens of the prompt for the image", tokens, hint)
