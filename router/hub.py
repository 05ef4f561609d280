"""Fetching a model from the Hugging Face hub, or from what HF_ENDPOINT names in its place.

Files go to the Hugging Face cache, which other programs on the machine share. A pull that was
cut off goes on where it stopped when it is run again.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FILES = ["*.json", "model*.safetensors", "*.jinja", "*.txt", "*.model", "*.tiktoken"]
"""What MLX loads a text model from; never ``*.py``, since code of a repo is not run."""

SUBFOLDERS = "*/*"
"""They hold the same model in formats of other programs."""

Progress = Callable[[str, float], None]
"""Called from any thread with the stage "download" and the fraction of its bytes, 0 to 1."""


class HubError(RuntimeError):
    """The model could not be fetched. The message is one line: what is wrong, what to do."""


def cache_folder() -> Path:
    """The Hugging Face cache, by the variables that its own library reads."""
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(os.path.expandvars(cache)).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(os.path.expandvars(home)).expanduser() / "hub"
    user_cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(user_cache).expanduser() / "huggingface" / "hub"


def pull(repo: str, revision: str | None, progress: Progress) -> Path:
    """The folder of ``repo`` (``org/name``) at ``revision`` (branch, tag or commit; None: main),
    fetched unless it is here already. Raises HubError.
    """
    import huggingface_hub  # Slow to import, and only needed here.

    options: dict[str, Any] = {
        "revision": revision,
        "cache_dir": cache_folder(),
        "endpoint": os.environ.get("HF_ENDPOINT") or None,
        "allow_patterns": FILES,
        "ignore_patterns": SUBFOLDERS,
    }
    with _explained(repo, revision):
        quiet = _bar(0, progress)
        files = huggingface_hub.snapshot_download(repo, dry_run=True, tqdm_class=quiet, **options)
    if not any(file.filename.endswith(".safetensors") for file in files):
        raise HubError(
            f"{repo} holds no model.safetensors, which MLX needs: look for a conversion of it,"
            " such as those of mlx-community."
        )
    progress("download", 0.0)
    with _explained(repo, revision):
        missing = sum(file.file_size or 0 for file in files if file.will_download)
        bar = _bar(missing, progress)
        folder = huggingface_hub.snapshot_download(repo, tqdm_class=bar, **options)
    progress("download", 1.0)
    return Path(folder)


def _bar(total: int, progress: Progress) -> type[Any]:
    """A progress bar class that draws nothing and reports bytes. The hub's library makes one bar
    for bytes that arrive and one for bytes that are on disk; whichever is ahead counts.
    """
    from tqdm.auto import tqdm  # type: ignore[import-untyped]

    reached = 0.0

    class Bar(tqdm):  # type: ignore[misc]
        monitor_interval = 0

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options | {"file": io.StringIO()})

        def update(self, n: float = 1) -> None:
            nonlocal reached
            super().update(n)
            if self.unit == "B" and self.n > reached and total:
                reached = self.n
                progress("download", min(reached / total, 1.0))

    return Bar


# --- errors -------------------------------------------------------------------------


@contextlib.contextmanager
def _explained(repo: str, revision: str | None) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # The hub's library lets those of three other libraries through.
        raise HubError(explain(error, repo, revision)) from error


def explain(error: BaseException, repo: str, revision: str | None) -> str:
    """One line for the user: what an error of the hub's library means, and what to do."""
    from huggingface_hub import errors

    causes = _causes(error)

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if caused_by(errors.HFValidationError):
        return f"{repo!r} is not the name of a repo: write it as on the hub, org/name."
    if caused_by(errors.GatedRepoError):
        return (
            f"{repo} asks for its terms to be accepted: do so at https://huggingface.co/{repo},"
            " then run `hf auth login` and pull again."
        )
    if caused_by(errors.RevisionNotFoundError):
        return f"{repo} has no revision {revision!r}: leave out --revision to take main."
    if caused_by(errors.RepositoryNotFoundError):
        return (
            f"the hub has no model {repo}, or it is private: check the spelling, or run"
            " `hf auth login` if it is yours."
        )
    if any(isinstance(cause, OSError) and cause.errno == errno.ENOSPC for cause in causes):
        return (
            f"the disk is full: free space at {cache_folder()} (`hf cache prune` helps) or set"
            " HF_HOME to a larger disk, then pull again; what is here is kept."
        )
    if caused_by(errors.OfflineModeIsEnabled):
        return f"HF_HUB_OFFLINE is set: unset it to pull {repo}."
    if caused_by(errors.HfHubHTTPError):
        status = next(c for c in causes if isinstance(c, errors.HfHubHTTPError))
        code = status.response.status_code
        return f"the hub answered {code} for {repo}: pull again later; what is here is kept."
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    reason = str(causes[-1]).strip().split("\n")[0] or type(causes[-1]).__name__
    return (
        f"{repo} could not be fetched from {endpoint} ({reason}): check the network and pull"
        " again; what is here is kept."
    )


def _causes(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None:
        chain.append(error)
        error = error.__cause__
    return chain
