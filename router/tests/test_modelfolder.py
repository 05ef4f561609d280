import json
from pathlib import Path
from typing import Any

import pytest

from router.modelfolder import look
from router.tests.modelfolders import make

WHISPER = {
    "model_type": "whisper",
    "is_encoder_decoder": True,
    "architectures": ["WhisperForConditionalGeneration"],
}


@pytest.mark.parametrize(
    ("config", "lack"),
    [
        ({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}, ""),
        ({"model_type": "qwen2_vl", "architectures": ["Qwen2VLForConditionalGeneration"]}, ""),
        ({"vocab_size": 1}, "a model_type in config.json"),
        ({"model_type": "bert", "architectures": ["BertModel"]}, "a text generation model"),
        (WHISPER, "a text generation model"),
    ],
)
def test_only_text_generation_models_count(
    config: dict[str, Any], lack: str, tmp_path: Path
) -> None:
    assert look(make(tmp_path / "m", {"config.json": json.dumps(config)})).lack == lack


def test_weights_in_parts_must_all_be_there(tmp_path: Path) -> None:
    folder = make(tmp_path / "m")
    (folder / "model.safetensors").unlink()
    first, second = (folder / f"model-0000{n}-of-00002.safetensors" for n in (1, 2))
    first.write_text("1")
    lack = "1 of the 2 parts of its weights"
    assert look(folder).lack == lack
    index = {"weight_map": {"a": first.name, "b": "model-other.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert look(folder).lack == "model-other.safetensors"
    (folder / "model.safetensors.index.json").unlink()
    second.symlink_to(tmp_path / "not fetched yet")
    assert look(folder).lack == lack
    second.unlink()
    second.write_text("2")
    assert look(folder).lack == ""
    assert look(folder).size_bytes == 2


@pytest.mark.parametrize(
    ("generation", "sampling"),
    [
        ({"temperature": "hot"}, {}),
        ({"temperature": 0.5, "do_sample": False}, {"temperature": 0.0}),
    ],
)
def test_sampling_that_does_not_apply_is_left_out(
    generation: dict[str, Any], sampling: dict[str, float], tmp_path: Path
) -> None:
    folder = make(tmp_path / "m", {"generation_config.json": json.dumps(generation)})
    assert look(folder).sampling == sampling
