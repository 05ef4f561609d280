"""Random texts of a grammar: every token is drawn from those that the grammar allows next."""

from __future__ import annotations

import random

import numpy as np
from llguidance import LLMatcher, LLTokenizer
from tokenizers import AddedToken, Tokenizer

TOKENS = 1500
"""More than a walk ever needs; one that gets there has met something without an end."""

FREE = 1000
"""Where more tokens than these are allowed, the text is free."""

ENDS = [
    *('"', "<escape>", '<|"|>'),
    *("</arg_value>", "</longcat_arg_value>", "</param>", "]]></param>", "</parameter>"),
    *("\n</parameter>", "</atem:parameter>", "<|close|>argument<|sep|>"),
]
"""What ends a value in some format: free text would never meet its end by chance."""


def vocabulary(tokenizer: Tokenizer, eos: str, special: tuple[str, ...] = ()) -> LLTokenizer:
    """The vocabulary of a tokenizer to which the special tokens have been added."""
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.add_special_tokens([AddedToken(text, special=True) for text in special])
    return LLTokenizer(copy.to_str(), eos_token=copy.token_to_id(eos))


def matcher(vocabulary: LLTokenizer, grammar: str) -> LLMatcher:
    made = LLMatcher(vocabulary, grammar)
    assert not made.is_error(), made.get_error()
    return made


def tokens_of(vocabulary: LLTokenizer, text: str) -> list[int]:
    return vocabulary.tokenize_str(text, parse_special=True)


def accepts(vocabulary: LLTokenizer, grammar: str, text: str) -> bool:
    """Is the whole text one that the grammar allows?"""
    found = matcher(vocabulary, grammar)
    tokens = tokens_of(vocabulary, text)
    return found.try_consume_tokens(tokens) == len(tokens) and found.is_accepting()


def walk(vocabulary: LLTokenizer, grammar: str, rng: random.Random) -> str:
    """One text from the grammar's beginning to an end of it."""
    state, taken = matcher(vocabulary, grammar), list[int]()
    ends = [tokens_of(vocabulary, end) for end in ENDS]
    while len(taken) < TOKENS:
        allowed = _allowed(state, vocabulary)
        if state.is_accepting() and (not allowed.size or rng.random() < 0.5):
            return _text(vocabulary, taken)
        assert allowed.size, state.get_error() or "a state from which no token leads on"
        following = [int(rng.choice(allowed))]
        if allowed.size > FREE and rng.random() < 0.5:
            following = _end(state, vocabulary, ends) or following
        assert state.consume_tokens(following), state.get_error()
        taken += following
    raise AssertionError(f"no end: {_text(vocabulary, taken)}")


def _allowed(state: LLMatcher, vocabulary: LLTokenizer) -> np.typing.NDArray[np.intp]:
    mask = np.frombuffer(state.compute_bitmask(), dtype=np.uint8)
    allowed = np.unpackbits(mask, bitorder="little").view(bool)
    allowed[vocabulary.eos_tokens] = False
    return np.flatnonzero(allowed)


def _end(state: LLMatcher, vocabulary: LLTokenizer, ends: list[list[int]]) -> list[int] | None:
    for end in ends:
        after = state.deep_copy()
        if after.try_consume_tokens(end) == len(end) and _allowed(after, vocabulary).size <= FREE:
            return end
    return None


def _text(vocabulary: LLTokenizer, tokens: list[int]) -> str:
    # A special token's bytes are its name behind a byte that is no UTF-8.
    return vocabulary.decode_bytes(tokens).replace(b"\xff", b"").decode()
