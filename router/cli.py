"""The command line: ``mlx-router`` or ``python -m router``.

Exit codes: 0 done, 1 the thing asked about is not well, 2 the command cannot be carried out
(one line on stderr says why and what to do).
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from router import __version__, config, configdocs, console, doctor, embedded, hub, logs, serve
from router.catalog import Catalog, ModelSpec
from router.errors import ApiError

cli = typer.Typer(
    name="mlx-router",
    help="A local OpenAI-compatible server for MLX models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
config_cli = typer.Typer(help="Write and describe the configuration file.", no_args_is_help=True)
cli.add_typer(config_cli, name="config")


class Engine(StrEnum):
    MLX = "mlx"
    SCRIPTED = "scripted"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Configuration file [default: ./config.json]")
]
ModelOption = Annotated[str | None, typer.Option("--model", help="Default model.")]
HostOption = Annotated[str | None, typer.Option(help="Address to listen on [default: 127.0.0.1]")]
PortOption = Annotated[int | None, typer.Option(help="Port to listen on [default: 8800]")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def fail(message: str) -> NoReturn:
    typer.echo(f"mlx-router: {message}", err=True)
    raise typer.Exit(2)


def _configure(file: Path | None, **flags: dict[str, Any]) -> config.Config:
    """The configuration with the flags that were given on top. Exits with 2 when it is wrong."""
    overrides = {
        section: {key: value for key, value in values.items() if value is not None}
        for section, values in flags.items()
    }
    try:
        return config.load(file, overrides)
    except config.ConfigError as error:
        fail(str(error))


def _catalog(settings: config.Config) -> tuple[Catalog, ModelSpec]:
    try:
        catalog = Catalog(settings, config.home())
        catalog.check()
        return catalog, catalog.default
    except (config.ConfigError, ApiError) as error:
        fail(str(error))


@cli.command("serve")
def serve_command(
    host: HostOption = None,
    port: PortOption = None,
    config_file: ConfigOption = None,
    model: ModelOption = None,
    engine: Annotated[Engine, typer.Option(help="scripted needs no weights.")] = Engine.MLX,
    log_format: Annotated[LogFormat, typer.Option()] = LogFormat.TEXT,
) -> None:
    """Serve the OpenAI API. Ctrl-C drains, twice stops at once."""
    settings = _configure(
        config_file, server={"host": host, "port": port}, defaults={"model": model}
    )
    _, default = _catalog(settings)
    try:
        sock = serve.bind(settings.server.host, settings.server.port)
    except serve.CannotListen as error:
        fail(str(error))
    logs.configure(log_format.value)
    progress = console.LoadProgress(default.id)
    from router.app import create_app

    app = create_app(settings, home=config.home(), engine=engine.value, on_progress=progress)
    actual_port = sock.getsockname()[1]
    serve.run(
        app,
        sock,
        on_bound=lambda: console.banner(settings, default, actual_port, engine.value),
    )


@cli.command()
def models(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the models that can be served."""
    catalog, default = _catalog(_configure(config_file))
    specs = catalog.list()
    if as_json:
        rows = [
            {
                "id": spec.id,
                "source": spec.source,
                "path": str(spec.path) if spec.path else None,
                "aliases": list(spec.aliases),
                "size_bytes": spec.size_bytes,
                "default": spec.id == default.id,
            }
            for spec in specs
        ]
        typer.echo(json.dumps(rows))
    else:
        console.out.print(console.models_table(specs, default.id))


@cli.command()
def pull(
    repo: Annotated[str, typer.Argument(help="A Hugging Face repo, or an embedded model's id.")],
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit.")] = None,
) -> None:
    """Download a model, or prepare an embedded one."""
    progress = console.LoadProgress(repo)
    try:
        if repo in embedded.MODELS:
            path = embedded.ensure(config.home(), repo, progress)
        else:
            path = hub.pull(repo, revision, progress)
    except (embedded.EmbeddedError, hub.HubError) as error:
        progress.close()
        fail(str(error))
    progress.close()
    typer.echo(path)


@cli.command()
def chat(
    prompt: Annotated[str | None, typer.Argument(help="One question; without it, a talk.")] = None,
    model: ModelOption = None,
    base_url: Annotated[
        str, typer.Option(envvar="OPENAI_BASE_URL", help="A running router.")
    ] = "http://localhost:8800/v1",
    api_key: Annotated[str, typer.Option(envvar="OPENAI_API_KEY")] = "unused",
) -> None:
    """Talk to a running router; answers stream, with their speed."""
    from router import chatclient

    try:
        chatclient.talk(base_url, api_key, model, prompt)
    except chatclient.ChatError as error:
        fail(str(error))


@cli.command("doctor")
def doctor_command(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check what the router needs; exit code 1 when something is wrong."""
    checks = doctor.examine(_configure(config_file), config.home())
    if as_json:
        typer.echo(doctor.as_json(checks))
    else:
        marks = {True: "[green]ok[/]  ", False: "[red]bad[/] ", None: "    "}
        for check in checks:
            console.out.print(f"{marks[check.ok]} {check.name:<7} {check.detail}", soft_wrap=True)
    if any(check.ok is False for check in checks):
        raise typer.Exit(1)


@config_cli.command("init")
def config_init(
    file: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("config.json"),
) -> None:
    """Write a commented example with every setting at its default."""
    try:
        with file.open("x") as stream:
            stream.write(configdocs.example())
    except FileExistsError:
        fail(f"{file} exists already. Name another file: mlx-router config init OTHER.json")
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror}.")
    typer.echo(file)


@config_cli.command("schema")
def config_schema() -> None:
    """Print the JSON Schema of the configuration file, for editors."""
    typer.echo(json.dumps(configdocs.json_schema(), indent=2))


@cli.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)
