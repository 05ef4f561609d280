"""Text pieces of one sequence -> segments: what is answer, what is thought, what is a call.

A marker or a stop string can be cut anywhere between two pieces, so text is held back for
as long as it may still turn into one, and not a character longer: ``is 3 <`` keeps its
``<``, either as soon as the next piece shows that no marker follows or in ``finish``.

At each position the longest marker wins, and the leftmost match wins over later ones.
That depends on the text alone: however the pieces are cut, the same segments come out.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from router.frames import OutputFormat, TokenLogprob

Kind = Literal["content", "reasoning", "tool"]

_KINDS: dict[str, Kind] = {"content": "content", "reasoning": "reasoning", "tool": "tool"}

Verdict = Literal["whole", "open", "broken"]
"""What a tool section is that ends here: a call; a call cut inside one of its values; junk."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text of one kind. A tool section always comes as one segment.

    ``closes``: the section's end marker was seen. A tool segment without it ran into the
    end of the sequence.
    """

    kind: Kind
    text: str
    logprobs: tuple[TokenLogprob, ...] = ()
    closes: bool = False


class Splitter:
    """The state machine over ``format.transitions``, for one sequence.

    Stop strings count in visible content only. ``judge`` lets a tool section run over an
    end marker that is part of a call's string: asked at each end marker, ``open`` looks
    on to the next one, and ``broken`` (or the end of the text) goes back to the first.
    Text in a state that is no ``Kind``, such as a message header, is dropped.
    """

    def __init__(
        self,
        format: OutputFormat,
        *,
        stop: tuple[str, ...] = (),
        reasoning_open: bool = False,
        judge: Callable[[str], Verdict] | None = None,
    ) -> None:
        self.stopped = False
        self.reasoning_tokens = 0
        self._edges = {
            state: {marker: following for marker, following in edges if marker}
            for state, edges in format.transitions.items()
        }
        self._hidden = {marker for edges in self._edges.values() for marker in edges}
        self._hidden.update(filter(None, format.control))
        self._stop = frozenset(filter(None, stop))
        self._judge = judge
        self._matchers: dict[str, Matcher] = {}
        self._enter("reasoning" if reasoning_open else format.initial)
        self._buffer = ""
        self._section = ""
        self._first_end: tuple[int, str] | None = None
        self._ledger = _Ledger()

    def feed(
        self, text: str, tokens: int = 1, logprobs: Sequence[TokenLogprob] = ()
    ) -> list[Segment]:
        """``tokens`` count as reasoning when the piece begins inside a thought."""
        if self.stopped:
            return []
        if self._state == "reasoning":
            self.reasoning_tokens += tokens
        self._ledger.add(len(text), logprobs)
        self._buffer += text
        return self._drain()

    def finish(self) -> list[Segment]:
        """No more text comes: what was held back is what it is."""
        segments = self._drain(final=True)
        if self._first_end and self._verdict() != "whole":
            self._go_back(segments)
            segments += self._drain(final=True)
        if self._section:
            segments.append(Segment("tool", self._section))
            self._section = ""
        return segments

    def _drain(self, *, final: bool = False) -> list[Segment]:
        segments: list[Segment] = []
        while self._buffer:
            length, marker = self._matcher.find(self._buffer, final=final)
            text, self._buffer = self._buffer[:length], self._buffer[length:]
            self._emit(text, segments)
            if marker is None:
                break
            self._buffer = self._buffer[len(marker) :]
            self._ledger.take(len(marker), visible=False)
            self._cross(marker, segments)
        return segments

    def _emit(self, text: str, segments: list[Segment]) -> None:
        logprobs = self._ledger.take(len(text), visible=self._state == "content")
        kind = _KINDS.get(self._state)
        if kind == "tool":
            self._section += text
        elif kind and text:
            segments.append(Segment(kind, text, logprobs))

    def _cross(self, marker: str, segments: list[Segment]) -> None:
        if self._state == "content" and marker in self._stop:
            self.stopped = True
            self._buffer = ""
            return
        following = self._edges.get(self._state, {}).get(marker, self._state)
        if self._state == "tool":
            self._end_section(marker, following, segments)
            return
        if self._state == "reasoning" and following != "reasoning":
            segments.append(Segment("reasoning", "", closes=True))
        self._enter(following)

    def _end_section(self, marker: str, following: str, segments: list[Segment]) -> None:
        verdict = self._verdict()
        if verdict == "open":
            self._first_end = self._first_end or (len(self._section), marker)
            self._section += marker
        elif verdict == "broken" and self._first_end:
            self._section += marker
            self._go_back(segments)
        else:
            segments.append(Segment("tool", self._section, closes=True))
            self._section, self._first_end = "", None
            self._enter(following)

    def _go_back(self, segments: list[Segment]) -> None:
        """Close the section at its first end marker and split what follows once more.

        Only once for each sequence, so that the time stays linear in the text.
        """
        assert self._first_end
        length, marker = self._first_end
        segments.append(Segment("tool", self._section[:length], closes=True))
        again = self._section[length + len(marker) :]
        self._ledger.give_back(len(again))
        self._buffer = again + self._buffer
        self._section, self._first_end, self._judge = "", None, None
        self._enter(self._edges["tool"][marker])

    def _verdict(self) -> Verdict:
        return self._judge(self._section) if self._judge else "whole"

    def _enter(self, state: str) -> None:
        self._state = state
        if state not in self._matchers:
            edges = self._edges.get(state, {})
            # A call may use special tokens inside its section, and its parser needs them.
            texts = set(edges) if state == "tool" else self._hidden | set(edges)
            if state == "content":
                texts |= self._stop
            self._matchers[state] = matcher(frozenset(texts))
        self._matcher = self._matchers[state]


class Matcher:
    """Finds the first of many texts in a buffer that still grows at its end."""

    def __init__(self, texts: frozenset[str]) -> None:
        self._sorted = sorted(texts)
        self._longest = max(map(len, texts), default=0)
        longest_first = sorted(self._sorted, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if texts else None

    def find(self, buffer: str, *, final: bool) -> tuple[int, str | None]:
        """The length of the text that is safe to let go, and the match behind it.

        No match: the rest may be the beginning of one (never so when ``final``).
        """
        if self._pattern is None:
            return len(buffer), None
        held = len(buffer) if final else self._held_from(buffer)
        hit = self._pattern.search(buffer)
        if hit and hit.start() < held:
            return hit.start(), hit.group()
        return held, None

    def _held_from(self, buffer: str) -> int:
        for start in range(max(0, len(buffer) - self._longest + 1), len(buffer)):
            tail = buffer[start:]
            # The texts that begin with the tail follow it in sorted order.
            place = bisect_left(self._sorted, tail)
            if place < len(self._sorted) and self._sorted[place] == tail:
                place += 1
            if place < len(self._sorted) and self._sorted[place].startswith(tail):
                return start
        return len(buffer)


@lru_cache(maxsize=64)
def matcher(texts: frozenset[str]) -> Matcher:
    """One model's markers are the same for all requests without stop strings of their own."""
    return Matcher(texts)


class _Ledger:
    """Which token's logprobs belong to which characters.

    Entries leave with the last character of their piece, if all of it was visible: a token
    that is half a marker must not show that half. Pieces without text (an unfinished
    character) wait for the next one that has some.
    """

    def __init__(self) -> None:
        self._pieces: deque[tuple[int, int, tuple[TokenLogprob, ...]]] = deque()
        self._waiting: tuple[TokenLogprob, ...] = ()
        self._fed = 0
        self._taken = 0
        self._spoilt = False

    def add(self, length: int, logprobs: Sequence[TokenLogprob]) -> None:
        self._waiting += tuple(logprobs)
        if length and self._waiting:
            self._pieces.append((self._fed, self._fed + length, self._waiting))
            self._waiting = ()
        self._fed += length

    def take(self, length: int, *, visible: bool) -> tuple[TokenLogprob, ...]:
        self._taken += length
        claimed: tuple[TokenLogprob, ...] = ()
        while self._pieces and self._pieces[0][0] < self._taken:
            _, end, logprobs = self._pieces[0]
            self._spoilt = self._spoilt or (length > 0 and not visible)
            if end > self._taken:
                break
            if not self._spoilt:
                claimed += logprobs
            self._pieces.popleft()
            self._spoilt = False
        return claimed

    def give_back(self, length: int) -> None:
        self._taken -= length
