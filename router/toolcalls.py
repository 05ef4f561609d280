"""Segments of one sequence -> the events of one choice.

A call is held until it is whole, because it must be parsed and validated before a client
may run it: what leaves here names an offered tool and fits its schema. Then it goes out in
pieces of at most 64 characters, so that no frame is large and clients that show arguments
as they come have something to show. What cannot be used is never lost: the model's own
text takes its place, and ``malformed`` counts it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from router.barecall import BareCall, BareCalls
from router.events import (
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallStart,
)
from router.frames import FinishReason, OutputFormat, TokenLogprob
from router.ids import new_id
from router.splitter import Segment, Splitter, Verdict
from router.toolformats import Malformed, RawCall, inside_value, parser
from router.toolschema import Toolbox

_PIECE = 64


class Assembler:
    """Feed it the pieces of one sequence; ``done`` means that nothing more may come.

    The caller then cancels the sequence and calls ``finish("stop")``. ``tools`` are those
    of the chat API; without any, call markup is ordinary text. ``parallel`` False lets one
    call out and no more. ``bare`` also finds calls written without the format's tags.
    ``must_call``: the answer is held to calls, so text at its cut is the beginning of one.
    """

    def __init__(
        self,
        format: OutputFormat,
        tools: list[dict[str, Any]],
        *,
        stop: tuple[str, ...] = (),
        reasoning_open: bool = False,
        parallel: bool = True,
        bare: bool = True,
        must_call: bool = False,
    ) -> None:
        self.malformed = 0
        self._tools = tools
        self._toolbox = Toolbox(tools)
        self._format = format.tool_parser or "json_tools"
        self._parse = parser(self._format)
        self._splitter = Splitter(
            format if tools else _without_calls(format),
            stop=stop,
            reasoning_open=reasoning_open,
            judge=self._judge,
        )
        self._bare = BareCalls(self._toolbox.names) if tools and bare else None
        self._parallel = parallel
        self._must_call = must_call
        self._calls = 0
        self._text = _Edges()
        self._thought = _Edges(trim=True)
        self._logprobs: list[TokenLogprob] = []
        self._out: list[Event] = []

    @property
    def done(self) -> bool:
        return self._splitter.stopped or self._full

    @property
    def reasoning_tokens(self) -> int:
        return self._splitter.reasoning_tokens

    @property
    def _full(self) -> bool:
        return self._calls > 0 and not self._parallel

    def feed(
        self, text: str, tokens: int = 1, logprobs: Sequence[TokenLogprob] = ()
    ) -> list[Event]:
        if not self.done:
            for segment in self._splitter.feed(text, tokens, logprobs):
                self._route(segment)
        return self._take()

    def finish(self, reason: FinishReason) -> list[Event]:
        """``length``: the engine ran out, and a call that was cut off leaves no trace."""
        cut = reason == "length"
        for segment in self._splitter.finish():
            if not (cut and self._must_call and segment.kind == "content"):
                self._route(segment, cut=cut)
        self._settle(cut=cut)
        self._emit_text(self._text.end())
        ending: Literal["stop", "length", "tool_calls"] = reason
        if self._calls and not cut:
            ending = "tool_calls"
        return [*self._take(), Finish(ending)]

    def _take(self) -> list[Event]:
        out, self._out = self._out, []
        return out

    def _route(self, segment: Segment, *, cut: bool = False) -> None:
        if self._full:
            return
        if segment.kind == "content":
            if not self._text.drops(segment.text):
                self._logprobs += segment.logprobs
            self._visible(self._bare.feed(segment.text) if self._bare else [segment.text])
            return
        self._settle()
        if segment.kind == "reasoning":
            self._think(segment)
        elif segment.closes or not cut:
            self._section(segment.text)

    def _settle(self, *, cut: bool = False) -> None:
        """Whatever looked like a bare call is decided when something else begins."""
        if self._bare:
            self._visible(self._bare.finish(cut=cut))

    def _visible(self, found: Sequence[str | BareCall]) -> None:
        for item in found:
            if self._full:
                return
            if isinstance(item, str):
                self._emit_text(self._text.feed(item))
            elif item.calls:
                self._offer(item.calls, item.raw)

    def _think(self, segment: Segment) -> None:
        self._text.interrupt()
        text = self._thought.feed(segment.text)
        if text:
            self._out.append(ReasoningDelta(text))
        if segment.closes:
            self._thought = _Edges(trim=True)

    def _section(self, text: str) -> None:
        calls = [] if inside_value(self._format, text) else self._calls_in(text)
        if calls:
            self._offer(calls, text)
        else:
            self._refuse(text)

    def _judge(self, section: str) -> Verdict:
        if inside_value(self._format, section):
            return "open"
        return "whole" if self._calls_in(section) else "broken"

    def _calls_in(self, section: str) -> list[RawCall]:
        try:
            return self._parse(section, self._tools)
        except Malformed:
            return []

    def _offer(self, calls: Sequence[RawCall], raw: str) -> None:
        for call in calls:
            if self._full:
                return
            arguments = self._toolbox.fit(call.name, call.arguments)
            if arguments is not None:
                self._emit_call(call.name, arguments)
            elif len(calls) == 1:
                self._refuse(raw)
            else:
                unusable = {"name": call.name, "arguments": call.arguments}
                self._refuse(json.dumps(unusable, ensure_ascii=False))

    def _refuse(self, raw: str) -> None:
        self.malformed += 1
        self._emit_text(self._text.feed(raw))

    def _emit_text(self, text: str) -> None:
        if text:
            self._out.append(TextDelta(text, tuple(self._logprobs)))
            self._logprobs.clear()

    def _emit_call(self, name: str, arguments: dict[str, Any]) -> None:
        self._text.interrupt(drop=True)
        self._logprobs.clear()
        index, self._calls = self._calls, self._calls + 1
        self._out.append(ToolCallStart(index, new_id("call_", 24), name))
        text = json.dumps(arguments, ensure_ascii=False)
        for start in range(0, len(text), _PIECE):
            self._out.append(ToolCallDelta(index, text[start : start + _PIECE]))


class _Edges:
    """Text whose outer whitespace is held until it is known what follows.

    ``trim`` drops the line breaks before the first visible character, as does an
    interruption (by a thought or a call) that came before it.
    """

    def __init__(self, *, trim: bool = False) -> None:
        self._space = ""
        self._trim = trim
        self._begun = False
        self._interrupted = False

    def feed(self, text: str) -> str:
        text = self._space + text
        body = text.rstrip()
        self._space = text[len(body) :]
        if not body:
            return ""
        if self._trim and not self._begun:
            lead = len(body) - len(body.lstrip())
            body = body[body.rfind("\n", 0, lead) + 1 :]
        self._begun = True
        self._interrupted = False
        return body

    def drops(self, text: str) -> bool:
        """Is this one of the leading line breaks that will never be shown?"""
        return self._trim and not self._begun and text.isspace() and "\n" in text

    def interrupt(self, *, drop: bool = False) -> None:
        self._trim = True
        self._interrupted = True
        if drop or not self._begun:
            self._space = ""

    def end(self) -> str:
        """What is held, unless something other than this text came last."""
        return "" if self._interrupted else self._space


def _without_calls(format: OutputFormat) -> OutputFormat:
    """The format as if the model had no calls: their markers are text like any other."""
    leaving = [marker for marker, _ in format.transitions.get("tool", ())]
    entering = [m for edges in format.transitions.values() for m, after in edges if after == "tool"]
    transitions = {
        state: [(marker, after) for marker, after in edges if after != "tool"]
        for state, edges in format.transitions.items()
        if state != "tool"
    }
    control = [token for token in format.control if token not in {*leaving, *entering}]
    return msgspec.structs.replace(format, transitions=transitions, control=control)
