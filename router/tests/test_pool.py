from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from router import frames
from router.errors import Internal, Unavailable
from router.pool import PATIENCE, Grant, Load, Pool, Wait, plan
from router.worker import LoadError, Worker


@dataclass
class W:
    model: str
    since: float = 0.0


def test_nobody_waits() -> None:
    assert plan("a", False, 3, [], 0) == Wait()


def test_the_first_waiter_says_what_to_load() -> None:
    assert plan(None, False, 0, [W("b"), W("a")], 0) == Load("b")


def test_one_load_at_a_time() -> None:
    assert plan(None, True, 0, [W("a"), W("b")], 0) == Wait()


def test_all_waiters_of_the_resident_model_are_granted_at_once() -> None:
    assert plan("a", False, 1, [W("a"), W("a")], 0) == Grant(2)


def test_requests_for_the_resident_model_overtake() -> None:
    assert plan("a", False, 1, [W("b", 0.0), W("a", 0.1)], 0.2) == Grant(1)


def test_overtaking_ends_when_patience_does() -> None:
    waiters = [W("b", 0.0), W("a", 0.1)]
    assert plan("a", False, 1, waiters, PATIENCE) == Wait()
    assert plan("a", False, 0, waiters, PATIENCE) == Load("b")


def test_patience_begins_when_a_load_ends() -> None:
    """Loads take longer than patience: A B A B must become A A B B all the same."""
    waiters = [W("b", 0.0), W("a", 0.1)]
    assert plan("a", False, 0, waiters, 10.0, loaded_at=9.9) == Grant(1)
    assert plan("a", False, 0, waiters, 10.0 + PATIENCE, loaded_at=9.9) == Grant(1)
    late = [W("b", 0.0), W("a", 10.0)]
    assert plan("a", False, 0, late, 10.0 + PATIENCE, loaded_at=9.9) == Load("b")


def test_who_came_before_the_impatient_one_is_still_served() -> None:
    assert plan("a", False, 1, [W("a", 0.0), W("b", 0.1)], 9) == Grant(1)


def test_a_swap_waits_for_requests_in_flight() -> None:
    assert plan("a", False, 1, [W("b", 0.0)], 0.5) == Wait(until=PATIENCE)
    assert plan("a", False, 0, [W("b", 0.0)], 0.5) == Load("b")


# --- the pool with real processes of the scripted engine ---


class Starter:
    """Starts scripted model processes and remembers in which order."""

    def __init__(self) -> None:
        self.started: list[str] = []

    async def __call__(self, model: str) -> Worker:
        self.started.append(model)
        if model == "broken":
            raise LoadError("no such weights")
        return await Worker.start(model, frames.EngineSpec(engine="scripted"))


def run(scenario: Callable[[Pool, Starter], Awaitable[None]], max_queue: int = 100) -> None:
    async def main() -> None:
        starter = Starter()
        pool = Pool(starter, max_queue=max_queue)
        try:
            await asyncio.wait_for(scenario(pool, starter), 20)
        finally:
            await pool.close()

    asyncio.run(main())


def test_waiters_share_one_load() -> None:
    async def scenario(pool: Pool, starter: Starter) -> None:
        async def use() -> str:
            async with pool.lease("a") as worker:
                return worker.name

        assert await asyncio.gather(*[use() for _ in range(5)]) == ["a"] * 5
        assert starter.started == ["a"]

    run(scenario)


def test_a_swap_lets_requests_in_flight_finish() -> None:
    async def scenario(pool: Pool, starter: Starter) -> None:
        async with pool.lease("a") as first:
            other = asyncio.create_task(pool.lease("b").__aenter__())
            await asyncio.sleep(0.1)
            assert not other.done()
            assert not first.dead.is_set()
        assert (await other).name == "b"
        assert first.dead.is_set()
        assert starter.started == ["a", "b"]

    run(scenario)


def test_a_failed_load_is_an_error_for_its_waiters_only() -> None:
    async def scenario(pool: Pool, starter: Starter) -> None:
        with pytest.raises(Internal, match="broken could not be loaded"):
            async with pool.lease("broken"):
                pass
        async with pool.lease("a") as worker:
            assert worker.name == "a"

    run(scenario)


def test_a_dead_process_is_replaced() -> None:
    async def scenario(pool: Pool, starter: Starter) -> None:
        async with pool.lease("a") as worker:
            await worker.stop()
        async with pool.lease("a") as worker:
            assert not worker.dead.is_set()
        assert starter.started == ["a", "a"]

    run(scenario)


def test_a_waiter_that_gives_up_triggers_no_load() -> None:
    async def scenario(pool: Pool, starter: Starter) -> None:
        async with pool.lease("a"):
            waiting = asyncio.create_task(pool.lease("b").__aenter__())
            await asyncio.sleep(0.05)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.sleep(0.05)
        assert starter.started == ["a"]
        assert pool.queued == pool.in_flight == 0

    run(scenario)


def test_the_queue_is_bounded() -> None:
    async def scenario(pool: Pool, starter: Starter) -> None:
        async with pool.lease("a"):
            with pytest.raises(Unavailable, match="max_queue") as caught:
                async with pool.lease("a"):
                    pass
            assert int(caught.value.headers["retry-after"]) <= 120

    run(scenario, max_queue=1)


def test_a_draining_pool_takes_nothing_new() -> None:
    async def scenario(pool: Pool, starter: Starter) -> None:
        async with pool.lease("a"):
            waiting = asyncio.create_task(pool.lease("b").__aenter__())
            await asyncio.sleep(0.05)
            pool.drain()
            with pytest.raises(Unavailable):
                await waiting
            with pytest.raises(Unavailable):
                async with pool.lease("a"):
                    pass

    run(scenario)
