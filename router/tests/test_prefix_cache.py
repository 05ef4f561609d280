from __future__ import annotations

from typing import Any

import mlx.core as mx
import pytest
from mlx_lm.models.cache import ArraysCache, KVCache

from router.engine.prefix_cache import SHORTEST, PrefixCache


def kv(tokens: list[int]) -> list[Any]:
    """A cache of one layer whose keys are the tokens themselves."""
    layer = KVCache()
    keys = mx.array(tokens, dtype=mx.float32).reshape(1, 1, -1, 1)
    layer.update_and_fetch(keys, keys)
    return [layer]


def held(cache: list[Any]) -> list[int]:
    (layer,) = cache
    keys: list[int] = layer.keys[0, 0, : layer.offset, 0].astype(mx.int32).tolist()
    return keys


@pytest.fixture
def prefixes() -> PrefixCache:
    return PrefixCache(budget=1 << 20)


LONG = list(range(100, 100 + 2 * SHORTEST))


def test_nothing_is_known(prefixes: PrefixCache) -> None:
    assert prefixes.take(LONG) == (None, 0)


def test_a_prompt_that_goes_on(prefixes: PrefixCache) -> None:
    prefixes.put(LONG, kv(LONG))
    cache, shared = prefixes.take([*LONG, 1, 2])
    assert shared == len(LONG)
    assert held(cache or []) == LONG


def test_a_prompt_that_turns_off(prefixes: PrefixCache) -> None:
    prefixes.put(LONG, kv(LONG))
    cache, shared = prefixes.take([*LONG[:20], 1, 2])
    assert shared == 20
    assert held(cache or []) == LONG[:20]


def test_one_token_is_always_left_to_read(prefixes: PrefixCache) -> None:
    prefixes.put(LONG, kv(LONG))
    cache, shared = prefixes.take(LONG)
    assert shared == len(LONG) - 1
    assert held(cache or []) == LONG[:-1]


def test_what_is_taken_is_a_copy(prefixes: PrefixCache) -> None:
    prefixes.put(LONG, kv(LONG))
    first, _ = prefixes.take([*LONG, 1])
    extra = mx.full((1, 1, 4, 1), 7.0)
    (first or [])[0].update_and_fetch(extra, extra)
    second, _ = prefixes.take([*LONG, 1])
    assert held(second or []) == LONG


def test_the_longest_prefix_wins(prefixes: PrefixCache) -> None:
    other = [*LONG[:20], *range(500, 540)]
    prefixes.put(LONG, kv(LONG))
    prefixes.put(other, kv(other))
    assert prefixes.take([*other, 1])[1] == len(other)
    assert prefixes.take([*LONG, 1])[1] == len(LONG)


def test_a_longer_sequence_replaces_its_prefix(prefixes: PrefixCache) -> None:
    prefixes.put(LONG[:20], kv(LONG[:20]))
    prefixes.put(LONG, kv(LONG))
    assert len(prefixes) == 1


def test_a_short_prefix_is_not_worth_it(prefixes: PrefixCache) -> None:
    prefixes.put(LONG, kv(LONG))
    assert prefixes.take([*LONG[: SHORTEST - 1], 1, 2]) == (None, 0)


def test_a_cache_that_cannot_be_cut_serves_only_whole(prefixes: PrefixCache) -> None:
    state = ArraysCache(1)
    state[0] = mx.zeros((1, 4))
    prefixes.put(LONG, [state])
    assert prefixes.take([*LONG[:20], 1, 2]) == (None, 0)
    assert prefixes.take([*LONG, 1])[1] == len(LONG)


def test_the_budget_is_kept_by_dropping_the_least_recently_used() -> None:
    size = kv(LONG)[0].nbytes
    prefixes = PrefixCache(budget=2 * size)
    first, second, third = ([n, *LONG] for n in (1, 2, 3))
    for tokens in (first, second):
        prefixes.put(tokens, kv(tokens))
    prefixes.take([*first, 9])
    prefixes.put(third, kv(third))
    assert prefixes.nbytes <= 2 * size
    assert prefixes.take([*first, 9])[1] == len(first)
    assert prefixes.take([*second, 9]) == (None, 0)


def test_no_budget_no_cache() -> None:
    prefixes = PrefixCache(budget=0)
    prefixes.put(LONG, kv(LONG))
    assert len(prefixes) == 0
