"""What MLX is like on this machine, as one line of JSON: ``python -m router.engine.doctor``.

``gflops`` is measured on a float32 product of two 1024 x 1024 matrices: first run to warm up,
then the best of three.
"""

from __future__ import annotations

import json
import time
from typing import Any

from router.engine import blas

SIZE = 1024
RUNS = 3


def examine() -> dict[str, Any]:
    library = blas.preload()
    import mlx.core as mx

    a, b = mx.random.normal((SIZE, SIZE)), mx.random.normal((SIZE, SIZE))
    mx.eval(a @ b)
    seconds = []
    for _ in range(RUNS):
        started = time.perf_counter()
        mx.eval(a @ b)
        seconds.append(time.perf_counter() - started)
    return {
        "mlx": mx.__version__,
        "device": str(mx.default_device()),
        "metal": mx.metal.is_available(),
        "blas": library.name if library else None,
        "blas_path": str(library.path) if library else None,
        "advice": None if library else blas.ADVICE,
        "gflops": round(2 * SIZE**3 / min(seconds) / 1e9, 1),
    }


if __name__ == "__main__":
    print(json.dumps(examine()))
