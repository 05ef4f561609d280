import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from router import embedded
from router.catalog import Catalog
from router.config import Config, ConfigError, Defaults, Model, Sampling
from router.embedded.sealed import MANIFEST
from router.errors import NotFound
from router.tests.modelfolders import catalog, ids, make, snapshot

DEFAULT, BASE = embedded.TOOLS.id, embedded.BASE.id


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache."""
    folder = tmp_path / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(folder))
    return folder


def mistake(catalog: Catalog) -> str:
    with pytest.raises(ConfigError) as caught:
        catalog.check()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- what is listed -----------------------------------------------------------------


def test_the_embedded_model_is_there_before_it_is_converted(tmp_path: Path) -> None:
    spec = catalog(tmp_path).default
    assert (spec.id, spec.source, spec.path) == (DEFAULT, "embedded", None)
    assert spec.created == embedded.TOOLS.created
    assert spec.sampling == {"temperature": 0.0}


def test_the_embedded_model_once_it_is_converted(tmp_path: Path, embedded_home: Path) -> None:
    spec = catalog(embedded_home).resolve(BASE)
    assert spec.path == embedded.folder(embedded_home, BASE)
    assert spec.created == embedded.BASE.created
    assert spec.sampling == catalog(tmp_path).resolve(BASE).sampling
    assert spec.size_bytes > 250_000_000


def test_a_conversion_is_seen_by_a_catalog_that_knew_the_model(tmp_path: Path) -> None:
    seen = catalog(tmp_path)
    assert seen.default.path is None
    folder = make(embedded.folder(tmp_path, DEFAULT))
    (folder / MANIFEST).write_text(json.dumps({"recipe": embedded.TOOLS.recipe}))
    assert seen.default.path == folder


def test_the_default_is_listed_first(tmp_path: Path, cache: Path) -> None:
    snapshot(cache, "a/a", "c1")
    snapshot(cache, "z/z", "c1")
    chosen = Catalog(Config(defaults=Defaults(model="Z/z")), tmp_path)
    assert ids(chosen) == ["z/z", "a/a", BASE, DEFAULT]
    assert chosen.default.id == "z/z"


def test_created_is_the_age_of_the_config_and_size_that_of_the_weights(
    tmp_path: Path, cache: Path
) -> None:
    folder = snapshot(cache, "org/m", "c1")
    os.utime(folder / "config.json", (1_700_000_000, 1_700_000_000))
    spec = catalog(tmp_path).resolve("org/m")
    assert spec.created == 1_700_000_000
    assert spec.size_bytes == len("weights")


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
