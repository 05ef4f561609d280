"""What the endpoints share, made once by ``app.create_app`` and kept in ``app.state``."""

from __future__ import annotations

from dataclasses import dataclass

from router.catalog import Catalog
from router.config import Config
from router.metrics import Metrics
from router.pool import Pool
from router.responses.store import ResponseStore


@dataclass(frozen=True, slots=True)
class Services:
    config: Config
    catalog: Catalog
    pool: Pool
    metrics: Metrics
    responses: ResponseStore
