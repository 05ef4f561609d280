"""The batching loop: one thread owns MLX and advances every sequence together.

Three threads. This one loads the model, steps the batch and frees it. A second (``intake``)
makes prompts and grammars. A third (in ``link``) writes to the socket. They meet in two queues.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import time
from typing import Any

import mlx.core as mx
from mlx_lm.generate import BatchGenerator

from router import frames
from router.engine import model as models
from router.engine import sampling
from router.engine.constraint import Constraint
from router.engine.intake import Job, Order, Orders
from router.engine.link import Link
from router.engine.prefix_cache import Cache, PrefixCache
from router.engine.sequence import Sequence, detokenizer
from router.engine.tokentext import TokenTexts

STATS_INTERVAL = 0.25
"""Seconds between two reports of token counts while sequences run."""

METAL_PREFILL_CHUNK = 512
CPU_PREFILL_CHUNK = 64
"""Tokens. Nothing is heard and no other stream advances while a chunk is read. On the CPU its
size does not change the speed of reading (108 tokens a second at 64, 101 at 512)."""

SHORTEST_SKIP = 4
"""Forced tokens, for each sequence of the batch, from which on it is quicker to read them in one
pass than to sample them."""

log = logging.getLogger("router.engine")


class Loop:
    """Continuous batching over mlx-lm's BatchGenerator."""

    def __init__(
        self,
        loaded: models.Loaded,
        link: Link,
        orders: Orders,
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
        self._generated = 0
        self._lost_grammars = 0
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
        try:
            for index in range(job.request.sequences):
                self._begin(job, index)
        except Exception:
            log.exception("request %d could not join the batch", job.request.id)
            self._cancel(frames.Cancel(job.request.id))
            self._link.send(frames.Fault(job.request.id, "the request could not join the batch"))

    def _begin(self, job: Job, index: int) -> None:
        """One sequence of a request joins the batch. What its grammar makes it begin with is
        read together with its prompt."""
        request, (place, sibling) = job.request, divmod(index, job.request.n)
        prompt = job.prompts[place].tokens
        cache, cached = self._prefixes.take(prompt)
        if sibling == 0:
            self._link.send(frames.Prefilling(request.id, cached))
        constraint = Constraint(job.grammar, seen=len(prompt)) if job.grammar else None
        sequence = Sequence(
            request,
            index,
            detokenizer(self._tokenizer, goes_on=bool(request.prompts)),
            sampling.sampler(request.sampling, sibling, self._vocabulary),
            [*sampling.processors(request.sampling, len(prompt)), *filter(None, [constraint])],
            constraint,
            room=job.prompts[place].max_tokens,
        )
        forced = constraint.start() if constraint and not sequence.wants_logprobs else []
        self._link.send(*self._force(sequence, forced, cache, prompt[:cached], prompt[cached:]))

    def _force(
        self,
        sequence: Sequence,
        forced: list[int],
        cache: Cache | None,
        read: list[int],
        unread: list[int],
    ) -> list[frames.Frame]:
        """Tokens that need no sampling are said at once, and read in one pass. ``cache`` holds
        the KV of ``read``; ``unread`` comes between it and the forced tokens."""
        forced = forced[: sequence.room]
        sequence.room -= len(forced)
        self._generated += len(forced)
        for token in forced:
            sequence.take(token)
        if not sequence.room:
            return [*sequence.flush(last=True), sequence.end("length")]
        [uid] = self._generator.insert(
            [unread + forced],
            max_tokens=[sequence.room],
            caches=[cache],
            all_tokens=[read],
            samplers=[sequence.sampler],
            logits_processors=[sequence.processors],
        )
        self._sequences[uid] = sequence
        return sequence.flush()

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
        if response.uid not in self._sequences:  # a sibling has just ended the request
            return []
        sequence = self._sequences[response.uid]
        self._generated += 1
        sequence.decoding = True
        stopped = response.finish_reason == "stop"
        if not stopped:  # the token that stops a text is no part of it
            self._take(sequence, response)
        if response.finish_reason is None:
            return [*sequence.flush(), *self._held_to_grammar(response.uid, sequence)]
        self._prefixes.put(response.all_tokens, response.prompt_cache)
        self._forget([response.uid])
        return [*sequence.flush(last=True), sequence.end("stop" if stopped else "length")]

    def _take(self, sequence: Sequence, response: Any) -> None:
        sequence.take(response.token)
        sequence.room -= 1
        top = sequence.request.sampling.top_logprobs
        if top is not None:
            sequence.logprobs.append(self._texts.describe(response.token, response.logprobs, top))

    def _held_to_grammar(self, uid: int, sequence: Sequence) -> list[frames.Frame]:
        """Skip the sampling of forced tokens where that is quicker; give up where the grammar
        no longer follows and the client asked for nothing less."""
        constraint = sequence.constraint
        if constraint is None:
            return []
        if constraint.lost:
            return self._lose(sequence)
        # Leaving the batch and joining it again costs the other rows two passes.
        worth = len(constraint.forced) >= SHORTEST_SKIP * len(self._sequences)
        if not worth or sequence.wants_logprobs:
            return []
        [(cache, read)] = self._generator.remove([uid], return_prompt_caches=True).values()
        forced = constraint.forced
        self._forget([uid])
        return self._force(sequence, forced, cache, read, [])

    # --- failure and bookkeeping ---

    def _lose(self, sequence: Sequence) -> list[frames.Frame]:
        """The grammar broke off. A call can still be checked when it is whole; an answer that
        had to have a form ends here, because nobody would notice that it has it no longer."""
        request = sequence.request
        log.error("the grammar of request %d broke off", request.id)
        self._lost_grammars += 1
        sequence.constraint = None
        if not request.constraint.demands:
            return []
        self._cancel(frames.Cancel(request.id))
        return [frames.Fault(request.id, "its grammar broke off")]

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

    def _report(self) -> None:
        """Tell the HTTP process at once when sequences come and go, else now and then."""
        running = sum(sequence.decoding for sequence in self._sequences.values())
        waiting = len(self._sequences) - running
        last = self._reported
        changed = last is None or (last.running, last.waiting) != (running, waiting)
        if changed or time.monotonic() >= self._report_due:
            self._reported = frames.Stats(
                running,
                waiting,
                self._generated,
                self._generator.prompt_cache_nbytes + self._prefixes.nbytes,
                self._lost_grammars,
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
