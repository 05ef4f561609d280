from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mlx_lm.tokenizer_utils import (
    NaiveStreamingDetokenizer,
    SPMStreamingDetokenizer,
    TokenizerWrapper,
)
from mlx_lm.tokenizer_utils import load as load_tokenizer
from tokenizers import Tokenizer
from tokenizers.decoders import Metaspace as Joined
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Metaspace
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from router.engine.sequence import detokenizer
from router.tests.conftest import MODEL

SPACE = "\N{LOWER ONE EIGHTH BLOCK}"
"""As sentencepiece writes it."""


def bytes_of_bpe(home: Path) -> TokenizerWrapper:
    """The embedded model's, which mlx-lm reads with its detokenizer for bytes in BPE."""
    return load_tokenizer(home / "models" / MODEL)


def naive(home: Path) -> TokenizerWrapper:
    tokenizer = AutoTokenizer.from_pretrained(home / "models" / MODEL)
    return TokenizerWrapper(tokenizer, NaiveStreamingDetokenizer)


def sentence_pieces(home: Path) -> TokenizerWrapper:
    words = {f"{SPACE}{word}": at for at, word in enumerate(["a", "Paris", "it"])}
    backend = Tokenizer(WordLevel(words, unk_token="a"))
    backend.pre_tokenizer = Metaspace()
    backend.decoder = Joined()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend)
    return TokenizerWrapper(tokenizer, SPMStreamingDetokenizer)


@pytest.mark.parametrize("made", [bytes_of_bpe, naive, sentence_pieces])
def test_a_text_that_goes_on_keeps_its_first_space(embedded_home: Path, made: Any) -> None:
    tokenizer = made(embedded_home)
    reader = detokenizer(tokenizer, goes_on=True)
    pieces = []
    for token in tokenizer.encode(" Paris it", add_special_tokens=False):
        reader.add_token(token)
        pieces.append(reader.last_segment)
    reader.finalize()
    assert "".join([*pieces, reader.last_segment]) == " Paris it"


def test_an_answer_begins_with_its_first_letter(embedded_home: Path) -> None:
    tokenizer = bytes_of_bpe(embedded_home)
    reader = detokenizer(tokenizer, goes_on=False)
    for token in tokenizer.encode(" Paris", add_special_tokens=False):
        reader.add_token(token)
    assert reader.last_segment == "Paris"
