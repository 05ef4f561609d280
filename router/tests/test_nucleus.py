"""The nucleus found without sorting is mlx-lm's nucleus."""

import mlx.core as mx
import pytest
from mlx_lm.sample_utils import apply_top_p

from router.engine import nucleus


def normalised(rows: int, vocabulary: int, spread: float) -> mx.array:
    logits = mx.random.normal((rows, vocabulary), key=mx.random.key(7)) * spread
    return logits - mx.logsumexp(logits, axis=-1, keepdims=True)


def kept_tokens(ids: mx.array, logprobs: mx.array) -> list[set[int]]:
    kept = zip(ids.tolist(), logprobs.tolist(), strict=True)
    return [
        {i for i, value in zip(row, values, strict=True) if value > -mx.inf} for row, values in kept
    ]


@pytest.mark.parametrize("top_p", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize(
    ("vocabulary", "spread"),
    [
        pytest.param(49_152, 8.0, id="a sure model: the nucleus is among the likeliest"),
        pytest.param(49_152, 0.5, id="an unsure one: the nucleus is most of the vocabulary"),
        pytest.param(300, 2.0, id="a vocabulary smaller than the first look"),
    ],
)
def test_the_nucleus_is_mlx_lms(vocabulary: int, spread: float, top_p: float) -> None:
    logprobs = normalised(3, vocabulary, spread)
    ids, filtered = nucleus.candidates(logprobs, top_p)
    theirs = apply_top_p(logprobs, top_p)
    everything = mx.broadcast_to(mx.arange(vocabulary), logprobs.shape)
    for ours, expected in zip(
        kept_tokens(ids, filtered), kept_tokens(everything, theirs), strict=True
    ):
        # Sums of 49,152 float32 in another order move the edge by a few tokens of the tail.
        assert len(ours ^ expected) <= len(expected) // 500


def test_the_likeliest_token_is_always_kept_and_first() -> None:
    logprobs = normalised(4, 5000, 3.0)
    ids, filtered = nucleus.candidates(logprobs, 1e-6)
    assert [len(row) for row in kept_tokens(ids, filtered)] == [1, 1, 1, 1]
    assert ids[:, 0].tolist() == mx.argmax(logprobs, axis=-1).tolist()
