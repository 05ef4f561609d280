"""Which model is resident, and who may use it.

One model is resident at a time. ``plan`` decides what to do from a picture of the state; it
is pure, so every rule about swapping is a unit test. ``Pool`` owns the state, asks ``plan``
after every change, and carries its answer out.

The rules: a request in flight is never cut off by a swap. Requests for the resident model
overtake those that need another one (A B A B becomes A A B B), until a waiter for another
model has waited ``PATIENCE`` seconds; then the resident model takes no new requests, drains,
and makes room. Requests for one model share one load.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from router.errors import ApiError, Internal, Unavailable
from router.worker import LoadError, Worker

log = logging.getLogger("router.pool")

PATIENCE = 2.0
"""Seconds for which requests for the resident model may overtake."""

Start = Callable[[str], Awaitable[Worker]]
"""Starts the process of a model by its id; raises LoadError."""


class Waiting(Protocol):
    @property
    def model(self) -> str: ...
    @property
    def since(self) -> float: ...


# --- the decision -------------------------------------------------------------------


@dataclass(frozen=True)
class Grant:
    """Let the first ``count`` waiters for the resident model use it."""

    count: int


@dataclass(frozen=True)
class Load:
    """Stop the resident model, if any, and load this one."""

    model: str


@dataclass(frozen=True)
class Wait:
    """Nothing to do before the next change, or before ``until`` (monotonic seconds)."""

    until: float | None = None


Decision = Grant | Load | Wait


def plan(
    resident: str | None,
    busy: bool,
    leases: int,
    waiters: Sequence[Waiting],
    now: float,
    loaded_at: float = 0.0,
) -> Decision:
    """What to do next. ``waiters`` are in order of arrival; ``busy`` is true during a load.

    Patience counts from ``loaded_at`` at the earliest: a load takes longer than patience
    lasts, and whoever waited for it must get something out of it.
    """
    if busy or not waiters:
        return Wait()
    if resident is None:
        return Load(waiters[0].model)
    other = next((w for w in waiters if w.model != resident), None)
    due = max(other.since, loaded_at) + PATIENCE if other else None
    mine = [w for w in waiters if w.model == resident]
    if other and due is not None and now >= due:
        mine = [w for w in mine if w.since < max(other.since, loaded_at)]
    if mine:
        return Grant(len(mine))
    if leases == 0 and other:
        return Load(other.model)
    return Wait(due if due is not None and due > now else None)


# --- the state and its owner --------------------------------------------------------


@dataclass(eq=False)
class _Waiter:
    model: str
    since: float
    granted: asyncio.Future[Worker] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Pool:
    """Hands out the resident model and swaps it when others are asked for."""

    def __init__(self, start: Start, *, max_queue: int) -> None:
        self._start = start
        self._max_queue = max_queue
        self._worker: Worker | None = None
        self._waiters: list[_Waiter] = []
        self._leases = 0
        self._busy = False
        self._loaded_at = 0.0
        self._draining = False
        self._loaded: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def resident(self) -> Worker | None:
        return self._worker if self._worker and not self._worker.dead.is_set() else None

    @property
    def in_flight(self) -> int:
        return self._leases

    @property
    def queued(self) -> int:
        return len(self._waiters)

    def can_answer(self, model: str) -> bool:
        """True once the model has been loaded and nothing says it could not be again."""
        return model in self._loaded and not self._draining

    @contextlib.asynccontextmanager
    async def lease(self, model: str) -> AsyncIterator[Worker]:
        """The process of ``model``, loaded if need be, until the block ends.

        Raises Unavailable when too many requests wait or the server is stopping, Internal
        when the model cannot be loaded.
        """
        worker = await self._acquire(model)
        try:
            yield worker
        finally:
            self._leases -= 1
            self._advance()

    def drain(self) -> None:
        """Take no new requests; those in flight go on."""
        self._draining = True
        for waiter in self._waiters:
            _resolve(waiter, error=_stopping())
        self._waiters.clear()

    def abort(self) -> None:
        """End the requests in flight with an error: there is no more time for them."""
        if self._worker:
            self._worker.fail_all("the server is stopping", code="server_stopping")

    async def close(self) -> None:
        self.drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._worker:
            await self._worker.stop()
            self._worker = None

    async def _acquire(self, model: str) -> Worker:
        if self._draining:
            raise _stopping()
        if len(self._waiters) + self._leases >= self._max_queue:
            raise Unavailable(
                f"{self._max_queue} requests are waiting already (server.max_queue)."
                " Send the request again in a few seconds.",
                retry_after=5,
                code="queue_full",
            )
        waiter = _Waiter(model, time.monotonic())
        self._waiters.append(waiter)
        self._advance()
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            self._give_up(waiter)
            raise

    def _give_up(self, waiter: _Waiter) -> None:
        """The client left while it waited, or in the moment its lease was granted."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        elif _was_granted(waiter):
            self._leases -= 1
        self._advance()

    def _advance(self) -> None:
        """Ask ``plan`` and carry out its answer until it says to wait."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while True:
            resident = self.resident.name if self.resident else None
            decision = plan(
                resident,
                self._busy,
                self._leases,
                self._waiters,
                time.monotonic(),
                self._loaded_at,
            )
            if isinstance(decision, Grant):
                self._grant(decision.count)
            elif isinstance(decision, Load):
                self._busy = True
                self._spawn(self._swap(decision.model))
            else:
                if decision.until is not None:
                    loop = asyncio.get_running_loop()
                    delay = max(0.0, decision.until - time.monotonic())
                    self._timer = loop.call_later(delay, self._advance)
                return

    def _grant(self, count: int) -> None:
        assert self._worker is not None
        mine = [w for w in self._waiters if w.model == self._worker.name][:count]
        for waiter in mine:
            self._waiters.remove(waiter)
            self._leases += 1
            _resolve(waiter, worker=self._worker)

    async def _swap(self, model: str) -> None:
        """Replace the resident model. All who wait for ``model`` share the outcome."""
        began = time.monotonic()
        try:
            if self._worker:
                await self._worker.stop()
                self._worker = None
            self._worker = await self._start(model)
            self._loaded.add(model)
            self._loaded_at = time.monotonic()
            info = self._worker.info
            log.info(
                "%s is loaded: %.1f s, %.0f MB as %s on %s",
                model,
                self._loaded_at - began,
                info.memory / 1e6,
                info.dtype,
                info.device,
            )
        except LoadError as error:
            log.error("%s could not be loaded: %s", model, error)
            self._refuse(model, error)
        except Exception as error:
            log.exception("loading %s failed", model)
            self._refuse(model, error)
        finally:
            self._busy = False
            self._advance()

    def _refuse(self, model: str, error: Exception) -> None:
        """All who wait for a model that cannot be loaded hear of it."""
        self._loaded.discard(model)
        for waiter in [w for w in self._waiters if w.model == model]:
            self._waiters.remove(waiter)
            _resolve(waiter, error=_load_failure(model, error))

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _resolve(
    waiter: _Waiter, *, worker: Worker | None = None, error: ApiError | None = None
) -> None:
    if waiter.granted.done():
        return
    if error:
        waiter.granted.set_exception(error)
    elif worker:
        waiter.granted.set_result(worker)


def _was_granted(waiter: _Waiter) -> bool:
    granted = waiter.granted
    return granted.done() and not granted.cancelled() and granted.exception() is None


def _stopping() -> Unavailable:
    return Unavailable("The server is stopping. Send the request again in a moment.")


def _load_failure(model: str, error: Exception) -> ApiError:
    if isinstance(error, ApiError):
        return error
    return Internal(
        f"The model {model} could not be loaded; the server's log says why."
        " `mlx-router doctor` checks what it needs.",
        code="model_load_failed",
    )
