import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from router import embedded
from router.catalog import Catalog, look
from router.config import Config, ConfigError, Defaults, Model, Sampling
from router.errors import NotFound

DEFAULT = embedded.MODEL_ID


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache."""
    folder = tmp_path / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(folder))
    return folder


def make(folder: Path, files: dict[str, str] | None = None) -> Path:
    """A whole model folder, with these files besides or instead."""
    folder.mkdir(parents=True)
    usual = {
        "config.json": '{"model_type": "llama"}',
        "model.safetensors": "weights",
        "tokenizer.json": "{}",
    }
    for name, text in (usual | (files or {})).items():
        (folder / name).write_text(text)
    return folder


def snapshot(cache: Path, repo: str, commit: str, main: bool = True) -> Path:
    folder = cache / ("models--" + repo.replace("/", "--"))
    if main:
        (folder / "refs").mkdir(parents=True, exist_ok=True)
        (folder / "refs" / "main").write_text(commit)
    return make(folder / "snapshots" / commit)


def catalog(
    home: Path, directory: Path | None = None, models: dict[str, Model] | None = None
) -> Catalog:
    defaults = Defaults(model_directory=directory)
    return Catalog(Config(defaults=defaults, models=models or {}), home)


def ids(catalog: Catalog) -> list[str]:
    return [spec.id for spec in catalog.list()]


def mistake(catalog: Catalog) -> str:
    with pytest.raises(ConfigError) as caught:
        catalog.check()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- what is listed -----------------------------------------------------------------


def test_the_embedded_model_is_there_before_it_is_converted(tmp_path: Path) -> None:
    spec = catalog(tmp_path).default
    assert (spec.id, spec.source, spec.path) == (DEFAULT, "embedded", None)
    assert spec.created == embedded.CREATED
    assert spec.sampling == {"temperature": 0.2, "top_p": 0.9}


def test_the_embedded_model_once_it_is_converted(tmp_path: Path, embedded_home: Path) -> None:
    spec = catalog(embedded_home).default
    assert spec.path == embedded.folder(embedded_home)
    assert spec.created == embedded.CREATED
    assert spec.sampling == catalog(tmp_path).default.sampling
    assert spec.size_bytes > 250_000_000


def test_a_conversion_is_seen_by_a_catalog_that_knew_the_model(tmp_path: Path) -> None:
    seen = catalog(tmp_path)
    assert seen.default.path is None
    folder = make(embedded.folder(tmp_path))
    (folder / embedded.MANIFEST).write_text(json.dumps({"recipe": embedded.RECIPE}))
    assert seen.default.path == folder


def test_sources_and_order(tmp_path: Path, cache: Path) -> None:
    models = tmp_path / "models"
    make(models / "plain")
    make(models / "org" / "nested")
    snapshot(models, "org/linked", "c1")
    snapshot(cache, "org/cached", "c2")
    apart = make(tmp_path / "apart")
    listed = catalog(tmp_path, models, {"zebra": Model(path=apart)}).list()
    assert [(spec.id, spec.source) for spec in listed] == [
        (DEFAULT, "embedded"),
        ("org/cached", "hub"),
        ("org/linked", "directory"),
        ("org/nested", "directory"),
        ("plain", "directory"),
        ("zebra", "config"),
    ]
    assert listed[-1].path == apart
    assert listed[3].path == models / "org" / "nested"


def test_the_default_is_listed_first(tmp_path: Path, cache: Path) -> None:
    snapshot(cache, "a/a", "c1")
    snapshot(cache, "z/z", "c1")
    chosen = Catalog(Config(defaults=Defaults(model="Z/z")), tmp_path)
    assert ids(chosen) == ["z/z", "a/a", DEFAULT]
    assert chosen.default.id == "z/z"


def test_the_first_source_of_an_id_wins(tmp_path: Path, cache: Path) -> None:
    models = tmp_path / "models"
    mine = make(models / "org" / "m")
    snapshot(cache, "org/m", "c1")
    assert catalog(tmp_path, models).resolve("org/m").path == mine
    apart = make(tmp_path / "apart")
    configured = catalog(tmp_path, models, {"org/m": Model(path=apart), DEFAULT: Model(path=mine)})
    assert configured.resolve("org/m").path == apart
    assert configured.default.source == "config"


def test_main_is_the_snapshot_taken(tmp_path: Path, cache: Path) -> None:
    main = snapshot(cache, "org/m", "c1")
    snapshot(cache, "org/m", "c2", main=False)
    assert catalog(tmp_path).resolve("org/m").path == main


def test_without_main_the_newest_whole_snapshot_is_taken(tmp_path: Path, cache: Path) -> None:
    folders = [snapshot(cache, "org/m", f"c{n}", main=False) for n in range(3)]
    for age, folder in zip((300, 200, 100), folders, strict=True):
        (folder / "extra.txt").write_text("")
        os.utime(folder, (1_700_000_000 - age,) * 2)
    assert catalog(tmp_path).resolve("org/m").path == folders[2]


def test_while_main_is_being_fetched_the_snapshot_before_it_is_taken(
    tmp_path: Path, cache: Path
) -> None:
    whole = snapshot(cache, "org/m", "c1")
    (snapshot(cache, "org/m", "c2") / "model.safetensors").unlink()
    assert catalog(tmp_path).resolve("org/m").path == whole


def test_the_cache_named_in_the_environment_counts_when_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = catalog(tmp_path)
    assert ids(seen) == [DEFAULT]
    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "other"))
    snapshot(tmp_path / "other" / "hub", "org/m", "c1")
    assert ids(seen) == [DEFAULT, "org/m"]


def test_created_is_the_age_of_the_config_and_size_that_of_the_weights(
    tmp_path: Path, cache: Path
) -> None:
    folder = snapshot(cache, "org/m", "c1")
    os.utime(folder / "config.json", (1_700_000_000, 1_700_000_000))
    spec = catalog(tmp_path).resolve("org/m")
    assert spec.created == 1_700_000_000
    assert spec.size_bytes == len("weights")


def test_what_else_lies_in_a_cache_is_passed_over(tmp_path: Path, cache: Path) -> None:
    make(cache / "datasets--org--data" / "snapshots" / "c1")
    (cache / "models--org--empty" / "snapshots").mkdir(parents=True)
    (cache / ".locks" / "models--org--m").mkdir(parents=True)
    (cache / "version.txt").write_text("1")
    (cache / "models--").mkdir()
    assert ids(catalog(tmp_path)) == [DEFAULT]


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


@pytest.mark.parametrize("gone", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_folder_that_lacks_a_file_is_no_model(gone: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "models" / "m")
    (folder / gone).unlink()
    assert ids(catalog(tmp_path, tmp_path / "models")) == [DEFAULT]


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


def test_broken_json_is_passed_over(tmp_path: Path) -> None:
    make(tmp_path / "models" / "broken", {"config.json": "{"})
    make(tmp_path / "models" / "list", {"config.json": "[]"})
    make(tmp_path / "models" / "deep", {"config.json": "[" * 99999})
    make(tmp_path / "models" / "odd", {"config.json": '{"model_type": 1, "architectures": [2]}'})
    make(tmp_path / "models" / "fine", {"generation_config.json": "{"})
    assert ids(catalog(tmp_path, tmp_path / "models")) == [DEFAULT, "fine"]


# --- names --------------------------------------------------------------------------


def test_ids_and_aliases_resolve_in_any_case(tmp_path: Path, cache: Path) -> None:
    snapshot(cache, "Org/Model-4B", "c1")
    found = catalog(tmp_path, models={"Org/Model-4B": Model(aliases=("gpt-4o",))})
    for name in ("Org/Model-4B", "org/model-4b", "gpt-4o", "GPT-4o"):
        assert found.resolve(name).id == "Org/Model-4B"


def test_an_exact_id_comes_before_an_alias_or_another_case(tmp_path: Path) -> None:
    models = tmp_path / "models"
    for name in ("Qwen", "qwen", "other"):
        make(models / name)
    found = catalog(tmp_path, models, {"other": Model(aliases=("QWEN",))})
    assert found.resolve("Qwen").id == "Qwen"
    assert found.resolve("qwen").id == "qwen"
    assert found.resolve("QWEN").id == "other"


def test_a_model_pulled_while_serving_is_found(tmp_path: Path, cache: Path) -> None:
    seen = catalog(tmp_path)
    with pytest.raises(NotFound):
        seen.resolve("org/m")
    folder = snapshot(cache, "org/m", "c1")
    assert seen.resolve("org/m").path == folder


def test_a_model_that_was_removed_is_not_found(tmp_path: Path, cache: Path) -> None:
    folder = snapshot(cache, "org/m", "c1")
    seen = catalog(tmp_path)
    seen.resolve("org/m")
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(NotFound):
        seen.resolve("org/m")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "mlx-community/Qwen3-4B-8bit",
            "The model 'mlx-community/Qwen3-4B-8bit' does not exist. Did you mean "
            "'mlx-community/Qwen3-4B-4bit'? Get one with `mlx-router pull"
            " mlx-community/Qwen3-4B-8bit`,",
        ),
        ("qwen3-4b", "Did you mean 'mlx-community/Qwen3-4B-4bit'?"),
        ("fst", "Did you mean 'mlx-community/Qwen3-4B-4bit'?"),
        ("gpt-4o", "The model 'gpt-4o' does not exist. Get one with `mlx-router pull <org/name>`"),
        ("x" * 9999, "x" * 77 + "...' does not exist."),
    ],
)
def test_an_unknown_name_is_answered_with_advice(
    name: str, message: str, tmp_path: Path, cache: Path
) -> None:
    qwen = "mlx-community/Qwen3-4B-4bit"
    snapshot(cache, qwen, "c1")
    with pytest.raises(NotFound) as caught:
        catalog(tmp_path, models={qwen: Model(aliases=("fast",))}).resolve(name)
    assert message in caught.value.message
    assert caught.value.code == "model_not_found"
    assert caught.value.param is None
    assert str(tmp_path) not in caught.value.message


# --- settings of single models ------------------------------------------------------


def test_settings_apply_by_id_whatever_the_source(tmp_path: Path, cache: Path) -> None:
    snapshot(cache, "org/m", "c1")
    settings = Model(supports_tools=False, context_length=99, chat_template="chatml")
    spec = catalog(tmp_path, models={"org/m": settings}).resolve("org/m")
    assert (spec.supports_tools, spec.context_length, spec.source) == (False, 99, "hub")
    embedded_spec = catalog(tmp_path, models={DEFAULT: Model(aliases=("small",))}).resolve("small")
    assert embedded_spec.id == DEFAULT


def test_sampling_of_the_config_is_above_that_of_the_model(tmp_path: Path) -> None:
    generation = {"temperature": 0.6, "top_k": 20, "eos_token_id": 2}
    make(tmp_path / "models" / "m", {"generation_config.json": json.dumps(generation)})
    settings = Model(sampling=Sampling(temperature=0.1, min_p=0.05))
    spec = catalog(tmp_path, tmp_path / "models", {"m": settings}).resolve("m")
    assert spec.sampling == {"temperature": 0.1, "top_k": 20, "min_p": 0.05}


@pytest.mark.parametrize(
    "generation", [{"temperature": "hot"}, {"temperature": 0.5, "do_sample": False}]
)
def test_sampling_that_does_not_apply_is_left_out(
    generation: dict[str, Any], tmp_path: Path
) -> None:
    folder = make(tmp_path / "m", {"generation_config.json": json.dumps(generation)})
    assert look(folder).sampling == {}


def test_a_chat_template_is_a_family_a_file_or_itself(tmp_path: Path) -> None:
    file = tmp_path / "mine.jinja"
    file.write_text("hello")
    texts = {}
    for form in ("chatml", str(file), "{{ messages }}"):
        found = catalog(tmp_path, models={DEFAULT: Model(chat_template=form)})
        found.check()
        texts[form] = found.chat_template(found.default)
    assert "<|im_start|>" in str(texts.pop("chatml"))
    assert texts == {str(file): "hello", "{{ messages }}": "{{ messages }}"}
    assert catalog(tmp_path).chat_template(catalog(tmp_path).default) is None


# --- mistakes in config.json --------------------------------------------------------


def test_a_right_config_passes(tmp_path: Path) -> None:
    adapter = tmp_path / "lora"
    adapter.mkdir()
    for name in ("adapter_config.json", "adapters.safetensors"):
        (adapter / name).write_text("{}")
    settings = Model(path=make(tmp_path / "m"), adapter=adapter, aliases=("one", "two"))
    models = {"m": settings, "later": Model(aliases=("three",))}
    catalog(tmp_path, tmp_path, models).check()


def test_a_model_directory_must_exist(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    expected = f"defaults.model_directory: {missing} is not a folder"
    assert mistake(catalog(tmp_path, missing)) == expected


def test_a_model_path_must_hold_a_model(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert mistake(catalog(tmp_path, models={"m": Model(path=missing)})) == (
        f"models.m.path: {missing} is not a folder"
    )
    missing.mkdir()
    assert mistake(catalog(tmp_path, models={"m": Model(path=missing)})) == (
        f"models.m.path: {missing} lacks config.json"
    )


def test_an_adapter_must_be_one(tmp_path: Path) -> None:
    assert mistake(catalog(tmp_path, models={"m": Model(adapter=tmp_path)})) == (
        f"models.m.adapter: {tmp_path} lacks adapter_config.json"
    )


def test_an_unknown_template_names_the_nearest_family(tmp_path: Path) -> None:
    message = mistake(catalog(tmp_path, models={"m": Model(chat_template="lama3")}))
    assert message.startswith("models.m.chat_template: 'lama3' is no readable file")
    assert message.endswith("Did you mean llama3?")
    assert "chatml, gemma, llama3, mistral, phi3, zephyr" in message


def test_a_missing_template_file_is_named(tmp_path: Path) -> None:
    message = mistake(catalog(tmp_path, models={"m": Model(chat_template="./none.jinja")}))
    assert "'./none.jinja' is no readable file" in message


@pytest.mark.parametrize("alias", [DEFAULT, "ONE", "b"])
def test_an_alias_must_mean_one_model(alias: str, tmp_path: Path) -> None:
    models = {"b": Model(aliases=("one",)), "c": Model(aliases=(alias,))}
    message = mistake(catalog(tmp_path, models=models))
    assert message.startswith(f"models.c.aliases: {alias!r} already means the model ")


def test_none_of_these_modules_imports_mlx() -> None:
    code = (
        "import router.config, router.catalog, router.embedded, router.hub, sys;"
        "print({'mlx', 'mlx_lm', 'gguf2mlx', 'huggingface_hub'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "set()"
