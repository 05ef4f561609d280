"""The base model: a GGUF file turned into a folder that mlx-lm loads, its tokenizer corrected."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from router.embedded.error import EmbeddedError
from router.embedded.sealed import Progress

SAMPLING = {"temperature": 0.2, "top_p": 0.9}
"""As the model's authors recommend."""

GENERATION = {"bos_token_id": 1, "eos_token_id": [2, 0], "pad_token_id": 2, "do_sample": True}
"""An answer ends at <|im_end|> (2), and where the model slips at <|endoftext|> (0)."""

TOKENIZER = {
    "normalizer": None,
    "pre_tokenizer": {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Digits", "individual_digits": True},
            {
                "type": "ByteLevel",
                "add_prefix_space": False,
                "trim_offsets": True,
                "use_regex": True,
            },
        ],
    },
}
"""How SmolLM2 splits text: single digits, then GPT-2's rule. gguf2mlx does not know the name
``smollm`` and writes Qwen's rule, with which the model reads worse: its own kind of code costs
it 0.82 bits a byte instead of 0.68, JSON 0.21 instead of 0.18."""


def convert(gguf: Path, output: Path, progress: Progress) -> None:
    """Run gguf2mlx, whose own audit compares what it wrote with the source; 15 s and 370 MB."""
    if importlib.util.find_spec("gguf2mlx") is None:
        raise EmbeddedError("converting the embedded model needs gguf2mlx: pip install gguf2mlx")
    # -W: it warns of the tokenizer that _correct puts right.
    command = [sys.executable, "-W", "ignore", "-m", "gguf2mlx", "-i", str(gguf), "-o", str(output)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        encoding="utf-8",
        errors="replace",
    ) as child:
        try:
            said = _follow(child.stdout or (), progress)
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0 or not output.is_dir():
        raise EmbeddedError(f"gguf2mlx could not convert {gguf}: {said}")
    _correct(output)
    progress("convert", 1.0)


def _follow(lines: Iterable[str], progress: Progress) -> str:
    """Turn gguf2mlx's output into progress: it counts its steps as ``[4/5]``, and the tensors
    of the long one as ``37%|``. Returns the last line with words in it.
    """
    step, steps, said = 0, 1, "it ended early"
    for line in lines:
        if count := re.search(r"\[(\d+)/(\d+)\]", line):
            step, steps = int(count[1]) - 1, int(count[2])
            progress("convert", step / steps)
        elif percent := re.search(r"(\d+)%\|", line):
            progress("convert", (step + int(percent[1]) / 100) / steps)
        if re.search(r"\w", line):
            said = line.strip()
    return said


def _correct(made: Path) -> None:
    """Put right what gguf2mlx does not know of this model."""
    path = made / "tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(tokenizer | TOKENIZER, ensure_ascii=False), encoding="utf-8")
    (made / "generation_config.json").write_text(json.dumps(GENERATION | SAMPLING, indent=2))
