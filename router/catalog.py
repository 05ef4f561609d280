"""What models exist, and which of them a request's model name means.

An id found in several places of modelplaces.py is the one of the first. Only whole text models
that MLX can load are listed; whatever else lies there is passed over. Settings under
``models.<id>`` apply by id, wherever the model is.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path

from router import embedded
from router.config import Config, ConfigError, Model, is_inline
from router.errors import NotFound
from router.modelfolder import Facts, look
from router.modelplaces import Source, places

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class ModelSpec:
    """One model. ``path`` is None for an embedded model before its first use. ``created`` is
    in unix seconds and does not change; ``size_bytes`` is that of the weights; ``sampling``
    holds only what config.json or the model itself sets.
    """

    id: str
    path: Path | None
    source: Source
    created: int
    aliases: tuple[str, ...] = ()
    supports_tools: bool = True
    chat_template: str | None = None
    adapter: Path | None = None
    context_length: int | None = None
    sampling: dict[str, float] = field(default_factory=dict)
    size_bytes: int = 0


Specs = list[ModelSpec]


class Catalog:
    """Looks at the disk anew whenever a name is not known yet, so that a model pulled while the
    server runs is found.
    """

    def __init__(self, config: Config, home: Path) -> None:
        self.config = config
        self._home = home
        self._names: dict[str, ModelSpec] = {}

    @property
    def default(self) -> ModelSpec:
        return self.resolve(self.config.defaults.model)

    def resolve(self, name: str) -> ModelSpec:
        """The model with this id or alias, in any case. Raises NotFound."""
        spec = self._lookup(name)
        if spec is None or not self._is_current(spec):
            self._scan()
            spec = self._lookup(name)
        if spec is None:
            raise NotFound(self._not_found(name), code="model_not_found")
        return spec

    def list(self) -> Specs:
        """The default model first, then by id."""
        specs = self._scan()
        default = self._lookup(self.config.defaults.model)
        return sorted(specs, key=lambda spec: (spec != default, spec.id))

    def check(self) -> None:
        """Raises ConfigError where config.json names what does not exist or names it twice."""
        directory = self.config.defaults.model_directory
        if directory and not directory.is_dir():
            raise ConfigError(f"defaults.model_directory: {directory} is not a folder")
        for id, model in self.config.models.items():
            _check_folders(id, model)
            if model.chat_template:
                _template(model.chat_template, id)
        self._check_aliases()

    def chat_template(self, spec: ModelSpec) -> str | None:
        """The template text that replaces the model's own, if any. Raises ConfigError."""
        return _template(spec.chat_template, spec.id) if spec.chat_template else None

    def _scan(self) -> Specs:
        found: dict[str, ModelSpec] = {}
        for id, source, path in places(self.config, self._home):
            if id not in found and (spec := self._spec(id, source, path)):
                found[id] = spec
        specs = list(found.values())
        self._names = _by_name(specs)
        return specs

    def _spec(self, id: str, source: Source, path: Path | None) -> ModelSpec | None:
        # An embedded model has no folder before its first use.
        facts = Facts("", sampling=embedded.MODELS[id].sampling) if path is None else look(path)
        if facts.lack:
            return None
        model = self.config.models.get(id, Model())
        return ModelSpec(
            id=id,
            path=path,
            source=source,
            created=embedded.MODELS[id].created if source == "embedded" else facts.created,
            aliases=model.aliases,
            supports_tools=model.supports_tools,
            chat_template=model.chat_template,
            adapter=model.adapter,
            context_length=model.context_length,
            sampling={**facts.sampling, **model.sampling.model_dump(exclude_none=True)},
            size_bytes=facts.size_bytes,
        )

    def _lookup(self, name: str) -> ModelSpec | None:
        return self._names.get(name) or self._names.get(name.casefold())

    def _is_current(self, spec: ModelSpec) -> bool:
        if spec.path is None:
            return not embedded.is_ready(self._home, spec.id)
        return (spec.path / "config.json").is_file()

    def _not_found(self, name: str) -> str:
        shown = name if len(name) <= 80 else name[:77] + "..."
        near = {spec.id.rpartition("/")[2].casefold(): spec.id for spec in self._names.values()}
        near |= {known.casefold(): spec.id for known, spec in self._names.items()}
        close = difflib.get_close_matches(shown.casefold(), near, n=1)
        hint = f" Did you mean {near[close[0]]!r}?" if close else ""
        repo = shown if re.fullmatch(r"[\w.-]+/[\w.-]+", shown) else "<org/name>"
        return (
            f"The model {shown!r} does not exist.{hint} Get one with `mlx-router pull {repo}`, or"
            " let a model answer to this name with models.<id>.aliases in config.json."
        )

    def _check_aliases(self) -> None:
        owners = {id.casefold(): id for id in (spec.id for spec in self._scan())}
        owners |= {id.casefold(): id for id in self.config.models}
        for id, model in self.config.models.items():
            for alias in model.aliases:
                owner = owners.setdefault(alias.casefold(), id)
                if owner != id:
                    raise ConfigError(
                        f"models.{id}.aliases: {alias!r} already means the model {owner}"
                    )


def _by_name(specs: Specs) -> dict[str, ModelSpec]:
    """Ids before aliases, and both as they are written before other cases of them."""
    names: dict[str, ModelSpec] = {}
    for form in (str, str.casefold):
        for spec in specs:
            names.setdefault(form(spec.id), spec)
        for spec in specs:
            for alias in spec.aliases:
                names.setdefault(form(alias), spec)
    return names


# --- what config.json says of them --------------------------------------------------


def _check_folders(id: str, model: Model) -> None:
    if model.path and not model.path.is_dir():
        raise ConfigError(f"models.{id}.path: {model.path} is not a folder")
    if model.path and (lack := look(model.path).lack):
        raise ConfigError(f"models.{id}.path: {model.path} lacks {lack}")
    for name in ("adapter_config.json", "adapters.safetensors"):
        if model.adapter and not (model.adapter / name).is_file():
            raise ConfigError(f"models.{id}.adapter: {model.adapter} lacks {name}")


def _template(text: str, id: str) -> str:
    """Template text from itself, the name of a shipped family, or a file."""
    if is_inline(text):
        return text
    families = sorted(path.stem for path in TEMPLATES.glob("*.jinja"))
    path = TEMPLATES / f"{text}.jinja" if text in families else Path(text).expanduser()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        close = difflib.get_close_matches(text, families, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise ConfigError(
            f"models.{id}.chat_template: {text!r} is no readable file, no template and none of"
            f" {', '.join(families)}.{hint}"
        ) from None
