"""Percentiles of measured times."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` of all values do not exceed (nearest rank).

    Raises ValueError without values.
    """
    if not values:
        raise ValueError("no values")
    rank = math.ceil(percent / 100 * len(values))
    return sorted(values)[max(rank, 1) - 1]


def spread(values: Sequence[float], unit: str = "ms") -> str:
    """How values given in seconds are reported: never by their mean alone."""
    shown = {
        "min": min(values),
        "p50": percentile(values, 50),
        "p95": percentile(values, 95),
        "p99": percentile(values, 99),
        "max": max(values),
    }
    scale = 1000 if unit == "ms" else 1
    texts = [f"{name} {scale * value:.1f}" for name, value in shown.items()]
    return f"{', '.join(texts)} {unit} of {len(values)}"
