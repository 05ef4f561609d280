"""What every framework here is asked to do, so that their programs can be compared.

Each ``agents/<framework>/main.py`` writes the seven scenarios in its framework's own way and
ends with ``run(...)``. Conformance runs them with ``--json`` and judges the line printed.
The server and the model come from OPENAI_BASE_URL, OPENAI_API_KEY and MLX_ROUTER_MODEL.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import inspect
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

BASE_URL = os.environ.setdefault("OPENAI_BASE_URL", "http://localhost:8800/v1")
API_KEY = os.environ.setdefault("OPENAI_API_KEY", "not-needed")
MODEL = os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools")

TEXT = "What is the capital of France?"
STREAM = "Count from 1 to 5."
INTRODUCTION = "My name is Alice."
RECALL = "What is my name?"
TOOL = "What is the weather in Paris?"
PARALLEL = "What is the weather in Paris and in London?"
STRUCTURED = "Anna is 31 years old."
UNKNOWN_MODEL = "no-such-model"

WEATHER = {"Paris": "sunny, 21 degrees", "London": "rainy, 14 degrees"}

executed: list[dict[str, Any]] = []
"""The calls that really ran, in order."""


def get_weather(city: str) -> str:
    """Get the current weather in a city.

    Args:
        city: Name of the city.
    """
    executed.append({"name": "get_weather", "arguments": {"city": city}})
    return WEATHER.get(city, f"no weather station in {city}")


@dataclass
class Outcome:
    """What one scenario came to.

    ``answer``: the final text, or the structured result as JSON. ``streamed``: the pieces of
    text in the order they came. ``usage``: ``{"prompt_tokens", "completion_tokens"}`` summed over
    the scenario's requests, None where the framework does not tell. ``error``: what the framework
    raised.
    """

    answer: str = ""
    streamed: list[str] = field(default_factory=list)
    usage: dict[str, int] | None = None
    error: Exception | None = None


Scenario = Callable[[], Outcome | Awaitable[Outcome]]
Scenarios = Mapping[str, Scenario]
"""By name: text, stream, memory, tool, parallel, structured, errors."""


def usage(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    return {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}


def run(framework: str, distribution: str, variants: Mapping[str, Scenarios]) -> None:
    """Run the scenario named on the command line and print what comes of it.

    ``distribution`` is the package whose version is reported. ``variants`` are the framework's
    ways to reach the server, the usual one first: an API ("chat", "responses") or a class.
    """
    parser = argparse.ArgumentParser(description=f"The common scenarios, with {framework}.")
    usual = next(iter(variants))
    names = [*variants[usual], "-"]
    parser.add_argument(
        "--scenario", choices=names, default="text", help="- reads them, one a line"
    )
    parser.add_argument("--variant", choices=list(variants), default=usual)
    parser.add_argument("--json", action="store_true", help="print a line of JSON")
    options = parser.parse_args()
    version = importlib.metadata.version(distribution)
    told = {"framework": framework, "variant": options.variant, "version": version}

    async def tell_each() -> None:
        async for name in _named(options.scenario):
            executed.clear()
            started = time.perf_counter()
            outcome = await _outcome(variants[options.variant][name])
            milliseconds = round((time.perf_counter() - started) * 1000)
            if options.json:
                report = {**told, "scenario": name, **_report(outcome), "ms": milliseconds}
                print(json.dumps(report, ensure_ascii=False), flush=True)
            else:
                _tell(outcome)

    asyncio.run(tell_each())


async def _named(scenario: str) -> AsyncIterator[str]:
    if scenario != "-":
        yield scenario
        return
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield line.strip()


async def _outcome(scenario: Scenario) -> Outcome:
    # A synchronous scenario may start an event loop of its own, so it needs its own thread.
    if not inspect.iscoroutinefunction(scenario):
        return await asyncio.to_thread(scenario)  # type: ignore[arg-type]
    return await scenario()  # type: ignore[no-any-return]


def _report(outcome: Outcome) -> dict[str, Any]:
    return {
        "answer": outcome.answer,
        "streamed": outcome.streamed,
        "tool_calls": executed,
        "usage": outcome.usage,
        "error": outcome.error and _described(outcome.error),
    }


def _described(error: Exception) -> dict[str, str]:
    kind = type(error)
    return {"type": f"{kind.__module__}.{kind.__qualname__}", "message": str(error)}


def _tell(outcome: Outcome) -> None:
    for call in executed:
        print(f"called {call['name']}({json.dumps(call['arguments'], ensure_ascii=False)})")
    if outcome.error:
        print(f"{_described(outcome.error)['type']}: {outcome.error}")
    else:
        print(outcome.answer)
