"""Running the programs of ``agents/`` against a server, and reading what they print."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from conformance.client import Exchange
from conformance.failure import Failed
from conformance.frameworks import Program
from conformance.recorder import recorded
from conformance.target import Target

LIMIT = 400
"""Seconds for one program: a few answers of a small model on a busy machine."""

OWN = ("OPENAI_", "PYTHON", "VIRTUAL_ENV")
"""Beginnings of the variables that would make a program use what is not its environment's."""


@dataclass(frozen=True)
class Ran:
    """A program that was run. ``code`` None: it did not end. ``exchanges`` are those with the
    server, ``said`` and ``complained`` its standard output and error."""

    command: str
    code: int | None
    said: str
    complained: str
    seconds: float
    exchanges: list[Exchange]

    @property
    def asked(self) -> int:
        """How often it asked a model."""
        return sum(exchange.sent.method == "POST" for exchange in self.exchanges)

    @property
    def told(self) -> Told | None:
        """What it told, where that is as it should be."""
        try:
            values = json.loads(self.said)
            return Told(**{field.name: values[field.name] for field in fields(Told)})
        except (ValueError, TypeError, KeyError):
            return None

    def succeeded(self) -> None:
        """Raises Failed unless it ended, and with exit code 0."""
        last = (self.complained.strip() or "nothing on standard error").splitlines()[-1]
        if self.code is None:
            raise Failed(f"an end within {LIMIT} s", f"none; {last}")
        if self.code != 0:
            raise Failed("exit code 0", f"{self.code}; {last}")


@dataclass(frozen=True)
class Told:
    """The line that ``agents/scenarios.py`` makes a program print."""

    version: str
    answer: str
    streamed: list[str]
    tool_calls: list[dict[str, Any]]
    usage: dict[str, int] | None
    error: dict[str, str] | None


CarryOut = Callable[[Program, str, Target], Awaitable[Ran]]
"""Has a program carry out the scenario of a name against a server."""


async def anew(program: Program, scenario: str, target: Target) -> Ran:
    """A scenario carried out by a process of its own."""
    return await ran(program, program.scenario(scenario), target)


@dataclass
class Round:
    """What programs have done in one round of the suite: each scenario once, by the names of
    both. ``before``: the server's counters when the first of them began."""

    carry_out: CarryOut
    runs: dict[tuple[str, str], Ran] = field(default_factory=dict)
    before: dict[str, int] | None = None
    beginning: asyncio.Lock = field(default_factory=asyncio.Lock)


async def ran(program: Program, arguments: Sequence[str], target: Target) -> Ran:
    """Run a script of the program's folder against a server. Raises Failed where there is none,
    or no Python for it."""
    for file in (program.python, program.folder / arguments[0]):
        if not file.is_file():
            raise Failed(f"the file {file}", "none", "`nox -s agents` makes the environments")
    started = time.monotonic()
    async with recorded(target.base_url) as (base_url, exchanges):
        command = [str(program.python), *arguments]
        environment = surroundings(base_url, target)
        code, said, complained = await output(command, program.folder, environment)
    seconds = time.monotonic() - started
    return Ran(shown(program, arguments, target), code, said, complained, seconds, exchanges)


def shown(program: Program, arguments: Sequence[str], target: Target) -> str:
    """The command that repeats it; keys are not shown."""
    there = _whereabouts(target.base_url, "…", target.model)
    variables = " ".join(f"{name}={value}" for name, value in there.items())
    command = shlex.join([str(program.python), *arguments])
    return f"cd {program.folder} && {variables} {command}"


def surroundings(base_url: str, target: Target) -> dict[str, str]:
    """The environment of a program that asks a server there."""
    return clean(os.environ) | _whereabouts(base_url, target.api_key, target.model)


def _whereabouts(base_url: str, api_key: str, model: str) -> dict[str, str]:
    """The variables that tell a program of ``agents/`` what to ask."""
    return {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": api_key, "MLX_ROUTER_MODEL": model}


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """What of an environment any program may see."""
    return {k: v for k, v in environment.items() if not k.startswith(OWN)}


async def output(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> tuple[int | None, str, str]:
    """Exit code, None after ``LIMIT``, standard output and standard error."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=environment,
            cwd=folder,
        )
        code = None
        try:
            async with asyncio.timeout(LIMIT):
                code = await process.wait()
        except TimeoutError:
            pass
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        for file in (out, err):
            file.seek(0)
        said, complained = (file.read().decode("utf-8", "replace") for file in (out, err))
        return code, said, complained
