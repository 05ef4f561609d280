"""Programs that stay for their next scenario, so that a repeated run does not start each anew."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import IO

from conformance.client import Exchange
from conformance.frameworks import Program
from conformance.programs import LIMIT, Ran, shown, surroundings
from conformance.recorder import recorded
from conformance.target import Target

FROM_INPUT = "-"
"""In place of a scenario: read them from standard input."""

LONGEST = 1 << 20
"""Bytes of what a program tells, or complains of, in a scenario."""

FAREWELL = 10
"""Seconds for a program to end when there are no more scenarios."""


class Standby:
    """Processes that have nothing to do, by the names of their programs. One that did not tell
    what it should is not asked again."""

    def __init__(self) -> None:
        self._idle: dict[str, list[_Process]] = defaultdict(list)
        self._started = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Standby:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._started.aclose()

    async def ran(self, program: Program, scenario: str, target: Target) -> Ran:
        """A scenario carried out by a process that stays."""
        idle = self._idle[program.name]
        started = _Process.started(program, target)
        process = idle.pop() if idle else await self._started.enter_async_context(started)
        one = await process.ran(scenario, shown(program, program.scenario(scenario), target))
        if one.told:
            idle.append(process)
        return one


class _Process:
    """``exchanges`` and ``complained`` grow with each scenario."""

    def __init__(
        self, process: asyncio.subprocess.Process, complained: IO[bytes], exchanges: list[Exchange]
    ) -> None:
        self._process, self._complained, self._exchanges = process, complained, exchanges

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, program: Program, target: Target) -> AsyncIterator[_Process]:
        async with recorded(target.base_url) as (base_url, exchanges):
            with tempfile.TemporaryFile() as complained:
                process = await asyncio.create_subprocess_exec(
                    program.python,
                    *program.scenario(FROM_INPUT),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=complained,
                    limit=LONGEST,
                    env=surroundings(base_url, target),
                    cwd=program.folder,
                )
                try:
                    yield cls(process, complained, exchanges)
                finally:
                    await _ended(process)

    async def ran(self, scenario: str, command: str) -> Ran:
        asked, position = len(self._exchanges), os.fstat(self._complained.fileno()).st_size
        started = time.monotonic()
        code, said = await self._told(scenario)
        seconds = time.monotonic() - started
        # Read without seeking: the process writes where the file was sought to last.
        complained = os.pread(self._complained.fileno(), LONGEST, position)
        exchanges = self._exchanges[asked:]
        return Ran(command, code, said, complained.decode("utf-8", "replace"), seconds, exchanges)

    async def _told(self, scenario: str) -> tuple[int | None, str]:
        """Exit code, 0 while it lives and None if it does not tell, and what it tells."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            async with asyncio.timeout(LIMIT):
                self._process.stdin.write(f"{scenario}\n".encode())
                line = await self._process.stdout.readline()
                code = 0 if line else await self._process.wait()
        except TimeoutError:
            return None, ""
        return code, line.decode("utf-8", "replace")


async def _ended(process: asyncio.subprocess.Process) -> None:
    assert process.stdin
    process.stdin.close()
    try:
        async with asyncio.timeout(FAREWELL):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
