"""Responses that are kept, in one SQLite file, so that clients can go on from them.

A row holds all that is needed to go on: the response, and every item before it. So a long
conversation survives the loss of its older responses, and one look-up is enough. The price is
that items repeat from row to row; the oldest rows go first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from router.errors import Internal
from router.responses.items import Item

log = logging.getLogger("router.responses")

T = TypeVar("T")

SCHEMA = """\
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA secure_delete = ON;
PRAGMA foreign_keys = ON;
CREATE TABLE IF NOT EXISTS responses (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS sizes ON responses (place, size);
CREATE TABLE IF NOT EXISTS items (
    id TEXT PRIMARY KEY,
    place INTEGER NOT NULL REFERENCES responses ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS places ON items (place);
"""

OVERFULL = "SELECT COUNT(*) > ? OR SUM(size) > ? FROM responses"
DROP_OLDEST = "DELETE FROM responses WHERE place = (SELECT MIN(place) FROM responses)"

COMPRESSION = 1
"""The quickest level: a coding agent's 40 kB become 15 with it, and 14 with the best."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A response as it was sent, and the items that it answers, the oldest first."""

    response: dict[str, Any]
    input: list[Item]

    @property
    def items(self) -> list[Item]:
        output: list[Item] = self.response["output"]
        return self.input + output


class ResponseStore:
    """At most ``most`` responses in ``most_bytes``: the oldest make way for new ones.

    All work is done on one thread, which owns the connection; the file is made with the first
    response, for its owner's eyes only. Raises Internal when it cannot be read or written.
    """

    def __init__(self, path: Path, *, most: int, most_bytes: int) -> None:
        self._path = path
        self._most = most
        self._most_bytes = most_bytes
        self._thread = ThreadPoolExecutor(1, "responses")
        self._opened: sqlite3.Connection | None = None

    async def save(self, kept: Kept) -> None:
        await self._do(lambda: self._save(kept))

    async def load(self, id: str) -> Kept | None:
        return await self._do(lambda: self._load(id))

    async def item(self, id: str) -> Item | None:
        """An item that came or went with one of the responses."""
        return await self._do(lambda: self._item(id))

    async def delete(self, id: str) -> bool:
        """False: there was none of this id."""
        return await self._do(lambda: self._delete(id))

    async def close(self) -> None:
        await self._do(self._close)
        self._thread.shutdown()

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError):
            log.exception("the responses kept in %s cannot be used", self._path)
            raise Internal(
                "The kept responses cannot be read or written; the server's log says why. Without"
                " `previous_response_id`, and with the whole conversation as `input`, the request"
                " needs none of them.",
                code="store_failed",
            ) from None

    # --- on the thread ---

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # SQLite gives its other files the permissions of the first.
            self._path.touch(0o600)
            self._path.chmod(0o600)
            with contextlib.ExitStack() as undo:
                db = undo.enter_context(contextlib.closing(sqlite3.connect(self._path)))
                db.executescript(SCHEMA)
                undo.pop_all()
            self._opened = db
        return self._opened

    def _save(self, kept: Kept) -> None:
        body = zlib.compress(msgspec.json.encode([kept.response, kept.input]), COMPRESSION)
        row = (kept.response["id"], len(body), body)
        with self._connection as db:
            insert = "INSERT INTO responses (id, size, body) VALUES (?, ?, ?)"
            place = db.execute(insert, row).lastrowid
            ids = [(item["id"], place) for item in kept.items]
            # The newest row that holds an item is the one that stays longest.
            db.executemany("INSERT OR REPLACE INTO items VALUES (?, ?)", ids)
            while db.execute(OVERFULL, (self._most, self._most_bytes)).fetchone()[0]:
                db.execute(DROP_OLDEST)

    def _load(self, id: str) -> Kept | None:
        return self._read("SELECT body FROM responses WHERE id = ?", id)

    def _item(self, id: str) -> Item | None:
        query = "SELECT body FROM responses JOIN items USING (place) WHERE items.id = ?"
        kept = self._read(query, id)
        return next((item for item in kept.items if item["id"] == id), None) if kept else None

    def _read(self, query: str, id: str) -> Kept | None:
        row = self._connection.execute(query, (id,)).fetchone()
        return Kept(*msgspec.json.decode(zlib.decompress(row[0]))) if row else None

    def _delete(self, id: str) -> bool:
        with self._connection as db:
            return db.execute("DELETE FROM responses WHERE id = ?", (id,)).rowcount > 0

    def _close(self) -> None:
        if self._opened:
            self._opened.close()
