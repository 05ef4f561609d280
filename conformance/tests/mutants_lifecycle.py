"""Servers that start, report or end badly."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from conformance.tests.mutation import Json, Mutant, spoils


@spoils("life.health_ready")
class HealthIsText(Mutant):
    async def before(self, request: Json, path: str) -> Response | None:
        return Response("ok", media_type="text/plain") if path == "/health" else None


@spoils("life.cold_start")
class RefusesWhileLoading(Mutant):
    async def before(self, request: Json, path: str) -> Response | None:
        """Unlike the server behind it, it knows of no model before that is loaded."""
        if path.endswith("/chat/completions") and "Good morning" in str(request):
            error = {"message": "no such model", "type": "x", "param": None, "code": "x"}
            return JSONResponse({"error": error}, 404)
        return None


@spoils("life.shutdown")
class CutsStreams(Mutant):
    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        """The end never comes, as when the process is gone."""
        return [] if chunk["choices"][0]["finish_reason"] else [chunk]


@spoils("life.metrics")
class CountsDown(Mutant):
    asked = 0

    async def before(self, request: Json, path: str) -> Response | None:
        if path != "/metrics":
            return None
        self.asked += 1
        names = ("generation_tokens_total", "prompt_tokens_total", "request_success_total")
        lines = [f"vllm:{name} {100 - self.asked}" for name in names]
        lines += ["vllm:time_to_first_token_seconds_bucket 1"]
        lines += ["vllm:request_generation_tokens_bucket 1", ""]
        return Response("\n".join(lines))
