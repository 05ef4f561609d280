"""Kept responses: found again after a restart, bounded, for their owner only."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from router.errors import Internal
from router.responses.items import page, whole
from router.responses.store import Kept, ResponseStore

T = TypeVar("T")
SECRET = "a very particular phrase"


def kept(id: str, *texts: str) -> Kept:
    """A response to these messages."""
    items = [whole({"type": "message", "role": "user", "content": text}) for text in texts]
    output = [{"id": f"msg_{id}", "type": "message", "role": "assistant", "content": []}]
    return Kept({"id": id, "output": output}, items)


def using(
    folder: Path,
    work: Callable[[ResponseStore], Awaitable[T]],
    *,
    most: int = 100,
    most_bytes: int = 1 << 20,
) -> T:
    """What ``work`` does with the store of a folder, which is closed afterwards."""

    async def run() -> T:
        store = ResponseStore(folder / "kept" / "r.db", most=most, most_bytes=most_bytes)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


def saved(folder: Path, *responses: Kept, **bounds: int) -> None:
    async def save(store: ResponseStore) -> None:
        for response in responses:
            await store.save(response)

    using(folder, save, **bounds)


def found(folder: Path, *ids: str) -> list[bool]:
    async def look(store: ResponseStore) -> list[bool]:
        return [await store.load(id) is not None for id in ids]

    return using(folder, look)


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    one = kept("resp_1", "h\u00e9llo", SECRET)
    saved(tmp_path, one)
    assert using(tmp_path, lambda store: store.load("resp_1")) == one
    assert one.items == [*one.input, *one.response["output"]]
    assert found(tmp_path, "resp_2") == [False]


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    async def modes(store: ResponseStore) -> set[int]:
        await store.save(kept("resp_1", SECRET))
        files = list((tmp_path / "kept").iterdir())
        assert len(files) > 1  # the log that is written ahead
        return {stat.S_IMODE(file.stat().st_mode) for file in files}

    assert using(tmp_path, modes) == {0o600}
    database = tmp_path / "kept" / "r.db"
    database.chmod(0o644)
    assert found(tmp_path, "resp_1") == [True]
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_the_oldest_make_way_for_new_ones(tmp_path: Path) -> None:
    ids = [f"resp_{number}" for number in range(5)]
    saved(tmp_path, *[kept(id, "hi") for id in ids], most=3)
    assert found(tmp_path, *ids) == [False, False, True, True, True]


def test_the_space_is_bounded(tmp_path: Path) -> None:
    # Nothing that compresses.
    texts = ["".join(chr(33 + (i * i * seed + i) % 9000) for i in range(2000)) for seed in range(4)]
    ids = [f"resp_{number}" for number in range(4)]
    rows = [kept(id, text) for id, text in zip(ids, texts, strict=True)]
    saved(tmp_path, *rows, most_bytes=9000)
    assert found(tmp_path, *ids) in ([False, False, True, True], [False, False, False, True])
    saved(tmp_path, kept("resp_9", "x" * 100), most_bytes=1)
    assert found(tmp_path, *ids, "resp_9") == [False] * 5


def test_what_is_deleted_is_gone_from_the_disk(tmp_path: Path) -> None:
    saved(tmp_path, kept("resp_1", "a"), kept("resp_2", "b"))

    async def delete(store: ResponseStore) -> list[bool]:
        return [await store.delete("resp_1"), await store.delete("resp_1")]

    before = (tmp_path / "kept" / "r.db").read_bytes()
    assert using(tmp_path, delete) == [True, False]
    after = (tmp_path / "kept" / "r.db").read_bytes()
    assert (b"resp_1" in before, b"resp_1" in after, b"resp_2" in after) == (True, False, True)
    assert found(tmp_path, "resp_1", "resp_2") == [False, True]


def test_items_are_found_by_their_ids(tmp_path: Path) -> None:
    first = kept("resp_1", "a")
    second = Kept(kept("resp_2").response, first.items)
    saved(tmp_path, first, second)

    async def look(store: ResponseStore) -> list[Any]:
        known = [await store.item(item["id"]) for item in second.items]
        await store.delete("resp_2")
        return [*known, await store.item("msg_resp_2"), await store.item("no such")]

    assert using(tmp_path, look) == [*second.items, None, None]


def test_two_routers_share_a_file(tmp_path: Path) -> None:
    async def share(store: ResponseStore) -> bool:
        other = ResponseStore(tmp_path / "kept" / "r.db", most=100, most_bytes=1 << 20)
        saves = [
            s.save(kept(f"resp_{i}{s is other}", "hi")) for i in range(20) for s in (store, other)
        ]
        await asyncio.gather(*saves)
        everywhere = await other.load("resp_0False") and await store.load("resp_19True")
        await other.close()
        return everywhere is not None

    assert using(tmp_path, share)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "r.db").write_text(SECRET * 100)
    for work in (lambda s: s.load("resp_1"), lambda s: s.save(kept("resp_1", "a"))):
        with pytest.raises(Internal) as failed:
            using(tmp_path, work)
        assert failed.value.code == "store_failed"
        assert str(tmp_path) not in failed.value.message


# --- pages of items ---

ITEMS: list[dict[str, Any]] = [{"id": name} for name in "abcde"]


@pytest.mark.parametrize(
    ("after", "limit", "order", "ids", "more"),
    [
        (None, 20, "desc", "edcba", False),
        (None, 2, "asc", "ab", True),
        ("b", 2, "asc", "cd", True),
        ("b", 3, "asc", "cde", False),
        ("b", 3, "desc", "a", False),
        ("e", 3, "asc", "", False),
    ],
)
def test_pages(after: str | None, limit: int, order: Any, ids: str, more: bool) -> None:
    listed = page(ITEMS, after=after, limit=limit, order=order)
    assert [item["id"] for item in listed["data"]] == list(ids)
    assert listed["has_more"] is more
    ends = (ids[0], ids[-1]) if ids else (None, None)
    assert (listed["first_id"], listed["last_id"]) == ends
