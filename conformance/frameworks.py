"""The frameworks whose programs lie in ``agents/``, and the programs that a run was given."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "frameworks.toml"
FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:\$ )?python (\S+\.py\b.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Framework:
    """An entry of ``frameworks.toml``, which explains the fields."""

    name: str
    error: dict[str, str]
    attempts: int = 1
    silent: tuple[str, ...] = ()

    @property
    def variants(self) -> list[str]:
        return list(self.error)


@cache
def known() -> dict[str, Framework]:
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    return {name: Framework(name, **entry) for name, entry in data.items()}


@dataclass(frozen=True)
class Program:
    """A framework's main.py in one variant, with the Python of an environment that has the
    framework. ``folder`` holds it and its README's examples."""

    framework: Framework
    variant: str
    python: Path
    folder: Path

    @property
    def usual(self) -> bool:
        return self.variant == self.framework.variants[0]

    @property
    def name(self) -> str:
        """``langchain``, or ``langchain-responses`` for a variant that is not the usual one."""
        return self.framework.name if self.usual else f"{self.framework.name}-{self.variant}"

    def scenario(self, name: str) -> list[str]:
        """What its Python is given to run a scenario."""
        return ["main.py", "--scenario", name, "--variant", self.variant, "--json"]

    def examples(self) -> list[list[str]]:
        """What its Python is given by the commands that its README shows, each once. Those of
        main.py are not among them: they are its scenarios."""
        text = (self.folder / "README.md").read_text(encoding="utf-8")
        commands = dict.fromkeys(COMMAND.findall("\n".join(FENCED.findall(text))))
        return [shlex.split(each) for each in commands if not each.startswith("main.py")]


def given(arguments: Sequence[str]) -> list[Program]:
    """The programs meant by arguments like ``langchain=.nox/agents-langchain/bin/python``, each
    in all its variants. Raises ValueError for one that is not understood."""
    return [program for argument in arguments for program in _given(argument)]


def _given(argument: str) -> list[Program]:
    name, _, python = argument.partition("=")
    if name not in known():
        raise ValueError(f"there is no framework {name!r}; known are {', '.join(sorted(known()))}")
    if not python:
        raise ValueError(f"no Python for {name}: give {name}=PATH, of an environment that has it")
    framework = known()[name]
    # Not resolved: the link in an environment is what makes it one.
    path = Path(python).absolute()
    folder = ROOT / "agents" / name
    return [Program(framework, variant, path, folder) for variant in framework.variants]
