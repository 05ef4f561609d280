"""The user's settings: one frozen value, made of flags over environment over file over default.

A file is JSON that may hold whole-line ``//`` comments and a ``$schema`` key. Paths in it are
relative to the file; paths in flags and in the environment are relative to the working folder.
Environment variables are named ``MLX_ROUTER_SERVER__PORT``; lists in them are separated by
commas. ``MLX_MODEL_DIR`` sets ``defaults.model_directory`` unless the longer name does.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from router.configerrors import sentence

PREFIX = "MLX_ROUTER_"
DELIMITER = "__"


class ConfigError(ValueError):
    """The settings are wrong. The message is one line for the user: what, where, what to do."""


# --- the settings -------------------------------------------------------------------


def _split_commas(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


Strings = Annotated[tuple[str, ...], BeforeValidator(_split_commas)]
UserPath = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]


class Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_bool(cls, value: object, info: ValidationInfo) -> object:
        """``true`` would otherwise pass as the number 1."""
        if (
            isinstance(value, bool)
            and cls.model_fields[str(info.field_name)].annotation is not bool
        ):
            raise ValueError("should not be true or false")
        return value


class Sampling(Section):
    """How tokens are chosen when a request does not say. None: the model's own default."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    """0 always takes the likeliest token."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Keep the likeliest tokens that sum up to this probability."""
    top_k: int | None = Field(default=None, ge=0)
    """Keep this many of the likeliest tokens; 0 keeps all."""
    min_p: float | None = Field(default=None, ge=0, le=1)
    """Drop tokens less likely than this share of the likeliest one."""
    repetition_penalty: float | None = Field(default=None, gt=0, le=10)
    """Above 1 makes repeated tokens less likely."""


class Defaults(Section):
    stream: bool = False
    """Stream the answer when a request does not say. Leave it off: an SDK that did not ask for
    a stream cannot parse the server-sent events it would get."""
    enable_function_calling: bool = True
    """Offer a request's tools to the model. Off: requests with tools are refused."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Longest answer in tokens when a request does not say. null: what the context leaves, and
    16 for /v1/completions, as at OpenAI."""
    timeout: float = Field(default=600, gt=0)
    """Seconds a request may take from start to end."""
    model: str = Field(default="smollm2-135m-instruct-tools", min_length=1)
    """The model, by id or alias, that is loaded at start."""
    model_directory: UserPath | None = None
    """Folder that holds models, one folder each. MLX_MODEL_DIR sets it too."""


class Server(Section):
    host: str = Field(default="127.0.0.1", min_length=1)
    """Address to listen on. 0.0.0.0 opens the server to the network."""
    port: int = Field(default=8800, ge=0, le=65535)
    """Port to listen on. 0 takes a free one."""
    api_keys: Strings = Field(default=(), repr=False)
    """Keys that clients must send one of. Empty: no key is asked for."""
    cors_origins: Strings = ()
    """Web origins whose pages may call the server, or "*"."""
    allowed_hosts: Strings = ()
    """Host names the server answers to besides its own address. Guards against DNS rebinding."""
    max_queue: int = Field(default=512, ge=1)
    """Requests that may wait; further ones are told to retry."""
    max_batch_size: int = Field(default=32, ge=1, le=1024)
    """Sequences of one model decoded at once."""
    prefill_chunk: int | None = Field(default=None, ge=16)
    """Prompt tokens read between two decoding steps. null: 512 on Metal, 64 on the CPU."""
    prefix_cache_mb: int = Field(default=1024, ge=0)
    """Memory for the KV of past requests, in MB: prompts that begin like them start faster."""
    max_body_mb: int = Field(default=32, ge=1)
    """Largest request body, in MB."""


class Responses(Section):
    path: UserPath | None = None
    """The file that keeps them. null: responses.sqlite3 below MLX_ROUTER_HOME."""
    max_stored: int = Field(default=10_000, ge=1)
    """Responses kept for previous_response_id; the oldest make way."""
    max_stored_mb: int = Field(default=512, ge=1)
    """Disk space they may take, compressed, in MB."""


class Model(Section):
    path: UserPath | None = None
    """Folder of the model. null: found by id in the model directory or Hugging Face cache."""
    aliases: Strings = Field(default=(), examples=[["qwen"]])
    """Other names that requests may use for the model."""
    adapter: UserPath | None = None
    """Folder of a LoRA adapter to load with the model."""
    supports_tools: bool = True
    """Off: requests with tools are refused for this model."""
    chat_template: str | None = Field(default=None, min_length=1)
    """A file, an inline Jinja template, or the name of a shipped family. null: the model's."""
    context_length: int | None = Field(default=None, ge=1)
    """Longest prompt plus answer in tokens. null: what the model was trained for."""
    sampling: Sampling = Sampling()
    """Used for what a request does not say. null: the model's own default."""


class Config(BaseSettings):
    """``Config()`` is the defaults alone; ``load`` brings in the file, environment and flags."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        env_ignore_empty=True,
        enable_decoding=False,
    )

    defaults: Defaults = Defaults()
    """What holds when a request does not say."""
    server: Server = Server()
    """How the server is reached and what it admits."""
    responses: Responses = Responses()
    """What is kept of the Responses API."""
    models: dict[str, Model] = {}
    """Settings of single models, by model id."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what it is given: ``load`` merges, so that an error can name its source."""
        return (init_settings,)


# --- loading ------------------------------------------------------------------------


def home() -> Path:
    """Where converted models, the disk KV cache and state live."""
    return Path(os.environ.get("MLX_ROUTER_HOME") or "~/.cache/mlx-router").expanduser()


def load(file: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Config:
    """The settings in force. ``file`` is the flag's; ``overrides`` are flags as nested dicts,
    in which None means that a flag was not given. Raises ConfigError.
    """
    path = _find_file(file)
    layers = {
        str(path): _anchored(_read(path), path.absolute().parent) if path else {},
        "the environment (MLX_MODEL_DIR)": _model_directory(),
        "the environment": _environment(),
        "the command line": _given(overrides or {}),
    }
    merged: dict[str, Any] = {}
    for where, layer in layers.items():
        _check(layer, where)
        merged = _merge(merged, layer)
    return Config(**merged)


def _check(layer: dict[str, Any], where: str) -> None:
    """Each layer must be valid by itself: a mistake is reported even where a flag hides it."""
    try:
        Config(**layer)
    except ValidationError as error:
        raise ConfigError(sentence(error.errors()[0], where, Config)) from None


def _find_file(flag: Path | None) -> Path | None:
    named = flag or os.environ.get(PREFIX + "CONFIG")
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            origin = "--config" if flag else PREFIX + "CONFIG"
            raise ConfigError(f"{origin} names {path}, which is not a file: correct or drop it")
        return path
    usual = (Path("config.json"), home() / "config.json")
    return next((path for path in usual if path.is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path} as UTF-8 text: {error}") from None
    # A comment leaves its empty line behind, so that errors count lines as the user does.
    lines = ["" if line.lstrip().startswith("//") else line for line in text.split("\n")]
    try:
        data = json.loads("\n".join(lines))
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path} is not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path} should hold one JSON object, as in `mlx-router config init`")
    data.pop("$schema", None)
    return data


def _anchored(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same settings with paths made absolute: the file works from any working folder."""
    models = data.get("models")
    sections = [data.get("defaults"), *(models.values() if isinstance(models, dict) else ())]
    for section in sections:
        if not isinstance(section, dict):
            continue
        for key in ("model_directory", "path", "adapter"):
            if isinstance(value := section.get(key), str):
                section[key] = str(folder / Path(value).expanduser())
        template = section.get("chat_template")
        if isinstance(template, str) and not is_inline(template):
            file = str(folder / Path(template).expanduser())
            section["chat_template"] = file if os.path.isfile(file) else template
    return data


def is_inline(template: str) -> bool:
    """Whether ``models.<id>.chat_template`` is a template itself, and not a name or a path."""
    return "{%" in template or "{{" in template


def _environment() -> dict[str, Any]:
    for name in os.environ:
        section, nested, rest = name.removeprefix(PREFIX).partition(DELIMITER)
        if not (name.startswith(PREFIX) and nested) or section.lower() in Config.model_fields:
            continue
        close = difflib.get_close_matches(section.lower(), Config.model_fields, n=1)
        hint = f": did you mean {PREFIX}{close[0].upper()}{DELIMITER}{rest}?" if close else ""
        raise ConfigError(f"unknown environment variable {name}{hint}")
    return EnvSettingsSource(Config)()


def _model_directory() -> dict[str, Any]:
    folder = os.environ.get("MLX_MODEL_DIR")
    return {"defaults": {"model_directory": folder}} if folder else {}


def _given(overrides: Mapping[str, Any]) -> dict[str, Any]:
    pairs = ((k, _given(v) if isinstance(v, Mapping) else v) for k, v in overrides.items())
    return {key: value for key, value in pairs if value is not None}


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            value = _merge(old, value)
        merged[key] = value
    return merged
