import os
from pathlib import Path

import pytest

from router import embedded
from router.config import Model
from router.tests.modelfolders import catalog, ids, make, snapshot

DEFAULT, BASE = embedded.TOOLS.id, embedded.BASE.id


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache."""
    folder = tmp_path / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(folder))
    return folder


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
        (BASE, "embedded"),
        ("zebra", "config"),
    ]
    assert listed[-1].path == apart
    assert listed[3].path == models / "org" / "nested"


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
    assert ids(seen) == [DEFAULT, BASE]
    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "other"))
    snapshot(tmp_path / "other" / "hub", "org/m", "c1")
    assert ids(seen) == [DEFAULT, "org/m", BASE]


def test_what_else_lies_in_a_cache_is_passed_over(tmp_path: Path, cache: Path) -> None:
    make(cache / "datasets--org--data" / "snapshots" / "c1")
    (cache / "models--org--empty" / "snapshots").mkdir(parents=True)
    (cache / ".locks" / "models--org--m").mkdir(parents=True)
    (cache / "version.txt").write_text("1")
    (cache / "models--").mkdir()
    assert ids(catalog(tmp_path)) == [DEFAULT, BASE]


@pytest.mark.parametrize("gone", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_folder_that_lacks_a_file_is_no_model(gone: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "models" / "m")
    (folder / gone).unlink()
    assert ids(catalog(tmp_path, tmp_path / "models")) == [DEFAULT, BASE]


def test_broken_json_is_passed_over(tmp_path: Path) -> None:
    make(tmp_path / "models" / "broken", {"config.json": "{"})
    make(tmp_path / "models" / "list", {"config.json": "[]"})
    make(tmp_path / "models" / "deep", {"config.json": "[" * 99999})
    make(tmp_path / "models" / "odd", {"config.json": '{"model_type": 1, "architectures": [2]}'})
    make(tmp_path / "models" / "fine", {"generation_config.json": "{"})
    assert ids(catalog(tmp_path, tmp_path / "models")) == [DEFAULT, "fine", BASE]
