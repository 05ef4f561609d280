"""An engine without weights: it plays scripts of raw model text at a set speed.

It speaks the same frames as the MLX engine, from the same kind of process, so a crash, a
stall, a slow prefill or a token cut inside a marker can be played exactly. Its tokens are
words (see ``script``), its format is Hermes with ``<think>``, its context 8,192 tokens.
"""

from __future__ import annotations

import heapq
import os
import queue
import signal
import threading
import time
from dataclasses import dataclass, field

from router import frames
from router.engine import script as scripts
from router.engine.grammar.wanted import wanted
from router.engine.held import forbidden
from router.engine.link import Link
from router.engine.refusal import Refusal
from router.engine.script import Script

CONTEXT = 8192
NEVER = float("inf")
STATS_INTERVAL = 0.25
"""Seconds between two reports of token counts while scripts play."""

SHOWN = 80
"""Characters of a script that is refused, up to where it goes wrong."""

LOGPROB = -0.6931471805599453
"""Every token of a script is as likely as not."""

INFO = frames.ModelInfo(
    context_length=CONTEXT,
    format=frames.OutputFormat(
        transitions={
            "content": [("<think>", "reasoning"), ("<tool_call>", "tool")],
            "reasoning": [("</think>", "content")],
            "tool": [("</tool_call>", "content")],
        },
        control=["<|im_start|>", "<|im_end|>"],
        tool_parser="json_tools",
    ),
    dtype="text",
    device="script",
    template_knows_tools=True,
)


@dataclass(order=True, slots=True)
class Play:
    """One sequence on the stage; ordered by when its next token is due."""

    due: float
    serial: int
    request: frames.Generate = field(compare=False)
    index: int = field(compare=False)
    script: Script = field(compare=False)
    tokens: list[str] = field(compare=False)
    limit: int = field(compare=False)
    spoken: int = field(compare=False, default=0)


def run(link: Link, spec: frames.EngineSpec) -> None:
    """Serve until the HTTP process hangs up."""
    orders: queue.SimpleQueue[frames.ToEngine | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(link, orders), name="reader", daemon=True).start()
    link.send(frames.Ready(INFO))
    Stage(link, orders, spec.context_length or CONTEXT).run()


def _read(link: Link, orders: queue.SimpleQueue[frames.ToEngine | None]) -> None:
    for frame in link.receive():
        orders.put(frame)
    orders.put(None)


class Stage:
    """Plays any number of scripts at once, each token at its time."""

    def __init__(
        self,
        link: Link,
        orders: queue.SimpleQueue[frames.ToEngine | None],
        context_length: int,
    ) -> None:
        self._link = link
        self._orders = orders
        self._context_length = context_length
        self._plays: list[Play] = []
        self._serial = 0
        self._generated = 0
        self._report_due = 0.0

    def run(self) -> None:
        while self._obey():
            now = time.monotonic()
            while self._plays and self._plays[0].due <= now:
                self._speak(heapq.heappop(self._plays))
            if now >= self._report_due:
                self._report()

    def _obey(self) -> bool:
        """Take orders until the next token is due; False once the HTTP process is gone."""
        while True:
            due = self._plays[0].due if self._plays else NEVER
            wait = None if due == NEVER else max(0.0, due - time.monotonic())
            try:
                order = self._orders.get(timeout=wait)
            except queue.Empty:
                return True
            if order is None:
                return False
            if isinstance(order, frames.Cancel):
                self._cancel(order)
            else:
                self._admit(order)

    def _admit(self, request: frames.Generate) -> None:
        try:
            wanted(request)
            playlist = _playlist(request)
            sizes = self._sizes(request)
        except Refusal as error:
            refused = frames.Refused(request.id, str(error), error.code, error.param)
            self._link.send(refused)
            return
        self._link.send(
            frames.Admitted(
                request.id, sum(sizes), any(script.reasoning_open for script in playlist)
            ),
            frames.Prefilling(request.id, cached_tokens=0),
        )
        for index in range(request.sequences):
            room = self._context_length - sizes[index // request.n]
            self._enter(request, index, playlist[index], min(request.max_tokens or room, room))
        self._report()

    def _sizes(self, request: frames.Generate) -> list[int]:
        """The tokens of each prompt. Raises Refusal for one that fills the context."""
        sizes = _prompt_sizes(request)
        if max(sizes) < self._context_length:
            return sizes
        raise Refusal(
            f"This model's maximum context length is {self._context_length} tokens."
            f" However, your {_field(request)} resulted in {max(sizes)} tokens.",
            code="context_length_exceeded",
            param=_field(request),
        )

    def _enter(self, request: frames.Generate, index: int, script: Script, limit: int) -> None:
        due = time.monotonic() + script.prefill_ms / 1000
        play = Play(due, self._serial, request, index, script, script.tokens(), limit)
        self._serial += 1
        heapq.heappush(self._plays, play)

    def _cancel(self, order: frames.Cancel) -> None:
        self._plays = [
            play
            for play in self._plays
            if play.request.id != order.id or order.index not in (None, play.index)
        ]
        heapq.heapify(self._plays)
        self._report()

    def _speak(self, play: Play) -> None:
        """One token of one script, or its end."""
        mishap = play.script.mishap
        if mishap and play.spoken >= mishap.after:
            return self._suffer(play, mishap.kind)
        if play.spoken == len(play.tokens):
            return self._end(play, play.script.finish_reason)
        text = play.tokens[play.spoken]
        self._link.send(
            frames.Piece(play.request.id, play.index, text, 1, _logprobs(play.request, text))
        )
        self._generated += 1
        play.spoken += 1
        if play.spoken == play.limit:
            return self._end(play, "length")
        if play.script.rate:
            play.due += 1 / play.script.rate
        heapq.heappush(self._plays, play)
        return None

    def _suffer(self, play: Play, kind: str) -> None:
        if kind == "crash":
            self._link.close()
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "error":
            self._link.send(frames.Fault(play.request.id, "the script says so"))
            self._cancel(frames.Cancel(play.request.id))
        if kind == "stall":
            play.due = NEVER
            heapq.heappush(self._plays, play)

    def _end(self, play: Play, reason: frames.FinishReason) -> None:
        self._link.send(frames.Ended(play.request.id, play.index, reason))
        self._report()

    def _report(self) -> None:
        now = time.monotonic()
        waiting = sum(not play.spoken and play.due > now for play in self._plays)
        self._link.send(frames.Stats(len(self._plays) - waiting, waiting, self._generated))
        self._report_due = now + STATS_INTERVAL


def _playlist(request: frames.Generate) -> list[Script]:
    try:
        playlist = scripts.of(request)
    except ValueError as error:
        message = f"The script cannot be read: {error}"
        raise Refusal(message, code="invalid_value", param=_field(request)) from error
    for script in playlist:
        if script.held and (said := forbidden(script, request, INFO.format)):
            message = f"The request allows no answer that begins so: {said[-SHOWN:]}"
            raise Refusal(message, code="script_forbidden", param=_field(request))
    return playlist


def _field(request: frames.Generate) -> str:
    return "prompt" if request.prompts else "messages"


def _prompt_sizes(request: frames.Generate) -> list[int]:
    """Words of each raw prompt; or of the messages, their parts joined, and of the tools, as a
    template would write them."""
    if request.prompts:
        return [len(scripts.tokenize(scripts.words(prompt))) for prompt in request.prompts]
    messages = [{**m, "content": scripts.text(m)} for m in request.messages]
    return [sum(len(scripts.tokenize(str(part))) for part in (*messages, *request.tools))]


def _logprobs(request: frames.Generate, text: str) -> list[frames.TokenLogprob]:
    top = request.sampling.top_logprobs
    if top is None:
        return []
    raw = text.encode()
    return [frames.TokenLogprob(text, LOGPROB, raw, [frames.TopLogprob(text, LOGPROB, raw)][:top])]
