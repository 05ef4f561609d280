"""``python -m conformance.examples``: what programs of ``agents/`` print, kept in their READMEs.

Each command that a README shows is carried out as a reader would: on the router's default port,
with nothing set.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import typer

from conformance.frameworks import FENCED, Program, given
from conformance.programs import clean, output
from conformance.target import spawned

PORT = 8800
SHOWN = re.compile(r"^\$ python (.*)\n", re.MULTILINE)
"""A command in a block of a README; what it prints follows."""

Says = Callable[[list[str]], Awaitable[str]]
"""What Python prints, given these arguments."""


def main(
    frameworks: Annotated[list[str], typer.Argument(help="NAME=PYTHON, as for --framework.")],
) -> None:
    """Run what the READMEs of frameworks show, and write what it prints into them."""
    asyncio.run(_main([program for program in given(frameworks) if program.usual]))


async def _main(programs: Sequence[Program]) -> None:
    async with spawned("mlx", frozenset(), port=PORT):
        for program in programs:
            readme = program.folder / "README.md"
            text = await refreshed(readme.read_text(encoding="utf-8"), _saying(program))
            readme.write_text(text, encoding="utf-8")


def _saying(program: Program) -> Says:
    async def says(arguments: list[str]) -> str:
        words = shlex.join(["python", *arguments])
        typer.echo(f"{program.framework.name}: {words}")
        environment = clean(os.environ)
        command = [str(program.python), *arguments]
        code, said, complained = await output(command, program.folder, environment)
        if code != 0:
            raise typer.BadParameter(f"{words} ended with {code}:\n{complained}")
        return said

    return says


async def refreshed(text: str, says: Says) -> str:
    """A README with what its commands print now."""
    for block in FENCED.findall(text):
        text = text.replace(block, await _again(block, says), 1)
    return text


async def _again(block: str, says: Says) -> str:
    before, *parts = SHOWN.split(block)
    written = [before]
    for command in parts[::2]:
        printed = (await says(shlex.split(command))).rstrip()
        written.append(f"$ python {command}\n{printed}\n" if printed else f"$ python {command}\n")
    return "".join(written)


if __name__ == "__main__":
    typer.run(main)
