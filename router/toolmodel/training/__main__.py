"""``python -m router.toolmodel.training``: make the adapter anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from router import config, embedded
from router.toolmodel.training.run import Recipe, train

DEFAULT = Recipe()


def main(
    output: Annotated[Path, typer.Argument(help="Folder for the adapter; a cut run goes on.")],
    tokens: Annotated[int, typer.Option(help="Tokens to read in all.")] = DEFAULT.tokens,
    decay: Annotated[int, typer.Option(help="Of which so many at a falling rate.")] = DEFAULT.decay,
    learning_rate: Annotated[float, typer.Option(help="At its highest.")] = DEFAULT.learning_rate,
    seed: Annotated[int, typer.Option(help="Of the conversations.")] = DEFAULT.seed,
    workers: Annotated[int, typer.Option(help="Processes of one thread each.")] = DEFAULT.workers,
    precision: Annotated[str, typer.Option(help="float32 or bfloat16.")] = DEFAULT.precision,
    start: Annotated[Path | None, typer.Option(help="An adapter to begin with.")] = None,
) -> None:
    """Train the tool model's adapter on the embedded base model. Two cores read some 250 tokens
    a second, in bfloat16 500 where they have instructions for it (avx512_bf16, AMX)."""
    recipe = Recipe(tokens, decay, learning_rate, seed, workers, precision=precision)
    base = embedded.ensure(config.home(), embedded.BASE.id, lambda stage, fraction: None)
    train(recipe, base, output, start)


if __name__ == "__main__":
    typer.run(main)
