"""The batching loop: one thread owns MLX and advances every sequence together.

Three threads. This one loads the model, steps the batch and frees it. A second renders and
tokenizes prompts. A third (in ``link``) writes to the socket. They meet in two queues.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlx.core as mx
import msgspec
from mlx_lm.generate import BatchGenerator

from router import embedded, frames
from router.engine import model as models
from router.engine import sampling
from router.engine.link import Link
from router.engine.prefix_cache import PrefixCache
from router.engine.prompts import Prompt, Prompter, PromptError
from router.engine.tokentext import TokenTexts

STATS_INTERVAL = 0.25
"""Seconds between two reports of token counts while sequences run."""

METAL_PREFILL_CHUNK = 512
CPU_PREFILL_CHUNK = 64
"""Tokens. Nothing is heard and no other stream advances while a chunk is read. On the CPU its
size does not change the speed of reading (108 tokens a second at 64, 101 at 512)."""

log = logging.getLogger("router.engine")


class Hangup:
    """The HTTP process has gone."""


@dataclass(frozen=True, slots=True)
class Job:
    """A request that has become a prompt and may be admitted."""

    request: frames.Generate
    prompt: Prompt


Order = Job | frames.Cancel | Hangup


@dataclass(slots=True)
class Sequence:
    """One answer being generated: where its tokens go."""

    request: frames.Generate
    index: int
    detokenizer: Any
    tokens: int = 0
    logprobs: list[frames.TokenLogprob] = field(default_factory=list)


def run(link: Link, spec: frames.EngineSpec) -> None:
    """Load the model, say so, serve until the HTTP process hangs up."""
    try:
        loaded = models.load(_prepared(spec, link))
    except Exception as error:
        link.send(frames.LoadFailed(f"{type(error).__name__}: {error}"))
        return
    mx.random.seed(int.from_bytes(os.urandom(4), "big"))
    orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
    loop = Loop(loaded, link, orders, spec)
    prompter = Prompter(loaded.tokenizer, loaded.info)
    threading.Thread(
        target=_take_requests, args=(link, prompter, orders), name="prompts", daemon=True
    ).start()
    link.send(frames.Ready(loaded.info))
    loop.run()


def _prepared(spec: frames.EngineSpec, link: Link) -> frames.EngineSpec:
    """With the path of the embedded model, which is converted on its first use."""
    if spec.embedded_home is None:
        return spec
    path = embedded.ensure(
        Path(spec.embedded_home),
        lambda stage, fraction: link.send(frames.Loading(stage, fraction)),
    )
    return msgspec.structs.replace(spec, path=str(path))


def _take_requests(link: Link, prompter: Prompter, orders: queue.SimpleQueue[Order]) -> None:
    """The second thread: requests become prompts, or are refused before they cost anything."""
    for frame in link.receive():
        if isinstance(frame, frames.Cancel):
            orders.put(frame)
            continue
        try:
            prompt = prompter.prompt(frame)
        except PromptError as error:
            link.send(frames.Refused(frame.id, str(error), error.code, error.param))
        except Exception:
            log.exception("request %d could not be turned into a prompt", frame.id)
            link.send(frames.Fault(frame.id, "the prompt could not be built"))
        else:
            link.send(frames.Admitted(frame.id, len(prompt.tokens), prompt.reasoning_open))
            orders.put(Job(frame, prompt))
    orders.put(Hangup())


class Loop:
    """Continuous batching over mlx-lm's BatchGenerator."""

    def __init__(
        self,
        loaded: models.Loaded,
        link: Link,
        orders: queue.SimpleQueue[Order],
        spec: frames.EngineSpec,
    ) -> None:
        self._tokenizer = loaded.tokenizer
        self._vocabulary = len(loaded.tokenizer)
        self._texts = TokenTexts(loaded.tokenizer, self._vocabulary)
        self._model = loaded.model
        self._spec = spec
        self._link = link
        self._orders = orders
        self._generator = self._new_generator()
        self._prefixes = PrefixCache(spec.prefix_cache)
        self._sequences: dict[int, Sequence] = {}
        self._decoding: set[int] = set()
        self._generated = 0
        self._reported: frames.Stats | None = None
        self._report_due = 0.0
        self._open = True

    def run(self) -> None:
        while self._open:
            self.step()

    def step(self) -> None:
        """Orders in, one token for every sequence and one chunk of prefill, frames out."""
        self._obey(wait=not self._sequences)
        try:
            _, responses = self._generator.next()
        except Exception:
            log.exception("a generation step failed; its %d sequences end", len(self._sequences))
            self._fail_all()
        else:
            self._link.send(*[frame for r in responses for frame in self._frames(r)])
        self._report()

    # --- orders ---

    def _obey(self, *, wait: bool) -> None:
        """Carry out what has been asked; with nothing to generate, wait for something."""
        with contextlib.suppress(queue.Empty):
            if wait:
                self._carry_out(self._orders.get())
            while self._open:
                self._carry_out(self._orders.get_nowait())

    def _carry_out(self, order: Order) -> None:
        if isinstance(order, Job):
            self._admit(order)
        elif isinstance(order, frames.Cancel):
            self._cancel(order)
        else:
            self._open = False

    def _admit(self, job: Job) -> None:
        request = job.request
        try:
            uids = self._insert(request, job.prompt)
        except Exception:
            log.exception("request %d could not join the batch", request.id)
            self._link.send(frames.Fault(request.id, "the request could not join the batch"))
            return
        for index, uid in enumerate(uids):
            self._sequences[uid] = Sequence(request, index, self._tokenizer.detokenizer)

    def _insert(self, request: frames.Generate, prompt: Prompt) -> list[int]:
        n = request.n
        found = [self._prefixes.take(prompt.tokens) for _ in range(n)]
        cached = found[0][1]
        uids: list[int] = self._generator.insert(
            [prompt.tokens[cached:] for _ in range(n)],
            max_tokens=[prompt.max_tokens] * n,
            caches=[cache for cache, _ in found] if cached else None,
            all_tokens=[prompt.tokens[:cached] for _ in range(n)],
            samplers=[sampling.sampler(request.sampling, i, self._vocabulary) for i in range(n)],
            logits_processors=[
                sampling.processors(request.sampling, len(prompt.tokens)) for _ in range(n)
            ],
        )
        self._link.send(frames.Prefilling(request.id, cached))
        return uids

    def _cancel(self, order: frames.Cancel) -> None:
        uids = [
            uid
            for uid, sequence in self._sequences.items()
            if sequence.request.id == order.id and order.index in (None, sequence.index)
        ]
        removed = self._generator.remove(uids, return_prompt_caches=True)
        for cache, tokens in removed.values():
            self._prefixes.put(tokens, cache)
        self._forget(uids)

    # --- tokens ---

    def _frames(self, response: Any) -> list[frames.Frame]:
        """What one new token of one sequence tells the client."""
        sequence = self._sequences[response.uid]
        self._generated += 1
        self._decoding.add(response.uid)
        stopped = response.finish_reason == "stop"
        if not stopped:  # the token that stops a text is no part of it
            self._take(sequence, response)
        out: list[frames.Frame] = []
        if response.finish_reason is None:
            if text := sequence.detokenizer.last_segment:
                out.append(self._piece(sequence, text))
            return out
        sequence.detokenizer.finalize()
        # A character cut off by the end of the answer is no text.
        text = sequence.detokenizer.last_segment.rstrip("\N{REPLACEMENT CHARACTER}")
        if text or sequence.tokens:
            out.append(self._piece(sequence, text))
        out.append(
            frames.Ended(sequence.request.id, sequence.index, "stop" if stopped else "length")
        )
        self._prefixes.put(response.all_tokens, response.prompt_cache)
        self._forget([response.uid])
        return out

    def _take(self, sequence: Sequence, response: Any) -> None:
        sequence.detokenizer.add_token(response.token)
        sequence.tokens += 1
        top = sequence.request.sampling.top_logprobs
        if top is not None:
            sequence.logprobs.append(self._texts.describe(response.token, response.logprobs, top))

    def _piece(self, sequence: Sequence, text: str) -> frames.Piece:
        piece = frames.Piece(
            sequence.request.id, sequence.index, text, sequence.tokens, sequence.logprobs
        )
        sequence.tokens, sequence.logprobs = 0, []
        return piece

    # --- failure and bookkeeping ---

    def _fail_all(self) -> None:
        """A step that raises leaves the batch in an unknown state: end it, start afresh."""
        ids = {sequence.request.id for sequence in self._sequences.values()}
        self._link.send(*[frames.Fault(i, "the generation step failed") for i in sorted(ids)])
        self._forget(list(self._sequences))
        self._generator.close()
        self._generator = self._new_generator()
        mx.clear_cache()

    def _forget(self, uids: list[int]) -> None:
        for uid in uids:
            del self._sequences[uid]
            self._decoding.discard(uid)

    def _report(self) -> None:
        """Tell the HTTP process at once when sequences come and go, else now and then."""
        running, waiting = len(self._decoding), len(self._sequences) - len(self._decoding)
        last = self._reported
        changed = last is None or (last.running, last.waiting) != (running, waiting)
        if changed or time.monotonic() >= self._report_due:
            self._reported = frames.Stats(
                running,
                waiting,
                self._generated,
                self._generator.prompt_cache_nbytes + self._prefixes.nbytes,
            )
            self._link.send(self._reported)
            self._report_due = time.monotonic() + STATS_INTERVAL

    def _new_generator(self) -> BatchGenerator:
        return BatchGenerator(
            self._model,
            stop_tokens=[[token] for token in self._tokenizer.eos_token_ids],
            completion_batch_size=self._spec.max_batch_size,
            prefill_step_size=self._spec.prefill_chunk or _prefill_chunk(),
        )


def _prefill_chunk() -> int:
    return CPU_PREFILL_CHUNK if mx.default_device() == mx.cpu else METAL_PREFILL_CHUNK
