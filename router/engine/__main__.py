"""A model process: ``python -m router.engine --fd N SPEC``, started by ``router.worker``.

``N`` is an inherited socket, ``SPEC`` a ``frames.EngineSpec`` as JSON. The process lives as
long as the socket: when the HTTP process dies, however it dies, this one ends too.
"""

from __future__ import annotations

import socket
import sys

import msgspec

from router import frames
from router.engine.link import Link


def main(fd: int, spec: frames.EngineSpec) -> None:
    link = Link(socket.socket(fileno=fd))
    if spec.engine == "scripted":
        from router.engine import scripted

        scripted.run(link, spec)
    else:
        from router.engine import blas

        blas.preload()  # must come before the first import of mlx
        from router.engine import start

        start.run(link, spec)
    link.close()


if __name__ == "__main__":
    main(int(sys.argv[2]), msgspec.json.decode(sys.argv[3], type=frames.EngineSpec))
