"""The training loop: one process a core, their gradients summed, resumable at any step."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import torch
import torch.distributed as processes
from safetensors.torch import load_file, save_file
from torch import Tensor

from router.toolmodel.training.lessons import Teacher
from router.toolmodel.training.llama import Llama
from router.toolmodel.training.loss import Loss
from router.toolmodel.training.tree import Tree

ADAPTER, CONFIG, STATE = "adapters.safetensors", "adapter_config.json", "state.pt"
STEPS_BETWEEN_SAVES = 20
STEPS_BETWEEN_LINES = 10

LOSS, RIGHT, TAUGHT, READ = range(4)


@dataclass(frozen=True)
class Recipe:
    """What makes an adapter; token counts are of all tokens read, taught or not."""

    tokens: int = 2_400_000
    decay: int = 1_000_000
    """The learning rate falls to nothing over the last so many tokens."""
    learning_rate: float = 1.2e-3
    seed: int = 1
    workers: int = 2
    warmup: int = 30_000
    rank: int = 16
    scale: float = 2.0
    tree: int = 700
    """Tokens of a tree; each process reads one a step."""
    precision: str = "float32"
    """Of the products with weights: ``bfloat16`` is quicker where the CPU has instructions for it,
    and much slower elsewhere."""

    def rate(self, read: int) -> float:
        """The learning rate after ``read`` tokens."""
        rising = min(1.0, (read + 1) / self.warmup)
        falling = min(1.0, (self.tokens - read) / self.decay)
        return self.learning_rate * min(rising, max(falling, 0.0))


@dataclass
class Progress:
    step: int = 0
    read: int = 0


class Log:
    """A line every few steps: loss in nats a taught token, share of right guesses, speed."""

    def __init__(self, recipe: Recipe, begun_at: int) -> None:
        self._recipe = recipe
        self._begun, self._begun_at = time.monotonic(), begun_at
        self._seen = torch.zeros(4, dtype=torch.float64)

    def add(self, progress: Progress, seen: Tensor) -> None:
        self._seen += seen
        if progress.step % STEPS_BETWEEN_LINES:
            return
        loss, right, taught, _ = self._seen.tolist()
        speed = (progress.read - self._begun_at) / (time.monotonic() - self._begun)
        print(
            f"step {progress.step}  {progress.read:,} of {self._recipe.tokens:,} tokens"
            f"  loss {loss / taught:.4f}  right {right / taught:.4f}"
            f"  rate {self._recipe.rate(progress.read):.2e}  {speed:.0f} tokens/s",
            flush=True,
        )
        self._seen.zero_()


def train(recipe: Recipe, model: Path, output: Path, start: Path | None) -> None:
    """Train on ``model`` into the folder ``output``.

    ``start``: an adapter to begin with instead of nothing. A run that was cut goes on from the
    last state saved in ``output``.
    """
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(recipe, model, output, start, meeting=f"file://{folder}/meeting")
        torch.multiprocessing.spawn(_work, (job,), nprocs=recipe.workers, join=True)


@dataclass(frozen=True)
class Job:
    """What each process is given; ``meeting`` is where they find one another."""

    recipe: Recipe
    model: Path
    output: Path
    start: Path | None
    meeting: str


def _work(rank: int, job: Job) -> None:
    recipe, output = job.recipe, job.output
    processes.init_process_group(
        "gloo", init_method=job.meeting, rank=rank, world_size=recipe.workers
    )
    # Processes of one thread each do more than one process of as many threads.
    torch.set_num_threads(1)
    torch.manual_seed(recipe.seed)
    llama = Llama(job.model, recipe.rank, recipe.scale, getattr(torch, recipe.precision))
    if job.start is not None:
        begin_with(llama, job.start)
    optimizer = torch.optim.Adam(llama.parameters(), betas=(0.9, 0.98))
    progress = resume(llama, optimizer, output / STATE)
    teacher = Teacher.of(job.model, recipe.tree)
    loss = teacher.loss()
    log = Log(recipe, begun_at=progress.read)
    while progress.read < recipe.tokens:
        lesson = teacher.lesson(Random(f"{recipe.seed}/{rank}/{progress.step}"))
        seen = _learn(llama, loss, optimizer, lesson, recipe.rate(progress.read))
        progress.step += 1
        progress.read += int(seen[READ])
        if rank == 0:
            log.add(progress, seen)
            if progress.step % STEPS_BETWEEN_SAVES == 0 or progress.read >= recipe.tokens:
                save(llama, optimizer, progress, recipe, output)
    processes.destroy_process_group()


def _learn(
    llama: Llama, loss: Loss, optimizer: torch.optim.Adam, lesson: Tree, rate: float
) -> Tensor:
    """One step on every process's lesson. Returns (4,): the sums of LOSS, RIGHT, TAUGHT, READ."""
    nats, right = loss(llama(lesson), lesson)
    nats.backward()
    counts = [nats.item(), float(right), lesson.taught, len(lesson.tokens)]
    seen = torch.tensor(counts, dtype=torch.float64)
    processes.all_reduce(seen)
    _average_gradients(llama, taught=seen[TAUGHT].item())
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad()
    return seen


def _average_gradients(llama: Llama, taught: float) -> None:
    """The mean over all processes' taught tokens, no longer than 1."""
    parameters = list(llama.parameters())
    gradients = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])
    processes.all_reduce(gradients)
    gradients /= taught
    gradients /= max(1.0, gradients.norm().item())
    for parameter, gradient in zip(
        parameters, gradients.split([p.numel() for p in parameters]), strict=True
    ):
        parameter.grad = gradient.view_as(parameter)


def save(
    llama: Llama, optimizer: torch.optim.Adam, progress: Progress, recipe: Recipe, output: Path
) -> None:
    """The adapter as mlx-lm loads it, in float16, and the state to go on from."""
    adapter = {name: tensor.detach() for name, tensor in llama.adapter().items()}
    state = {"adapter": adapter, "optimizer": optimizer.state_dict(), **asdict(progress)}
    torch.save(state, output / f".{STATE}")
    (output / f".{STATE}").replace(output / STATE)
    halves = {name: tensor.half().contiguous() for name, tensor in adapter.items()}
    save_file(halves, output / ADAPTER, metadata={"format": "mlx"})
    (output / CONFIG).write_text(json.dumps(_config(llama, recipe), indent=2), encoding="utf-8")


def _config(llama: Llama, recipe: Recipe) -> dict[str, object]:
    """What mlx-lm needs to load the adapter, and what it was made with."""
    names = {name.rpartition(".lora_")[0].split(".", 3)[-1] for name in llama.adapter()}
    return {
        "fine_tune_type": "lora",
        "num_layers": llama.dims.layers,
        "lora_parameters": {
            "rank": recipe.rank,
            "scale": recipe.scale,
            "dropout": 0.0,
            "keys": sorted(names),
        },
        "recipe": asdict(recipe),
    }


def resume(llama: Llama, optimizer: torch.optim.Adam, path: Path) -> Progress:
    """What ``save`` left at ``path``, if anything."""
    if not path.is_file():
        return Progress()
    state = torch.load(path, weights_only=True)
    _load(llama, state["adapter"])
    optimizer.load_state_dict(state["optimizer"])
    return Progress(state["step"], state["read"])


def begin_with(llama: Llama, adapter: Path) -> None:
    """The adapter of that folder, which may be of a lower rank."""
    _load(llama, load_file(adapter / ADAPTER))


def _load(llama: Llama, adapter: dict[str, Tensor]) -> None:
    parameters = llama.adapter()
    if parameters.keys() != adapter.keys():
        raise SystemExit("this adapter is of other layers than the recipe trains")
    with torch.no_grad():
        for name, parameter in parameters.items():
            _fill(parameter, adapter[name], rank_axis=-1 if name.endswith("lora_a") else 0)


def _fill(parameter: Tensor, given: Tensor, rank_axis: int) -> None:
    """``given`` may be of a lower rank: the ranks beyond begin like those of a new adapter, with
    random ``lora_a`` and no ``lora_b``, which adds nothing."""
    parameter.narrow(rank_axis, 0, given.shape[rank_axis]).copy_(given)
