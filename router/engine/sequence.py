"""One answer being generated: how its tokens are chosen, and what of it is not yet sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mlx_lm.tokenizer_utils import TokenizerWrapper

from router import frames
from router.engine.constraint import Constraint
from router.engine.sampling import Processor, Sampler


def detokenizer(tokenizer: TokenizerWrapper, *, goes_on: bool) -> Any:
    """mlx-lm's own, which drops the space that a text begins with. One that ``goes_on`` from its
    prompt needs it, so something comes before it that is not told."""
    made = tokenizer.detokenizer
    if goes_on:
        for token in tokenizer.encode("a", add_special_tokens=False):
            made.add_token(token)
        made.offset = len(made.text)
    return made


@dataclass(slots=True)
class Sequence:
    """``room``: tokens that it may still have. ``decoding``: its first token has been sampled."""

    request: frames.Generate
    index: int
    detokenizer: Any
    sampler: Sampler
    processors: list[Processor]
    constraint: Constraint | None
    room: int
    decoding: bool = False
    tokens: int = 0
    logprobs: list[frames.TokenLogprob] = field(default_factory=list)

    @property
    def wants_logprobs(self) -> bool:
        return self.request.sampling.top_logprobs is not None

    def take(self, token: int) -> None:
        self.detokenizer.add_token(token)
        self.tokens += 1

    def flush(self, *, last: bool = False) -> list[frames.Frame]:
        """A piece with the text that has come together, if any has."""
        if last:
            self.detokenizer.finalize()
        text = self.detokenizer.last_segment
        if last:  # a character cut off by the end of the answer is no text
            text = text.rstrip("\N{REPLACEMENT CHARACTER}")
        if not text and not (last and self.tokens):
            return []
        piece = frames.Piece(self.request.id, self.index, text, self.tokens, self.logprobs)
        self.tokens, self.logprobs = 0, []
        return [piece]

    def end(self, reason: frames.FinishReason) -> frames.Ended:
        return frames.Ended(self.request.id, self.index, reason)
