import errno
import hashlib
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from router import hub
from router.hub import HubError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = random.Random(1).randbytes(3_000_000)
FILES = {
    "config.json": b'{"model_type": "llama"}',
    "tokenizer.json": b"{}",
    "merges.txt": b"a b",
    "model.safetensors": WEIGHTS,
    "README.md": b"not needed",
    "modeling.py": b"never run",
    "onnx/config.json": b"another program's",
}
NEEDED = {"config.json", "tokenizer.json", "merges.txt", "model.safetensors"}


class Hub(ThreadingHTTPServer):
    """Answers what the hub's library asks for one model, ``org/tiny``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = FILES
        self.asked: list[tuple[str, str]] = []
        self.failure: tuple[int, str] | None = None
        self.pausing = False
        self.paused = threading.Event()
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def downloaded(self) -> set[str]:
        return {path.rpartition("/")[2] for method, path in self.asked if method == "GET"} & {
            name.rpartition("/")[2] for name in self.files
        }


class Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append((self.command, path))
        api, files = "/api/models/org/tiny", f"/org/tiny/resolve/{COMMIT}/"
        if self.server.failure:
            self.fail(*self.server.failure)
        elif path == f"{api}/revision/main":
            siblings = [{"rfilename": name} for name in self.server.files]
            self.send_json({"id": "org/tiny", "sha": COMMIT, "siblings": siblings})
        elif path == f"{api}/tree/{COMMIT}":
            self.send_json([self.entry(name) for name in self.server.files])
        elif path.startswith(api):
            self.fail(404, "RevisionNotFound")
        elif path.startswith(files):
            self.send_file(self.server.files[path.removeprefix(files)])
        else:
            self.fail(401, "RepoNotFound")

    def entry(self, name: str) -> dict[str, Any]:
        data = self.server.files[name]
        return {"type": "file", "path": name, "size": len(data), "oid": etag(data)}

    def fail(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send_json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_file(self, data: bytes) -> None:
        start = int(self.headers.get("Range", "bytes=0-")[6:].rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{etag(data)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.server.pausing and data is WEIGHTS:
            self.wfile.write(data[start : len(data) // 2])
            self.wfile.flush()
            self.server.paused.set()
            self.server.released.wait(20)
            return
        self.wfile.write(data[start:])

    def log_message(self, format: str, *args: object) -> None:
        pass


def etag(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path))
        monkeypatch.delenv("HF_HUB_CACHE", raising=False)
        yield running
        running.released.set()
        running.shutdown()
        thread.join()


def silent(stage: str, fraction: float) -> None:
    pass


def complaint(repo: str = "org/tiny", revision: str | None = None) -> str:
    with pytest.raises(HubError) as caught:
        hub.pull(repo, revision, silent)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_pull_fetches_what_mlx_needs_and_nothing_else(server: Hub, tmp_path: Path) -> None:
    folder = hub.pull("org/tiny", None, silent)
    assert folder == tmp_path / "hub" / "models--org--tiny" / "snapshots" / COMMIT
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        name: FILES[name] for name in NEEDED
    }
    assert server.downloaded() == NEEDED


def test_progress_reports_fractions_and_draws_nothing(
    server: Hub, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[str, float]] = []
    hub.pull("org/tiny", None, lambda stage, fraction: seen.append((stage, fraction)))
    assert {stage for stage, _ in seen} == {"download"}
    fractions = [fraction for _, fraction in seen]
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    assert fractions == sorted(fractions)
    assert len(set(fractions)) > 2
    assert capfd.readouterr() == ("", "")


def test_a_second_pull_downloads_nothing(server: Hub) -> None:
    folder = hub.pull("org/tiny", None, silent)
    server.asked.clear()
    assert hub.pull("org/tiny", "main", silent) == folder
    assert server.downloaded() == set()


def test_a_pull_that_was_killed_completes_when_it_is_run_again(server: Hub) -> None:
    server.pausing = True
    code = "from router import hub; hub.pull('org/tiny', None, print)"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert server.paused.wait(20)
        process.kill()
    server.pausing = False
    server.released.set()
    cut = hub.cache_folder() / "models--org--tiny" / "snapshots" / COMMIT / "model.safetensors"
    assert not cut.exists()
    folder = hub.pull("org/tiny", None, silent)
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS


def test_a_repo_without_safetensors_is_refused_before_the_download(server: Hub) -> None:
    server.files = {"config.json": b"{}", "model.gguf": b"weights"}
    assert complaint().startswith("org/tiny holds no model.safetensors, which MLX needs")
    assert server.downloaded() == set()


def test_an_unknown_repo(server: Hub) -> None:
    assert complaint("org/huge").startswith("the hub has no model org/huge, or it is private")


def test_an_unknown_revision(server: Hub) -> None:
    assert complaint(revision="v9").startswith("org/tiny has no revision 'v9'")


def test_a_gated_repo(server: Hub) -> None:
    server.failure = (403, "GatedRepo")
    assert "https://huggingface.co/org/tiny" in complaint()


def test_a_name_that_cannot_be_a_repo(server: Hub) -> None:
    assert complaint("not a repo").startswith("'not a repo' is not the name of a repo")
    assert server.asked == []


def test_a_hub_in_trouble(server: Hub) -> None:
    server.failure = (500, "")
    assert complaint().startswith("the hub answered 500 for org/tiny: pull again later")


def test_a_hub_out_of_reach(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    message = complaint()
    assert message.startswith("org/tiny could not be fetched from http://127.0.0.1:9 (")
    assert "check the network" in message


def test_offline_mode_is_named() -> None:
    """The hub's library reads this variable once, so it takes a process of its own."""
    code = (
        "from router import hub\n"
        "try: hub.pull('org/tiny', None, print)\n"
        "except hub.HubError as error: print(error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    assert run.stdout == "HF_HUB_OFFLINE is set: unset it to pull org/tiny.\n"


def test_a_full_disk_is_named_through_what_wraps_it() -> None:
    error = RuntimeError("download failed")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert hub.explain(error, "org/tiny", None).startswith("the disk is full")


def test_the_cache_is_where_the_hubs_library_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert hub.cache_folder() == Path.home() / ".cache" / "huggingface" / "hub"
    for name, expected in (
        ("XDG_CACHE_HOME", tmp_path / "huggingface" / "hub"),
        ("HF_HOME", tmp_path / "hub"),
        ("HF_HUB_CACHE", tmp_path),
    ):
        monkeypatch.setenv(name, str(tmp_path))
        assert hub.cache_folder() == expected
        code = "from huggingface_hub import constants; print(constants.HF_HUB_CACHE)"
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert run.stdout.strip() == str(expected)
