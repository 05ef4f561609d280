"""Target profiles: what they may say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from conformance import checks  # noqa: F401  registers the checks
from conformance.check import REGISTRY
from conformance.target import PROFILES, Profile, load_profile

NAMES = sorted(path.stem for path in PROFILES.glob("*.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_names_checks_and_what_they_need(name: str) -> None:
    profile = load_profile(name)
    needs = {need for check in REGISTRY.values() for need in check.needs}
    assert profile.capabilities <= needs
    assert set(profile.expected) <= set(REGISTRY)
    assert all(profile.expected.values())


def test_an_unknown_profile_is_answered_with_the_known_ones() -> None:
    with pytest.raises(FileNotFoundError, match="known are any, llama-cpp, lmstudio"):
        load_profile("nobody")


def test_a_target_has_what_its_profile_says() -> None:
    profile = Profile("some", frozenset({"completions"}), context=8192)
    target = profile.at("http://host:1/v1/", "m", "key")
    assert (target.base_url, target.root) == ("http://host:1/v1", "http://host:1")
    assert (target.capabilities, target.context) == (profile.capabilities, 8192)


WAITING = """
import asyncio
from conformance.target import SCRIPTED, spawned

async def wait():
    async with spawned("scripted", SCRIPTED) as target:
        print(target.pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(wait())
"""


def test_a_run_that_is_ended_takes_its_router_along() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITING], stdout=subprocess.PIPE) as run:
        assert run.stdout
        router = int(run.stdout.readline())
        run.send_signal(signal.SIGTERM)
        assert run.wait(timeout=60) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(router, 0)
