"""One answer being generated: how its tokens are chosen, and what of it is not yet sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from router import frames
from router.engine.constraint import Constraint
from router.engine.sampling import Processor, Sampler


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
