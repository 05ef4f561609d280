"""Sources of recorded traffic: what is listed, and that nothing else is taken for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.replay.fetching import FetchError, fetched
from conformance.replay.sources import TIERS, Source, sources

NOTHING = Source("nothing", "1.0", 64 * "0", "MIT", 0.1, "minimal")


def test_a_larger_tier_has_all_of_a_smaller_one() -> None:
    minimal, core, everything = (set(sources(tier)) for tier in TIERS)
    assert minimal < core < everything


def test_every_source_is_pinned_and_may_be_used() -> None:
    listed = sources("all")
    assert all(len(source.sha256) == 64 for source in listed)
    assert {source.licence for source in listed} == {"MIT", "Apache-2.0"}
    assert len({source.sha256 for source in listed}) == len(listed)


def test_what_was_tampered_with_is_refused(tmp_path: Path) -> None:
    (tmp_path / NOTHING.sha256).mkdir()
    (tmp_path / NOTHING.sha256 / "nothing-1.0.tar.gz").write_bytes(b"something")
    with pytest.raises(FetchError, match="is not what was published"):
        fetched(NOTHING, tmp_path)


def test_what_cannot_be_had_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(FetchError, match=r"(?s)nothing 1\.0: .*No matching distribution"):
        fetched(NOTHING, tmp_path)
    assert list(tmp_path.iterdir()) == []
