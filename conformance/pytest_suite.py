"""The same checks under pytest: ``pytest conformance/pytest_suite.py --base-url URL``.

Each check is a test. What fails as its profile expects is an xfail, what does not apply is
skipped, and an expectation that is stale fails. Without --base-url a router is started.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from conformance import checks as _checks  # noqa: F401  registers the checks
from conformance.check import Check, carried_out
from conformance.report import exchange
from conformance.report.verdict import STALE_HINT, Verdict
from conformance.runner import Result, Runner, in_order
from conformance.servers import opened
from conformance.target import load_profile

LONGEST = 600
"""Seconds for pytest-timeout, should it be there; every check ends by itself before."""

pytestmark = pytest.mark.timeout(LONGEST)


@pytest.fixture(scope="session")
def result_of(pytestconfig: pytest.Config) -> Iterator[Callable[[Check], Result]]:
    """Runs one check; the sessions are shared by all of them."""
    option = pytestconfig.getoption
    profile = load_profile(option("--target") or ("any" if option("--base-url") else "mlx-router"))
    running = None
    if base_url := option("--base-url"):
        running = profile.at(base_url, option("--model"), option("--api-key"))
    with asyncio.Runner() as loop:
        servers = opened(profile, running)
        primary, scripted = loop.run(servers.__aenter__())
        runner = Runner(primary, scripted, profile)
        yield lambda check: loop.run(runner.result(check))
        loop.run(servers.__aexit__(None, None, None))


@pytest.mark.parametrize(
    "check", [pytest.param(check, id=check.id) for check in in_order(carried_out())]
)
def test_conformance(
    check: Check,
    result_of: Callable[[Check], Result],
    record_property: Callable[[str, object], None],
) -> None:
    result = result_of(check)
    match Verdict.of(result):
        case Verdict.FAILED:
            pytest.fail(_explained(result), pytrace=False)
        case Verdict.STALE:
            pytest.fail(STALE_HINT, pytrace=False)
        case Verdict.EXPECTED:
            pytest.xfail(result.expectation or "")
        case Verdict.SKIPPED:
            pytest.skip(result.actual)
        case Verdict.WARNING:
            record_property("warning", f"expected {result.expected}, got {result.actual}")


def _explained(result: Result) -> str:
    rows = {
        "requirement": result.check.requirement,
        "expected": result.expected,
        "actual": result.actual,
        "hint": result.hint,
        "repeat": exchange.curl(result.exchange),
    }
    return "\n".join(f"{name}: {value}" for name, value in rows.items() if value)
