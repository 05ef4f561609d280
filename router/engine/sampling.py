"""Request parameters to an mlx-lm sampler and logits processors."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import mlx.core as mx
from mlx_lm.sample_utils import (
    apply_min_p,
    apply_top_k,
    apply_top_p,
    make_logits_processors,
    make_sampler,
)

from router.engine import nucleus
from router.frames import Sampling

Sampler = Callable[[mx.array], mx.array]
"""Log-probabilities ``[rows, vocabulary]`` to token ids ``[rows]``."""

Processor = Callable[[mx.array, mx.array], mx.array]
"""Token ids so far and logits ``[1, vocabulary]`` to new logits."""

ALL_OUTPUT = 1 << 30
"""A penalty looks back over the whole answer, not over mlx-lm's default of 20 tokens."""


def sampler(sampling: Sampling, sibling: int, vocabulary: int) -> Sampler:
    """The sampler of one sequence of a request, ``sibling`` of the ``n`` of its prompt.

    A seeded one carries its own random key, so seeds need no batch of their own, siblings
    differ, and what a prompt gets does not depend on the other prompts of its request.
    Unseeded ones are shared by their parameters: a batch whose rows share one sampler object
    is sampled in a single call.
    """
    top_k = sampling.top_k if sampling.top_k < vocabulary else 0
    # OpenAI's top_p 0 keeps the likeliest token; mlx-lm's turns the filter off.
    greedy = sampling.temperature == 0 or sampling.top_p == 0
    temperature = 0.0 if greedy else sampling.temperature
    if sampling.seed is None or greedy:
        return _shared(temperature, sampling.top_p, sampling.min_p, top_k)
    key = mx.random.key((sampling.seed + sibling) % (1 << 63))
    return _seeded(key, temperature, sampling.top_p, sampling.min_p, top_k)


@lru_cache(maxsize=256)
def _shared(temperature: float, top_p: float, min_p: float, top_k: int) -> Sampler:
    if temperature == 0:
        greedy: Sampler = make_sampler(temp=0)
        return greedy
    return lambda logprobs: _sample(logprobs, None, temperature, top_p, min_p, top_k)


def _seeded(key: mx.array, temperature: float, top_p: float, min_p: float, top_k: int) -> Sampler:
    def sample(logprobs: mx.array) -> mx.array:
        nonlocal key
        key, now = mx.random.split(key)
        return _sample(logprobs, now, temperature, top_p, min_p, top_k)

    return sample


def _sample(
    logprobs: mx.array,
    key: mx.array | None,
    temperature: float,
    top_p: float,
    min_p: float,
    top_k: int,
) -> mx.array:
    """One token a row, by mlx-lm's filters in mlx-lm's order, then the temperature."""
    ids = None
    if 0 < top_p < 1 and mx.default_device() == mx.cpu:
        ids, logprobs = nucleus.candidates(logprobs, top_p)
    elif 0 < top_p < 1:
        logprobs = apply_top_p(logprobs, top_p)
    if min_p > 0:
        logprobs = apply_min_p(logprobs, min_p)
    if 0 < top_k < logprobs.shape[-1]:
        logprobs = apply_top_k(logprobs, top_k)
    chosen = mx.random.categorical(logprobs / temperature, key=key)
    return chosen if ids is None else mx.take_along_axis(ids, chosen[:, None], axis=-1)[:, 0]


def processors(sampling: Sampling, prompt_tokens: int) -> list[Processor]:
    """Logit bias and penalties. Penalties count generated text only, as vLLM's do: mlx-lm
    hands processors the prompt as well, and a penalised prompt mutes its own subject.
    """
    bias: list[Processor] = make_logits_processors(logit_bias=sampling.logit_bias or None)
    penalties: list[Processor] = make_logits_processors(
        repetition_penalty=sampling.repetition_penalty
        if sampling.repetition_penalty != 1
        else None,
        repetition_context_size=ALL_OUTPUT,
        presence_penalty=sampling.presence_penalty or None,
        presence_context_size=ALL_OUTPUT,
        frequency_penalty=sampling.frequency_penalty or None,
        frequency_context_size=ALL_OUTPUT,
    )
    return bias + [_past_prompt(penalty, prompt_tokens) for penalty in penalties]


def _past_prompt(processor: Processor, prompt_tokens: int) -> Processor:
    return lambda tokens, logits: processor(tokens[prompt_tokens:], logits)
