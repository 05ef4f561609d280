"""The grammar of a whole answer: thoughts, text, tool calls, JSON."""

from __future__ import annotations

from router.engine.grammar.calls import CallFormat
from router.engine.grammar.lark import Lark
from router.engine.grammar.wanted import Wanted
from router.frames import OutputFormat

ANY_TEXT = r"/(.|\n)*/"

MOST_CALLS = 16
"""In one answer: a small model that has begun to repeat itself would fill the context with them."""

PLAIN_STATES = {"content", "reasoning", "tool"}
"""A format with more states, such as messages with headers, is not described here yet."""


def describable(format: OutputFormat) -> bool:
    states = {
        s for state, edges in format.transitions.items() for s in (state, *dict(edges).values())
    }
    return format.initial == "content" and states <= PLAIN_STATES


class AnswerGrammar:
    """Builds the grammar of one answer in the model's own format."""

    def __init__(
        self,
        format: OutputFormat,
        calls: CallFormat | None,
        special: dict[str, int],
        wanted: Wanted,
    ) -> None:
        self._format = format
        self._calls = calls
        self._wanted = wanted
        self._lark = Lark(special)

    def text(self, *, reasoning_open: bool) -> str:
        answer = self._answer()
        if reasoning_open:
            answer = f"{self._thought_end()} {answer}"
        elif marker := self._marker("content", "reasoning"):
            thought = f"{self._lark.literal(marker)} {self._thought_end()}"
            answer = f"({thought})? {answer}"
        return self._lark.grammar(answer)

    def _answer(self) -> str:
        if not self._wanted.functions:
            return self._json_or_text()
        if self._wanted.required:
            return self._only_calls()
        if self._wanted.schema is not None:
            return f"({self._only_calls()} | {self._json_or_text()})"
        return self._text_with_calls()

    def _json_or_text(self) -> str:
        schema = self._wanted.schema
        return self._free_text() if schema is None else self._lark.json(schema)

    def _only_calls(self) -> str:
        opener, rest = self._section()
        section = self._lark.rule(f"{self._lark.literal(opener)} {rest}")
        # Models that write each call in a section of its own put it on a line of its own.
        more = self._wanted.many and self._calls is not None and self._calls.between is None
        return f'{section} ("\\n"? {section}){{0,{MOST_CALLS - 1}}}' if more else section

    def _text_with_calls(self) -> str:
        opener, rest = self._section()
        if self._lark.is_special(opener):
            head = f"{self._free_text()} {self._lark.token(opener)}"
        else:
            head = self._until(opener, self._free_text())
        call = self._lark.rule(f"{head} {rest}")
        last = self._free_text(opener)
        return f"{call}{{0,{MOST_CALLS}}} {last}" if self._wanted.many else f"({last} | {call})"

    def _section(self) -> tuple[str, str]:
        """The marker that opens a tool section, and what follows it."""
        assert self._calls
        calls = self._calls.section(self._lark, self._wanted.functions, many=self._wanted.many)
        closer = self._marker("tool", "content")
        opener = self._marker("content", "tool")
        assert opener
        return opener, f"{calls} {self._lark.literal(closer)}" if closer else calls

    def _thought_end(self) -> str:
        """A thought up to and with its end. No call may be opened in it."""
        marker = self._marker("reasoning", "content")
        assert marker
        if self._lark.is_special(marker):
            return f"{self._thought()} {self._lark.token(marker)} {self._space()}"
        return f"{self._until(marker, self._thought())} {self._space()}"

    def _thought(self) -> str:
        return self._text_without(self._marker("content", "tool"))

    def _free_text(self, *without: str) -> str:
        """Text of the answer. A thought may only stand before it: one in the middle would be
        text to this grammar, and calls could be opened in it."""
        return self._text_without(self._marker("content", "reasoning"), *without)

    def _text_without(self, *markers: str | None) -> str:
        any_text = self._lark.terminal(ANY_TEXT)
        excluded = [
            f"& ~({any_text} {self._lark.literal(marker)} {any_text})"
            for marker in markers
            if marker and not self._lark.is_special(marker)  # text never matches a special token
        ]
        return self._lark.terminal(" ".join([any_text, *excluded])) if excluded else any_text

    def _until(self, marker: str, text: str) -> str:
        return self._lark.lazy(f"{text} {self._lark.literal(marker)}")

    def _space(self) -> str:
        return self._lark.terminal(r"/\n{0,2}/")

    def _marker(self, state: str, following: str) -> str | None:
        edges = self._format.transitions.get(state, ())
        return next((marker for marker, after in edges if after == following), None)
