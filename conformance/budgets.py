"""What latency may cost on this machine: the profiles of ``fixtures/budgets.toml``."""

from __future__ import annotations

import os
import platform
import tomllib
from pathlib import Path

from conformance.failure import NotApplicable
from conformance.session import Session

FILE = Path(__file__).parent.parent / "fixtures" / "budgets.toml"
VARIABLE = "CONFORMANCE_BUDGETS"


def budget(session: Session, name: str) -> float:
    """A budget of the profile in force. Raises NotApplicable where there is none."""
    profiles = tomllib.loads(FILE.read_text(encoding="utf-8"))
    profile = profile_name(session)
    if profile is None:
        raise NotApplicable(f"no budgets for this machine: {VARIABLE} names a profile")
    if profile not in profiles:
        raise NotApplicable(f"no profile {profile!r}; known are {', '.join(profiles)}")
    if name not in profiles[profile]:
        raise NotApplicable(f"the profile {profile} has no {name}")
    return float(profiles[profile][name])


def profile_name(session: Session) -> str | None:
    if "scripted" in session.target.capabilities:
        return "scripted-ci"
    if named := os.environ.get(VARIABLE):
        return named
    is_mac = (platform.system(), platform.machine()) == ("Darwin", "arm64")
    return "mac-small" if is_mac else None
