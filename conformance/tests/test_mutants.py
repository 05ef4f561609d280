"""Every check catches the server that breaks its requirement, and no other check does."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from conformance import checks  # noqa: F401  registers the checks
from conformance.check import carried_out
from conformance.frameworks import given
from conformance.runner import Result, Runner
from conformance.session import Session
from conformance.target import SCRIPTED, Profile, Target, spawned
from conformance.tests.features import LAYERS
from conformance.tests.mutation import MUTANTS, Mutant, spoiled

for _module in sorted(Path(__file__).parent.glob("mutants_*.py")):
    import_module(f"conformance.tests.{_module.stem}")

STRICT = Profile("mutant", SCRIPTED)
OPENAI = given([f"openai={sys.executable}"])[0]
"""The one framework that needs no environment of its own."""

CHECKS = {check.id: check for check in carried_out([OPENAI])}


@pytest.fixture(scope="session")
def upstream() -> Iterator[Target]:
    """The correct server that all mutants spoil."""
    with asyncio.Runner() as runner:
        server = spawned("scripted", SCRIPTED)
        yield runner.run(server.__aenter__())
        runner.run(server.__aexit__(None, None, None))


def judged(
    upstream: Target, mutant: Mutant, section: str, without: frozenset[str] = frozenset()
) -> list[Result]:
    """The results of a section's checks against the mutant."""

    async def run() -> list[Result]:
        async with spoiled(upstream.root, mutant) as root:
            able = upstream.capabilities | mutant.features
            target = replace(upstream, base_url=f"{root}/v1", capabilities=able)
            chosen = [c for c in CHECKS.values() if c.section == section and c.id not in without]
            session = Session(target, lambda root: spoiled(root, mutant))
            runner = Runner(session, None, STRICT, strict=True, patience=2)
            return await runner.run(chosen, lambda result: None)

    return asyncio.run(run())


SLOW = frozenset(
    {
        *("auth.constant_paths", "auth.required", "cancel.queued", "err.no_retry_hint"),
        *("err.queue_full", "fw.errors[openai]", "fw.examples[openai]", "fw.memory[openai]"),
        *("fw.parallel[openai]", "fw.usage[openai]", "http.cors_preflight", "lat.goodput"),
        *("lat.loop_free", "lat.overhead_token", "life.cold_start", "life.shutdown"),
        *("responses.cancelled", "responses.heartbeat", "responses.incremental"),
        "stream.heartbeat",
    }
)
"""Left out where another check is meant: they wait for clocks, or start servers and programs."""


def test_every_check_has_a_mutant() -> None:
    assert sorted(set(CHECKS) - set(MUTANTS)) == []


def test_every_mutant_has_a_check() -> None:
    assert sorted(set(MUTANTS) - set(CHECKS)) == []


def servers() -> list[Any]:
    """The correct server for each section, and each layer for the sections that need it."""
    chosen = []
    for section in sorted({check.section for check in CHECKS.values()}):
        needs = {need for c in CHECKS.values() if c.section == section for need in c.needs}
        chosen.append(pytest.param(section, Mutant, id=section))
        chosen += [
            pytest.param(section, layer, id=f"{section}-{layer.__name__}")
            for layer in LAYERS
            if layer.features & needs
        ]
    return chosen


def _without_use_for(layer: type[Mutant]) -> frozenset[str]:
    """The checks that the server passes or fails without the layer, as well."""
    if not layer.features:
        return frozenset()
    return frozenset(c.id for c in CHECKS.values() if not layer.features & set(c.needs))


@pytest.mark.parametrize(("section", "layer"), servers())
def test_the_correct_server_passes(upstream: Target, section: str, layer: type[Mutant]) -> None:
    results = judged(upstream, layer(), section, _without_use_for(layer))
    failed = [r for r in results if r.outcome in ("fail", "warn")]
    assert [(r.check.id, r.expected, r.actual) for r in failed] == []


def complaints(upstream: Target, check_id: str) -> list[str]:
    """What is wrong with a check, as its mutant shows."""
    mutant = MUTANTS[check_id]()
    results = judged(upstream, mutant, CHECKS[check_id].section, SLOW - {check_id})
    failed = {r.check.id: r for r in results if r.outcome in ("fail", "warn")}
    missed = [] if check_id in failed else [f"{check_id} does not catch its mutant"]
    others = [failed[name] for name in sorted(set(failed) - {check_id, *mutant.also})]
    return missed + [f"{r.check.id} fails, too: {r.expected}, not {r.actual}" for r in others]


@pytest.mark.parametrize("check_id", sorted(MUTANTS))
def test_a_mutant_fails_exactly_its_check(upstream: Target, check_id: str) -> None:
    assert complaints(upstream, check_id) == []


async def sees_nothing(session: Session) -> None:
    return


@pytest.mark.parametrize(
    ("check_id", "blind"),
    [
        ("models.list_shape", {"run": sees_nothing}),
        ("stream.role_once", {"judge": lambda transcript: None}),
    ],
)
def test_a_check_that_always_passes_is_found_out(
    upstream: Target, monkeypatch: pytest.MonkeyPatch, check_id: str, blind: dict[str, Any]
) -> None:
    monkeypatch.setitem(CHECKS, check_id, replace(CHECKS[check_id], **blind))
    assert complaints(upstream, check_id) == [f"{check_id} does not catch its mutant"]
