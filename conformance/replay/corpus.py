"""All recordings that can be had, each once, and what became of the rest."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

from conformance.client import Exchange, Received, Sent
from conformance.replay.answers import is_stream, made
from conformance.replay.cassettes import Interaction, in_archive, in_folder
from conformance.replay.fetching import FOLDER, fetched
from conformance.replay.genuine import HOST, REDACTED, doubt, endpoint
from conformance.replay.recording import Recording
from conformance.replay.sources import Source

COPY = "a copy of another recording"
BORROWED = "made by hand: its headers belong to another answer"
RAY = re.compile(r"[0-9a-f]{16}-[A-Z]{3}")
"""What OpenAI's edge calls a request: no other is called so."""


@dataclass
class Corpus:
    """``repeats`` ask what one of ``recordings`` asks, and were answered anew with a status of
    the same class. ``dropped``: how many interactions were not taken, by reason."""

    recordings: list[Recording] = field(default_factory=list)
    repeats: list[Recording] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    _asked: set[bytes] = field(default_factory=set)
    _answered: set[bytes] = field(default_factory=set)

    def add(self, source: str, cassette: str, told: list[Interaction]) -> None:
        """Take what is genuine in a cassette. A request that a later one of it builds upon is no
        repeat there."""
        for place, one in enumerate(told):
            if reason := doubt(one):
                self.dropped[reason] += 1
                continue
            asked = (one.method, endpoint(one), _canonical(one.body), one.status // 100)
            needed = _named(one, told[place + 1 :])
            repeat = _known(self._asked, asked) and not needed
            if _known(self._answered, (asked, one.answer)) and not needed:
                self.dropped[COPY] += 1
                continue
            recording = _recording(source, cassette, place, one)
            (self.repeats if repeat else self.recordings).append(recording)

    def drop_borrowed(self) -> None:
        """Drop what was made of another recording, and that one, too: which it is does not
        show."""
        asked: dict[str, set[tuple[str, str, bytes | None]]] = {}
        for one in (*self.recordings, *self.repeats):
            sent = one.exchange.sent
            asked.setdefault(_ray(one), set()).add((sent.method, sent.url, sent.body))
        for kept in (self.recordings, self.repeats):
            own = [one for one in kept if not _ray(one) or len(asked[_ray(one)]) == 1]
            if len(own) < len(kept):
                self.dropped[BORROWED] += len(kept) - len(own)
                kept[:] = own


def load(
    sources: Iterable[Source],
    folder: Path = FOLDER,
    say: Callable[[str], None] = lambda text: None,
) -> Corpus:
    """The recordings of the sources, which are downloaded if need be, four at once; ``say``
    hears of that. Raises FetchError."""
    corpus = Corpus()
    wanted = list(sources)
    with ThreadPoolExecutor(4) as pool:
        archives = list(pool.map(lambda source: fetched(source, folder, say), wanted))
    for source, archive in zip(wanted, archives, strict=True):
        for cassette, told in in_archive(archive):
            corpus.add(str(source), cassette, told)
    corpus.drop_borrowed()
    return corpus


def load_folder(folder: Path) -> Corpus:
    """The recordings of a folder of cassettes."""
    corpus = Corpus()
    for cassette, told in in_folder(folder):
        corpus.add(folder.name, cassette, told)
    corpus.drop_borrowed()
    return corpus


def _ray(recording: Recording) -> str:
    """Empty where it is hidden."""
    ray = recording.exchange.received.header("cf-ray") or ""
    return ray if RAY.fullmatch(ray) else ""


def _known(seen: set[bytes], what: object) -> bool:
    key = hashlib.sha256(repr(what).encode()).digest()
    known = key in seen
    seen.add(key)
    return known


def _canonical(body: bytes | None) -> bytes:
    """Keys in order: what the same request is under another name is up to its sender."""
    with contextlib.suppress(ValueError, TypeError):
        return json.dumps(json.loads(body or b""), sort_keys=True).encode()
    return body or b""


def _named(told: Interaction, later: list[Interaction]) -> bool:
    name = str(made(told.answer).get("id") or "")
    return bool(name) and any(
        name in one.url or name.encode() in (one.body or b"") for one in later
    )


def _recording(source: str, cassette: str, place: int, told: Interaction) -> Recording:
    query = urlsplit(told.url).query
    url = f"https://{HOST}/v1{endpoint(told)}" + (f"?{query}" if query else "")
    asked = {name: value for name, value in told.asked.items() if REDACTED not in value}
    answered = [(name, value) for name, value in told.answered if REDACTED not in value]
    restored = tuple(_restored(told, asked, answered))
    received = Received(told.status, answered, [(0.0, told.answer)], complete=True)
    exchange = Exchange(Sent(told.method, url, asked, told.body), received)
    name = f"{source.partition(' ')[0]}/{cassette}#{place}"
    return Recording(name, source, cassette, _day(told), exchange, restored)


def _restored(
    told: Interaction, asked: dict[str, str], answered: list[tuple[str, str]]
) -> Iterator[str]:
    """Put in what was hidden and shows all the same; names of it."""
    if told.url == REDACTED:
        yield "url"
    if dict(told.answered).get("content-type") == REDACTED:
        kind = "text/event-stream" if is_stream(told.answer) else "application/json"
        answered.append(("content-type", kind))
        yield "content-type"
    if told.asked.get("content-type") == REDACTED:
        asked["content-type"] = "application/json"


def _day(told: Interaction) -> date | None:
    answer = made(told.answer)
    seconds = answer.get("created_at", answer.get("created"))
    if isinstance(seconds, int | float):
        return datetime.fromtimestamp(seconds, UTC).date()
    with contextlib.suppress(ValueError):
        return parsedate_to_datetime(dict(told.answered).get("date", "")).date()
    return None
