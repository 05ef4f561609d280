"""The batching loop, with a small model of random weights, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
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
    faults: list[int] = field(default_factory=list)
    lost: int = 0
    tokens: dict[int, int] = field(default_factory=dict)
    ended: dict[int, str] = field(default_factory=dict)
    pieces: int = 0

    def send(self, *sent: frames.Frame) -> None:
        for frame in sent:
            if isinstance(frame, frames.Fault):
                self.faults.append(frame.id)
            if isinstance(frame, frames.Stats):
                self.lost = frame.lost_grammars
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


def new_loop(loaded: Loaded) -> tuple[Loop, Notes, Orders]:
    notes, orders = Notes(), Orders()
    spec = frames.EngineSpec(engine="mlx", prefix_cache=0)
    return Loop(loaded, notes, orders, spec), notes, orders  # type: ignore[arg-type]


def answers(loaded: Loaded) -> Notes:
    prompter = Prompter(loaded.tokenizer, loaded.info)
    compiler = Compiler(loaded.tokenizer, loaded.info.format)
    loop, notes, orders = new_loop(loaded)
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


def test_forced_tokens_change_nothing_but_the_time(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "SHORTEST_SKIP", 0.25)  # two forced tokens in a batch of eight
    skipping = answers(loaded)
    monkeypatch.setattr(loops, "SHORTEST_SKIP", 10**9)
    monkeypatch.setattr(Constraint, "start", lambda self: [])
    stepping = answers(loaded)
    assert not skipping.faults
    assert skipping.said == stepping.said
    assert skipping.tokens == stepping.tokens
    assert skipping.ended == stepping.ended
    assert set(skipping.ended.values()) == {"stop", "length"}
    # Something was skipped indeed: what is forced comes in one piece.
    assert skipping.pieces < stepping.pieces * 0.8


@pytest.mark.parametrize("demanded", [True, False])
def test_a_grammar_that_breaks_off(loaded: Loaded, demanded: bool) -> None:
    """What must have a form ends in an error; a call of its own choice is checked later."""
    backend = loaded.tokenizer.backend_tokenizer
    broken = LLMatcher(
        LLTokenizer(backend.to_str(), eos_token=2),
        '%llguidance {}\nstart: "{" /[a-z]+(x|y)*/ "}"',
        limits=LLParserLimits(step_lexer_fuel=2),
        log_level=0,
    )
    loop, notes, orders = new_loop(loaded)
    constraint = frames.Constraint(required=demanded)
    for number, grammar in ((1, broken), (2, None)):
        asked = frames.Generate(
            id=number,
            messages=[{"role": "user", "content": "x"}],
            constraint=constraint if grammar else frames.Constraint(),
            sampling=frames.Sampling(temperature=0),
            max_tokens=6,
        )
        prompts = Prompter(loaded.tokenizer, loaded.info).prompts(asked)
        orders.put(Job(asked, prompts, grammar))
    while len(notes.ended) + len(notes.faults) < 2:
        loop.step()
    orders.put(Hangup())
    loop.run()
    assert notes.faults == ([1] if demanded else [])
    assert notes.ended == ({2: "length"} if demanded else {1: "length", 2: "length"})
    assert notes.tokens[2] == 6
    assert notes.lost == 1
