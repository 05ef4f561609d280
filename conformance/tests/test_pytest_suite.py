"""The checks under pytest: the same rule for what fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conformance.tests.refusing import refusing

ROOT = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:9/v1"
"""Nothing listens on the discard port."""


def suite(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "conformance/pytest_suite.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)


def test_a_check_is_a_test_and_a_failure_says_what_was_expected() -> None:
    ran = suite("--base-url", NOWHERE, "-k", "chat.schema or stream.incremental")
    assert ran.returncode == 1
    assert "requirement: A completion has the members of the reference" in ran.stdout
    assert "needs scripted" in ran.stdout
    assert "1 failed, 1 skipped" in ran.stdout


def test_the_profile_turns_a_failure_into_an_xfail() -> None:
    with refusing() as url:
        ran = suite(
            "--base-url", url, "--target", "mlx-lm-server", "-k", "chat.schema or chat.roles"
        )
    assert ran.returncode == 0
    assert "2 xfailed" in ran.stdout


def test_its_flags_are_those_of_the_command() -> None:
    told = suite("--help").stdout
    assert all(flag in told for flag in ("--base-url", "--model", "--target", "--api-key"))
