"""What the server measures: one record for each answered request, Prometheus for the sum.

Metric names are vLLM's, behind this product's own prefix, so that its dashboards need one
search-and-replace.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from router.frames import Stats

SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
TOKENS = (1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000)


@dataclass(slots=True)
class Record:
    """One request that reached a model. Times in seconds; ``ttft`` None: no token came.

    ``finish_reason`` is ``abort`` when the client left and ``error`` when the model failed.
    """

    model: str
    stream: bool
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    ttft: float | None = None
    seconds: float = 0.0
    finish_reason: str = "abort"
    tool_calls: list[str] = field(default_factory=list)
    malformed_calls: int = 0

    @property
    def tokens_per_second(self) -> float | None:
        """Decode speed: the first token belongs to the prefill."""
        if self.ttft is None or self.completion_tokens < 2 or self.seconds <= self.ttft:
            return None
        return (self.completion_tokens - 1) / (self.seconds - self.ttft)


class Metrics:
    """A registry of its own for each app, so that two apps in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mlx_router:request_success",
            "Requests that reached a model, by how they ended.",
            ["model_name", "finished_reason"],
            registry=self.registry,
        )
        self.prompt_tokens = self._counter("prompt_tokens", "Prompt tokens of those requests.")
        self.cached_tokens = self._counter(
            "prefix_cache_hits", "Prompt tokens found in the prefix cache."
        )
        self.generation_tokens = Counter(
            "mlx_router:generation_tokens",
            "Tokens the engines generated, whether or not anyone was left to read them.",
            registry=self.registry,
        )
        self.tool_calls = self._counter("tool_calls", "Tool calls that left the router.")
        self.malformed_calls = self._counter(
            "malformed_tool_calls", "Tool calls that could not be used and were sent as text."
        )
        self.ttft = self._histogram(
            "time_to_first_token_seconds", "From the request to its first token.", SECONDS
        )
        self.latency = self._histogram(
            "e2e_request_latency_seconds", "From the request to its last byte.", SECONDS
        )
        self.time_per_token = self._histogram(
            "request_time_per_output_token_seconds",
            "Mean time of a token after the first, for each request.",
            SECONDS,
        )
        self.request_tokens = self._histogram(
            "request_generation_tokens", "Generated tokens of a request.", TOKENS
        )
        self.running = self._gauge("num_requests_running", "Sequences that are decoding.")
        self.waiting = self._gauge("num_requests_waiting", "Sequences before their first token.")
        self.queued = self._gauge("num_requests_queued", "Requests that wait for a model.")
        self.kv_bytes = self._gauge("kv_cache_bytes", "Bytes of KV cache in use.")
        self.lost_grammars = Counter(
            "mlx_router:lost_grammars",
            "Answers whose grammar broke off before they ended.",
            registry=self.registry,
        )
        self._last = Stats(0, 0, 0)

    def observe(self, record: Record) -> None:
        name = record.model
        self.requests.labels(name, record.finish_reason).inc()
        self.prompt_tokens.labels(name).inc(record.prompt_tokens)
        self.cached_tokens.labels(name).inc(record.cached_tokens)
        self.tool_calls.labels(name).inc(len(record.tool_calls))
        self.malformed_calls.labels(name).inc(record.malformed_calls)
        self.latency.labels(name).observe(record.seconds)
        self.request_tokens.labels(name).observe(record.completion_tokens)
        if record.ttft is not None:
            self.ttft.labels(name).observe(record.ttft)
        if speed := record.tokens_per_second:
            self.time_per_token.labels(name).observe(1 / speed)

    def on_stats(self, stats: Stats) -> None:
        """Take over what an engine says of itself. Its counts start again with its process."""
        last = (
            self._last if stats.generated_tokens >= self._last.generated_tokens else Stats(0, 0, 0)
        )
        self.generation_tokens.inc(stats.generated_tokens - last.generated_tokens)
        self.lost_grammars.inc(stats.lost_grammars - last.lost_grammars)
        self._last = stats
        self.running.set(stats.running)
        self.waiting.set(stats.waiting)
        self.kv_bytes.set(stats.kv_bytes)

    def exposition(self) -> tuple[bytes, str]:
        """The body and content type of ``GET /metrics``."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"mlx_router:{name}", text, ["model_name"], registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"mlx_router:{name}", text, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(
            f"mlx_router:{name}", text, ["model_name"], buckets=buckets, registry=self.registry
        )
