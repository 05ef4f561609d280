"""Images made on the spot, for requests that hold one."""

from __future__ import annotations

import base64
import random
import struct
import zlib


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
