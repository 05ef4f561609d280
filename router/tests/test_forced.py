"""Forced tokens read in one pass give the answer that sampling them one by one gives."""

from __future__ import annotations

import queue
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from mlx_lm.models import llama
from mlx_lm.tokenizer_utils import load as load_tokenizer

from router import frames
from router.engine import loop as loops
from router.engine.constraint import Constraint
from router.engine.grammar.compiler import Compiler
from router.engine.intake import Hangup, Job, Orders
from router.engine.loop import Loop
from router.engine.model import Loaded, output_format
from router.engine.prompts import Prompter
from router.tests.conftest import MODEL
from router.tests.schemas import SchemaMaker

SCHEMAS = 200
TOGETHER = 8
LIMIT = 32


@dataclass
class Notes:
    """Where the loop's frames go: what was said in each request, in how many tokens."""

    said: dict[int, str] = field(default_factory=dict)
    tokens: dict[int, int] = field(default_factory=dict)
    ended: dict[int, str] = field(default_factory=dict)
    pieces: int = 0

    def send(self, *sent: frames.Frame) -> None:
        for frame in sent:
            assert not isinstance(frame, frames.Fault), frame
            if isinstance(frame, frames.Piece):
                self.pieces += 1
                self.said[frame.id] = self.said.get(frame.id, "") + frame.text
                self.tokens[frame.id] = self.tokens.get(frame.id, 0) + frame.tokens
            if isinstance(frame, frames.Ended):
                self.ended[frame.id] = frame.reason


@pytest.fixture(scope="module")
def loaded(embedded_home: Path) -> Loaded:
    """A small model of random weights: its answers depend on every token it has read."""
    tokenizer = load_tokenizer(embedded_home / "models" / MODEL, eos_token_ids=[2, 0])
    mx.random.seed(5)
    model = llama.Model(
        llama.ModelArgs(
            model_type="llama",
            hidden_size=64,
            num_hidden_layers=2,
            intermediate_size=128,
            num_attention_heads=4,
            rms_norm_eps=1e-5,
            vocab_size=len(tokenizer),
        )
    )
    mx.eval(model.parameters())
    info = frames.ModelInfo(context_length=8192, format=output_format(tokenizer))
    return Loaded(model, tokenizer, info)


def request(number: int) -> frames.Generate:
    maker = SchemaMaker(number)
    asked: dict[str, Any] = {"constraint": frames.Constraint(schema=maker.parameters())}
    if number % 2:
        constraint = frames.Constraint(required=True, parallel=number % 4 == 1)
        asked = {"constraint": constraint, "tools": maker.tools(2)}
    return frames.Generate(
        id=number,
        messages=[{"role": "user", "content": f"Question {number}"}],
        sampling=frames.Sampling(temperature=0),
        max_tokens=LIMIT,
        **asked,
    )


def answers(loaded: Loaded) -> Notes:
    notes = Notes()
    prompter = Prompter(loaded.tokenizer, loaded.info)
    compiler = Compiler(loaded.tokenizer, loaded.info.format)
    orders: Orders = queue.SimpleQueue()
    spec = frames.EngineSpec(engine="mlx", prefix_cache=0)
    loop = Loop(loaded, notes, orders, spec)  # type: ignore[arg-type]
    for start in range(0, SCHEMAS, TOGETHER):
        for number in range(start, start + TOGETHER):
            asked = request(number)
            prompts = prompter.prompts(asked)
            orders.put(Job(asked, prompts, compiler.matcher(asked, reasoning_open=False)))
        while len(notes.ended) < start + TOGETHER:
            loop.step()
    orders.put(Hangup())
    loop.run()
    return notes


def test_the_answers_are_the_same(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "SHORTEST_SKIP", 0.25)  # two forced tokens in a batch of eight
    skipping = answers(loaded)
    monkeypatch.setattr(loops, "SHORTEST_SKIP", 10**9)
    monkeypatch.setattr(Constraint, "start", lambda self: [])
    stepping = answers(loaded)
    assert skipping.said == stepping.said
    assert skipping.tokens == stepping.tokens
    assert skipping.ended == stepping.ended
    assert set(skipping.ended.values()) == {"stop", "length"}
    # Something was skipped indeed: what is forced comes in one piece.
    assert skipping.pieces < stepping.pieces * 0.8
