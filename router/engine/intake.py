"""Frames from the HTTP process to orders for the batching loop, on a thread of their own.

Rendering, tokenizing and compiling grammars happen here, so that no sequence waits for them.
"""

from __future__ import annotations

import logging
import queue
from dataclasses import dataclass

from llguidance import LLMatcher

from router import frames
from router.engine.grammar.compiler import Compiler
from router.engine.link import Link
from router.engine.prompts import Prompt, Prompter
from router.engine.refusal import Refusal

log = logging.getLogger("router.engine")


class Hangup:
    """The HTTP process has gone."""


@dataclass(frozen=True, slots=True)
class Job:
    """A request that has become its prompts, and a grammar if it needs one, and may be
    admitted."""

    request: frames.Generate
    prompts: list[Prompt]
    grammar: LLMatcher | None


Order = Job | frames.Cancel | Hangup


Orders = queue.SimpleQueue[Order]


def take_requests(link: Link, prompter: Prompter, compiler: Compiler, orders: Orders) -> None:
    """Until the HTTP process hangs up. What cannot be answered is refused here, before it costs
    anything."""
    for frame in link.receive():
        if isinstance(frame, frames.Cancel):
            orders.put(frame)
            continue
        try:
            prompts = prompter.prompts(frame)
            reasoning_open = prompts[0].reasoning_open
            grammar = compiler.matcher(frame, reasoning_open=reasoning_open)
        except Refusal as error:
            link.send(frames.Refused(frame.id, str(error), error.code, error.param))
        except Exception:
            log.exception("request %d could not be turned into a prompt", frame.id)
            link.send(frames.Fault(frame.id, "the prompt could not be built"))
        else:
            tokens = sum(len(prompt.tokens) for prompt in prompts)
            link.send(frames.Admitted(frame.id, tokens, reasoning_open))
            orders.put(Job(frame, prompts, grammar))
    orders.put(Hangup())
