"""The text and bytes of single tokens, for logprobs."""

from __future__ import annotations

from functools import cached_property

import llguidance
import mlx.core as mx
from mlx_lm.tokenizer_utils import TokenizerWrapper

from router.frames import TokenLogprob, TopLogprob


class TokenTexts:
    """Names tokens as the OpenAI reference does: text, and the bytes when a token is only a
    part of a character. llguidance knows the bytes of every tokenizer family; its tables are
    built on first use, because few requests ask for logprobs."""

    def __init__(self, tokenizer: TokenizerWrapper, vocabulary: int) -> None:
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary

    @cached_property
    def _table(self) -> llguidance.LLTokenizer:
        return llguidance.LLTokenizer(
            self._tokenizer.backend_tokenizer.to_str(),
            n_vocab=self._vocabulary,
            eos_token=min(self._tokenizer.eos_token_ids),
        )

    def describe(self, token: int, logprobs: mx.array, top: int) -> TokenLogprob:
        """One sampled token with its ``top`` likeliest alternatives, best first.

        ``logprobs`` is ``[vocabulary]``, natural logarithms, as sampled from (after bias and
        penalties, before temperature).
        """
        best: list[TopLogprob] = []
        if top:
            candidates = mx.argpartition(-logprobs, kth=top - 1)[:top]
            ids = candidates.tolist()
            values = logprobs[candidates].tolist()
            ranked = sorted(zip(values, ids, strict=True), reverse=True)
            best = [TopLogprob(*self._named(i, value)) for value, i in ranked]
        text, value, raw = self._named(token, float(logprobs[token]))
        return TokenLogprob(text, value, raw, best)

    def _named(self, token: int, logprob: float) -> tuple[str, float, bytes]:
        raw = self._table.decode_bytes([token])
        # JSON has no -Infinity; OpenAI writes -9999.0 for "never".
        return raw.decode("utf-8", "backslashreplace"), max(logprob, -9999.0), raw
