"""The model process's end of the socket to the HTTP process."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator
from typing import Any

from router import frames


class Link:
    """Frames in, frames out. Sending never blocks: the thread that owns MLX must not wait
    for a reader, so a thread of its own does the writing."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="link-writer", daemon=True)
        self._writer.start()

    def send(self, *batch: Any) -> None:
        """Queue frames as one message; safe from any thread."""
        if batch:
            self._outbox.put(frames.encode(list(batch)))

    def receive(self) -> Iterator[frames.ToEngine]:
        """Frames from the HTTP process until it goes away."""
        stream = self._sock.makefile("rb")
        while header := stream.read(frames.HEADER_BYTES):
            body = stream.read(int.from_bytes(header, "big"))
            yield from frames.decode_to_engine(body)

    def close(self) -> None:
        """Send what is queued, then hang up."""
        self._outbox.put(None)
        self._writer.join(timeout=2)
        self._sock.close()

    def _write(self) -> None:
        try:
            while (message := self._outbox.get()) is not None:
                self._sock.sendall(message)
        except OSError:
            # The HTTP process is gone; receive() ends too and the process with it.
            return
