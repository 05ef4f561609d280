"""Bodies as they were before they were compressed."""

from __future__ import annotations

import gzip
import zlib

import brotli
import zstandard

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"


def decoded(data: bytes, encoding: str | None) -> bytes:
    """The body without its ``content-encoding``. Recorders often decode it and leave the header,
    or drop the header and leave the code: so the bytes have the last word."""
    try:
        if data.startswith(GZIP):
            return gzip.decompress(data)
        if data.startswith(ZSTD):
            return zstandard.ZstdDecompressor().decompressobj().decompress(data)
        if encoding == "br":
            return bytes(brotli.decompress(data))
        if encoding == "deflate":
            return zlib.decompress(data)
    except (OSError, EOFError, brotli.error, zlib.error, zstandard.ZstdError):
        pass
    return data
