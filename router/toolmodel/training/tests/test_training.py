"""What is trained is what is served. Needs PyTorch: `nox -s toolmodel` runs these first."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from random import Random

import mlx.core as mx
import mlx.nn as nn
import mlx_lm
import pytest
import torch

from router import config, embedded
from router.toolmodel.training import run
from router.toolmodel.training.lessons import ENOUGH_WEIGHT, Teacher
from router.toolmodel.training.llama import Llama
from router.toolmodel.training.loss import DECISION_WEIGHT, Loss
from router.toolmodel.training.tree import UNTAUGHT, Tree, Written, grow

RECIPE = run.Recipe(rank=4)
CALL, GREETING = 44, 100


@pytest.fixture(scope="session")
def base() -> Path:
    return embedded.ensure(config.home(), embedded.BASE.id, lambda stage, fraction: None)


@pytest.fixture(scope="session")
def llama(base: Path) -> Llama:
    """With additions that are not nothing."""
    torch.manual_seed(0)
    model = Llama(base, RECIPE.rank, RECIPE.scale)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("lora_b"):
                parameter.normal_(std=0.02)
    return model


@pytest.fixture(scope="session")
def teacher(base: Path) -> Teacher:
    return Teacher.of(base, size=300)


def loss(llama: Llama, tree: Tree) -> float:
    with torch.no_grad():
        return float(Loss(CALL)(llama(tree), tree)[0])


def test_a_branch_is_read_as_if_it_were_alone(llama: Llama) -> None:
    random = Random(1)
    words = iter(lambda: random.randrange(100, 40_000), 0)
    trunk = list(itertools.islice(words, 20))
    branches = [[Written(token, 1) for token in itertools.islice(words, n)] for n in (3, 17, 8)]
    together = loss(llama, grow(trunk, branches))
    alone = sum(loss(llama, grow(trunk, [branch])) for branch in branches)
    assert together == pytest.approx(alone, rel=1e-5)


def test_the_adapter_means_the_same_to_mlx(llama: Llama, base: Path, tmp_path: Path) -> None:
    run.save(llama, torch.optim.Adam(llama.parameters()), run.Progress(), RECIPE, tmp_path)
    model, _ = mlx_lm.load(str(base), adapter_path=str(tmp_path))
    model.set_dtype(mx.float32)
    tokens = [1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 30]
    logits = model(mx.array([tokens[:-1]]))[0]
    theirs = nn.losses.cross_entropy(logits, mx.array(tokens[1:]))[1:].sum().item()
    ours = loss(llama, grow(tokens[:1], [[Written(token, 1) for token in tokens[1:]]]))
    assert ours == pytest.approx(theirs, rel=1e-4)


def test_only_the_assistants_words_are_taught(teacher: Teacher) -> None:
    for number in range(30):
        tree = teacher.lesson(Random(number))
        text = teacher.tokenizer.decode(
            [token for token in tree.targets.tolist() if token != UNTAUGHT],
            skip_special_tokens=False,
        )
        assert "<|im_start|>" not in text
        assert "<tool_response>" not in text
        assert text.endswith("<|im_end|>")


def opening(answer: int, weight: float) -> Tree:
    """An answer of one token."""
    return grow([1], [[Written(2), Written(answer, weight, opens=True)]])


def test_every_answer_opens_once(teacher: Teacher) -> None:
    for number in range(30):
        tree = teacher.lesson(Random(number))
        ends = tree.targets == teacher.tokenizer.token_to_id("<|im_end|>")
        assert tree.opens.sum() == ends.sum()
        before = tree.tokens[tree.opens]
        assert {teacher.tokenizer.decode([token]) for token in before.tolist()} == {"\n"}
        assert not tree.weights[tree.targets == UNTAUGHT].any()


def test_whether_another_call_follows_counts_more_than_the_call(teacher: Teacher) -> None:
    for number in range(30):
        tree = teacher.lesson(Random(number))
        following = tree.targets[tree.weights == ENOUGH_WEIGHT].tolist()
        text = teacher.tokenizer.decode(tree.targets[tree.targets >= 0].tolist())
        assert len(following) == text.count("</tool_call>")
        decoded = {teacher.tokenizer.decode([t], skip_special_tokens=False) for t in following}
        assert decoded <= {"\n", "<|im_end|>"}


@pytest.mark.parametrize("answer", [CALL, GREETING])
def test_the_choice_between_a_call_and_words_counts_most(answer: int) -> None:
    """Of two answers that could both be words, which one is said counts as little as any word."""
    logits = torch.zeros(1, 1000)
    logits[0, CALL] = 3.0
    called = torch.tensor(3.0 - math.log(999)).sigmoid().item()
    chosen = called if answer == CALL else 1 - called
    said = logits.log_softmax(-1)[0, answer].item()
    nats, _ = Loss(CALL)(logits, opening(answer, weight=0.35))
    assert float(nats) == pytest.approx(-0.35 * said - DECISION_WEIGHT * math.log(chosen), rel=1e-5)


def test_a_cut_run_goes_on_where_it_was(llama: Llama, tmp_path: Path) -> None:
    optimizer = torch.optim.Adam(llama.parameters())
    run.save(llama, optimizer, run.Progress(step=7, read=9000), RECIPE, tmp_path)
    progress = run.resume(llama, optimizer, tmp_path / run.STATE)
    assert (progress.step, progress.read) == (7, 9000)


def test_the_rate_rises_stays_and_falls() -> None:
    recipe = run.Recipe(tokens=1000, warmup=100, decay=400, learning_rate=1.0)
    rates = [recipe.rate(read) for read in (0, 99, 500, 600, 800, 999)]
    assert rates == pytest.approx([0.01, 1.0, 1.0, 1.0, 0.5, 0.0025])


def test_an_adapter_of_lower_rank_means_the_same_in_a_wider_one(
    llama: Llama, base: Path, teacher: Teacher, tmp_path: Path
) -> None:
    run.save(llama, torch.optim.Adam(llama.parameters()), run.Progress(), RECIPE, tmp_path)
    wider = Llama(base, 2 * RECIPE.rank, RECIPE.scale)
    run.begin_with(wider, tmp_path)
    tree = teacher.lesson(Random(3))
    assert loss(wider, tree) == pytest.approx(loss(llama, tree), rel=1e-3)


def test_half_precision_learns_from_nearly_the_same(
    llama: Llama, base: Path, teacher: Teacher
) -> None:
    half = Llama(base, RECIPE.rank, RECIPE.scale, torch.bfloat16)
    half.load_state_dict(llama.state_dict())
    tree = teacher.lesson(Random(3))
    assert loss(half, tree) == pytest.approx(loss(llama, tree), rel=0.02)
    Loss(CALL)(half(tree), tree)[0].backward()
    assert all(parameter.grad.dtype == torch.float32 for parameter in half.parameters())
