"""Servers that trust the network."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from conformance.tests.mutants_cancellation import plays
from conformance.tests.mutation import Json, Mutant, spoils


@spoils("fault.sliced_request")
class ReadsOnce(Mutant):
    async def read(self, request: Request) -> bytes:
        """What one read gives; the rest comes and is thrown away."""
        parts = [part async for part in request.stream()]
        return parts[0]


@spoils("fault.partial_body")
class DiesOfHalfABody(Mutant):
    dead = False

    async def read(self, request: Request) -> bytes:
        try:
            return await request.body()
        except ClientDisconnect:
            self.dead = True
            return b""

    async def before(self, request: Json, path: str) -> Response | None:
        return Response(status_code=500) if self.dead else None


@spoils("fault.reset")
class IgnoresResets(Mutant):
    def keeps_reading(self, request: Json) -> bool:
        return plays(request, "reset")


@spoils("fault.client_timeout")
class IgnoresTimeouts(Mutant):
    def keeps_reading(self, request: Json) -> bool:
        return plays(request, "timeout")
