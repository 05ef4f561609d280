"""What is known so far of a replay, kept in a file if wanted: a run of an hour can be gone on
with."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from conformance.replay.outcome import Outcome
from conformance.replay.recording import Recording


class Journal:
    """``file`` has a line of JSON for each outcome. What is known of other recordings than
    these is left alone there."""

    def __init__(self, file: Path | None, recordings: Iterable[Recording]) -> None:
        self._file = file
        known = {one.id: one for one in _read(file)} if file else {}
        asked = [recording.id for recording in recordings]
        self._outcomes = {name: known[name] for name in asked if name in known}

    @property
    def outcomes(self) -> list[Outcome]:
        return list(self._outcomes.values())

    def knows(self, recordings: Iterable[Recording]) -> bool:
        """All of them?"""
        return all(recording.id in self._outcomes for recording in recordings)

    def add(self, outcome: Outcome) -> None:
        """The first outcome of a recording stays: a cassette that was broken off is begun anew,
        because its requests build on each other."""
        if outcome.id in self._outcomes:
            return
        self._outcomes[outcome.id] = outcome
        if self._file:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{outcome.line()}\n")


def _read(file: Path) -> list[Outcome]:
    """A last line that was not finished is cut off."""
    if not file.exists():
        return []
    text = file.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        file.write_text(whole, encoding="utf-8")
    return [Outcome.of(line) for line in whole.splitlines()]
