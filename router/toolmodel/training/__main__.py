"""``python -m router.toolmodel.training``: make the adapter anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from router.toolmodel.training.run import Recipe, train

DEFAULT = Recipe(tokens=2_000_000)


def main(
    model: Annotated[Path, typer.Argument(help="folder of the converted base model")],
    output: Annotated[Path, typer.Argument(help="folder for the adapter; a cut run goes on")],
    tokens: Annotated[int, typer.Option(help="tokens to read in all")] = DEFAULT.tokens,
    decay: Annotated[int, typer.Option(help="of which so many at a falling rate")] = DEFAULT.decay,
    learning_rate: Annotated[float, typer.Option(help="at its highest")] = DEFAULT.learning_rate,
    seed: Annotated[int, typer.Option(help="of the conversations")] = DEFAULT.seed,
    workers: Annotated[int, typer.Option(help="processes of one thread each")] = DEFAULT.workers,
    start: Annotated[Path | None, typer.Option(help="an adapter to begin with")] = None,
) -> None:
    """Train the tool model's adapter. Two cores read some 300 tokens a second."""
    recipe = Recipe(
        tokens=tokens, decay=decay, learning_rate=learning_rate, seed=seed, workers=workers
    )
    train(recipe, model, output, start)


if __name__ == "__main__":
    typer.run(main)
