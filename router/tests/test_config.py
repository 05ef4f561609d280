import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from router import config, configdocs
from router.config import Config, ConfigError


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, an empty home and no variable of ours in the environment."""
    for name in ("MLX_ROUTER_CONFIG", "MLX_MODEL_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLX_ROUTER_HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def write(path: Path, text: str | dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return path


def complaint(file: Path | None = None, overrides: dict[str, Any] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        config.load(file, overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_nothing_given_is_the_defaults() -> None:
    loaded = config.load()
    assert loaded == Config()
    assert (loaded.server.host, loaded.server.port) == ("127.0.0.1", 8800)
    assert loaded.defaults.model == "smollm2-135m-instruct-tools"
    assert loaded.defaults.timeout == 600
    assert loaded.defaults.stream is False


def test_flags_beat_environment_beats_file_beats_default(
    clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = {"port": 1, "max_queue": 1, "host": "file"}
    write(clean / "config.json", {"server": server, "defaults": {"timeout": 5}})
    monkeypatch.setenv("MLX_ROUTER_SERVER__PORT", "2")
    monkeypatch.setenv("MLX_ROUTER_SERVER__MAX_QUEUE", "2")
    loaded = config.load(overrides={"server": {"port": 3}})
    assert loaded.server.port == 3
    assert loaded.server.max_queue == 2
    assert loaded.server.host == "file"
    assert loaded.server.max_batch_size == 32
    assert loaded.defaults.timeout == 5


def test_a_flag_that_was_not_given_changes_nothing() -> None:
    flags = {"server": {"port": None, "host": "0.0.0.0"}, "defaults": {"model": None}}
    loaded = config.load(overrides=flags)
    assert loaded == Config(server=config.Server(host="0.0.0.0"))


def test_the_file_is_found_in_the_documented_order(
    clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def port() -> int:
        return config.load().server.port

    write(tmp_path / "home" / "config.json", {"server": {"port": 1}})
    assert port() == 1
    write(clean / "config.json", {"server": {"port": 2}})
    assert port() == 2
    named = write(tmp_path / "named.json", {"server": {"port": 3}})
    monkeypatch.setenv("MLX_ROUTER_CONFIG", str(named))
    assert port() == 3
    flag = write(tmp_path / "flag.json", {"server": {"port": 4}})
    assert config.load(flag).server.port == 4


def test_lists_in_the_environment_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLX_ROUTER_SERVER__API_KEYS", "one, two")
    assert config.load().server.api_keys == ("one", "two")


def test_an_empty_variable_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLX_ROUTER_SERVER__PORT", "")
    monkeypatch.setenv("MLX_MODEL_DIR", "")
    assert config.load() == Config()


def test_model_directory_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLX_MODEL_DIR", str(tmp_path / "short"))
    assert config.load().defaults.model_directory == tmp_path / "short"
    monkeypatch.setenv("MLX_ROUTER_DEFAULTS__MODEL_DIRECTORY", str(tmp_path / "long"))
    assert config.load().defaults.model_directory == tmp_path / "long"


def test_comments_and_schema_key_are_allowed(clean: Path) -> None:
    text = '// mine\n{\n  "$schema": "x",\n  // why\n  "server": {"host": "//a"}\n}\n'
    write(clean / "config.json", text)
    assert config.load().server.host == "//a"


def test_paths_in_a_file_are_relative_to_it(tmp_path: Path) -> None:
    write(tmp_path / "etc" / "mine.jinja", "hello")
    models = {
        "a": {"path": "weights/a", "adapter": "~/lora", "chat_template": "mine.jinja"},
        "b": {"chat_template": "chatml"},
        "c": {"chat_template": "{{ messages }}"},
    }
    data = {"defaults": {"model_directory": "models"}, "models": models}
    loaded = config.load(write(tmp_path / "etc" / "c.json", data))
    assert loaded.defaults.model_directory == tmp_path / "etc" / "models"
    assert loaded.models["a"].path == tmp_path / "etc" / "weights" / "a"
    assert loaded.models["a"].adapter == Path("~/lora").expanduser()
    assert loaded.models["a"].chat_template == str(tmp_path / "etc" / "mine.jinja")
    assert loaded.models["b"].chat_template == "chatml"
    assert loaded.models["c"].chat_template == "{{ messages }}"


def test_paths_in_flags_are_relative_to_the_working_folder(clean: Path) -> None:
    loaded = config.load(overrides={"defaults": {"model_directory": "models"}})
    assert loaded.defaults.model_directory == clean / "models"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"server": {"prot": 1}},
            "unknown key server.prot in config.json: did you mean server.port?",
        ),
        ({"port": 1}, "unknown key port in config.json: did you mean server.port?"),
        (
            {"models": {"a/b.c": {"temperature": 1}}},
            "unknown key models.a/b.c.temperature in config.json: "
            "did you mean models.a/b.c.sampling.temperature?",
        ),
        (
            {"zzz": 1},
            "unknown key zzz in config.json: known here are defaults, server, responses, models",
        ),
        ({"server": 5}, "server in config.json should be an object, got 5"),
        ({"models": {"a": None}}, "models.a in config.json should be an object, got null"),
        (
            {"server": {"port": True}},
            "server.port in config.json should not be true or false, got true",
        ),
        (
            {"server": {"port": 70000}},
            "server.port in config.json should be less than or equal to 65535, got 70000",
        ),
        (
            {"server": {"cors_origins": 5}},
            "server.cors_origins in config.json should be a list, got 5",
        ),
        (
            {"server": {"api_keys": ["secret", 12345]}},
            "server.api_keys[1] in config.json should be a valid string",
        ),
        (
            {"models": {"a": {"sampling": {"temperature": 3}}}},
            "models.a.sampling.temperature in config.json should be less than or equal to 2, got 3",
        ),
        (
            {"defaults": {"timeout": float("nan")}},
            "defaults.timeout in config.json should be a finite number, got NaN",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(clean: Path, data: dict[str, Any], message: str) -> None:
    write(clean / "config.json", data)
    assert complaint() == message


def test_a_mistake_that_a_flag_hides_is_still_reported(clean: Path) -> None:
    write(clean / "config.json", {"server": {"port": "x"}})
    assert complaint(overrides={"server": {"port": 1}}).startswith("server.port in config.json ")


def test_a_mistake_names_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLX_ROUTER_SERVER__PORT", "http")
    assert complaint().startswith("server.port in the environment should be a valid integer")


def test_an_unknown_variable_is_named_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLX_ROUTER_SERVR__PORT", "1")
    assert complaint() == (
        "unknown environment variable MLX_ROUTER_SERVR__PORT: did you mean MLX_ROUTER_SERVER__PORT?"
    )


def test_broken_json_is_reported_at_the_line_the_user_sees(clean: Path) -> None:
    write(clean / "config.json", '{\n  // a comment\n  "server": {"port": 1,}\n}')
    assert complaint().startswith("config.json is not valid JSON at line 3, column ")


def test_a_file_must_hold_an_object(clean: Path) -> None:
    write(clean / "config.json", "[]")
    assert complaint().startswith("config.json should hold one JSON object")


def test_a_file_must_be_text(clean: Path) -> None:
    (clean / "config.json").write_bytes(b"\xff\xfe\x00")
    assert complaint().startswith("cannot read config.json as UTF-8 text")


def test_a_named_file_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "missing.json"
    assert complaint(missing).startswith(f"--config names {missing}, which is not a file")
    monkeypatch.setenv("MLX_ROUTER_CONFIG", str(missing))
    assert complaint().startswith(f"MLX_ROUTER_CONFIG names {missing}")


def test_settings_are_frozen_and_hide_keys() -> None:
    loaded = config.load(overrides={"server": {"api_keys": ["secret"]}})
    for section, key in ((loaded, "server"), (loaded.server, "port"), (loaded.defaults, "model")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, key, 1)
    assert "secret" not in repr(loaded)


def test_home_defaults_to_the_user_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLX_ROUTER_HOME")
    assert config.home() == Path.home() / ".cache" / "mlx-router"


def test_the_example_loads_to_the_defaults(clean: Path) -> None:
    write(clean / "config.json", configdocs.example())
    assert config.load() == Config()


def test_the_example_model_entry_loads_when_it_is_uncommented(clean: Path) -> None:
    head, entry = configdocs.example().split('"models": {\n')
    write(clean / "config.json", head + '"models": {\n' + re.sub(r"(?m)^    // ", "    ", entry))
    assert config.load().models == {configdocs.EXAMPLE_MODEL: config.Model(aliases=("qwen",))}


def test_every_key_is_described_in_example_and_schema() -> None:
    schema, example = configdocs.json_schema(), configdocs.example()
    shown = " ".join(line.strip(" /") for line in example.splitlines())
    for section in (config.Defaults, config.Server, config.Model, config.Sampling):
        properties = schema["$defs"][section.__name__]["properties"]
        assert list(properties) == list(section.model_fields)
        for name, field in section.model_fields.items():
            assert field.description
            assert properties[name]["description"] == field.description
            assert " ".join(field.description.split()) in shown
            assert f'"{name}": ' in example


def test_the_schema_accepts_what_loads_and_refuses_what_does_not() -> None:
    validator = jsonschema.Draft202012Validator(configdocs.json_schema())
    validator.check_schema(validator.schema)
    assert validator.is_valid({"$schema": "x", "server": {"port": 1, "api_keys": ["a"]}})
    assert validator.is_valid({"models": {"a": {"sampling": {"top_p": 0.5}, "path": None}}})
    for wrong in (
        {"server": {"prot": 1}},
        {"server": {"port": 70000}},
        {"defaults": {"max_tokens": 0}},
        {"models": {"a": {"sampling": {"top_p": 0}}}},
    ):
        assert not validator.is_valid(wrong), wrong


def test_an_example_comment_warns_about_streaming_by_default() -> None:
    assert "server-sent events" in str(config.Defaults.model_fields["stream"].description)
