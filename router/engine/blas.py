"""Linux: give MLX a fast BLAS.

The ``mlx[cpu]`` wheel is linked to reference BLAS. Its symbols are resolved when
``mlx.core`` is first imported, so a faster library loaded before that with ``RTLD_GLOBAL``
takes their place: about 60 times the matrix products on two cores. Only float32 products go
through BLAS, which is why ``model.load`` casts weights on the CPU. macOS has Accelerate and
Metal and needs none of this.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import NamedTuple

OPENBLAS = (
    "/usr/lib/*/openblas-pthread/libopenblas.so.0",
    "/usr/lib/*/libopenblas.so.0",
    "/usr/lib64/libopenblas.so.0",
)
ADVICE = "install one: pip install mkl (x86-64), or apt-get install libopenblas0-pthread"


class Blas(NamedTuple):
    """A BLAS that MLX can be given: its name and the file to load."""

    name: str
    path: Path


def find() -> Blas | None:
    """The fastest BLAS installed: oneMKL (a wheel this project asks for on x86-64), else
    OpenBLAS from the system. None where none is found or needed."""
    if sys.platform != "linux":
        return None
    for path in sorted(Path(sys.prefix, "lib").glob("libmkl_rt.so*")):
        return Blas("oneMKL", path)
    for pattern in OPENBLAS:
        for path in sorted(Path("/").glob(pattern.lstrip("/"))):
            return Blas("OpenBLAS", path)
    return None


def preload() -> Blas | None:
    """Load the BLAS that ``find`` names, so that the next ``import mlx.core`` binds to it.

    Raises RuntimeError when mlx is imported already: the call would have no effect.
    """
    if "mlx.core" in sys.modules:
        raise RuntimeError("blas.preload() must run before mlx.core is imported")
    if blas := find():
        ctypes.CDLL(str(blas.path), mode=ctypes.RTLD_GLOBAL)
    return blas
