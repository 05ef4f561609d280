"""What a recording keeps, what it leaves out, and how it gets into a file."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from conformance.client import Exchange, Received, Sent, exchange
from conformance.frameworks import given
from conformance.record import cassette
from conformance.record.__main__ import record
from conformance.record.scrub import scrubbed
from conformance.target import SCRIPTED, Target, spawned
from conformance.tests.refusing import refusing

URL = "http://127.0.0.1:8800/v1/chat/completions"
STREAM = b'data: {"choices": []}\n\ndata: [DONE]\n\n'


def made(
    body: object = None, answer: bytes = b"{}", asked: dict[str, str] | None = None, **answered: str
) -> Exchange:
    asking = json.dumps(body, ensure_ascii=False).encode()
    sent = Sent("POST", URL, asked or {}, asking)
    headers = [(name.replace("_", "-"), value) for name, value in answered.items()]
    return Exchange(sent, Received(200, headers, [(0.1, answer), (0.2, b"")], complete=True))


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcDEF123456",
        "Bearer abc.def-123456",
        "hf_abcdefghijklmn",
        "ghp_abcdefghijklmn",
        "AIzaSyabcdefgh123",
        "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl",
        "org-AbCdEfGhIjKlMnOp",
        "proj_AbCdEfGhIjKlMnOp",
        "/home/ada/secret-project/main.py",
        "file:///Users/ada/notes.txt",
        "C:\\Users\\ada\\notes.txt",
        "http://192.168.3.4:8080/v1",
        "the host analytical-engine",
    ],
)
def test_what_is_secret_goes_wherever_it_stands(secret: str) -> None:
    text = f"see {secret}, please"
    answer = json.dumps({"content": text}).encode()
    found = scrubbed(made({"content": text}, answer, {"user-agent": text}), ["analytical-engine"])
    told = secret.removeprefix("Bearer ").removeprefix("the host ")
    for kept in (found.sent.body, found.received.body, found.sent.headers["user-agent"].encode()):
        assert kept
        assert json.dumps(told)[1:-1].encode() not in kept
        assert b"ada" not in kept
        assert kept.count(b"please") == 1


@pytest.mark.parametrize(
    "plain",
    [
        "call_jIqMKetXV8MuOx2SbbQ555p3",
        "chatcmpl-5OL3PuyzrepbqDRfKVgjx7ZAqqyqN",
        "task-oriented risk-management",
        "https://example.com/work/home.html",
        "and/or",
        "OpenAI/Python 3.57.0",
        "an organ-grinder and a projector",
        "analytical-engines",
    ],
)
def test_what_is_not_stays(plain: str) -> None:
    found = scrubbed(made({"content": plain}, plain.encode()), ["analytical-engine"])
    assert found.sent.body == json.dumps({"content": plain}).encode()
    assert found.received.text == plain


def test_headers_that_tell_who_asked_go() -> None:
    asked = {
        "Authorization": "Bearer secret",
        "Cookie": "a=b",
        "User-Agent": "OpenAI/Python 3.57.0",
        "x-stainless-lang": "python",
        "OpenAI-Organization": "ada",
    }
    found = scrubbed(made({}, asked=asked, set_cookie="a=b", content_type="text/plain", server="x"))
    assert found.sent.headers == {
        "user-agent": "OpenAI/Python 3.57.0",
        "x-stainless-lang": "python",
        "authorization": "scrubbed",
    }
    assert found.received.headers == [("content-type", "text/plain")]
    assert found.sent.url == "http://localhost/v1/chat/completions"


def test_a_compressed_answer_is_read() -> None:
    found = scrubbed(made({}, gzip.compress(b'{"a": 1}'), content_encoding="gzip"))
    assert found.received.text == '{"a": 1}'
    assert found.received.headers == []


@pytest.mark.parametrize(
    "answer", [b'{"n": 1.0, "text": "\xc3\xbc"}', STREAM, b"", b"plain\r\n", b"[]"]
)
def test_a_file_gives_back_what_it_was_given(tmp_path: Path, answer: bytes) -> None:
    told = scrubbed(made({"text": "ü", "n": [1, 2.5, None]}, answer, content_type="x"))
    nothing = Exchange(Sent("GET", "http://localhost/v1/models", {}, None), told.received)
    cassette.write(tmp_path / "me" / "first.json", [told, nothing], date(2026, 11, 30))
    first, second = cassette.read(tmp_path)
    assert first.exchange == told
    assert second.exchange == nothing
    assert [first.id, second.id] == ["me/first#0", "me/first#1"]
    assert (first.path, first.made) == ("/chat/completions", date(2026, 11, 30))
    assert first.request == {"text": "ü", "n": [1, 2.5, None]}


def test_a_stream_has_a_line_for_each_of_its_own(tmp_path: Path) -> None:
    cassette.write(tmp_path / "me" / "first.json", [made({}, STREAM)], date(2026, 11, 30))
    lines = (tmp_path / "me" / "first.json").read_text().splitlines()
    assert sum("data: [DONE]" in line for line in lines) == 1
    assert not [line for line in lines if "[DONE]" in line and "choices" in line]


def test_a_client_is_recorded_until_the_interrupt(tmp_path: Path) -> None:
    with refusing() as upstream:
        command = [sys.executable, "-m", "conformance.record", "--upstream", upstream]
        process = subprocess.Popen(
            [*command, "--as", "me/first", "--folder", str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        through = re.findall(r"http://\S+", process.stdout.readline())[0]
        for body in (b"{}", b"\xff"):
            asyncio.run(exchange(Sent("POST", f"{through}/chat/completions", {}, body)))
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate()
        assert process.returncode == 0
    assert "1 exchanges, without 1 that" in said
    [recording] = cassette.read(tmp_path)
    assert recording.path == "/chat/completions"
    assert recording.exchange.received.status == 400


@pytest.fixture(scope="module")
def recorded_by_openai(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("traffic")
    chat, _ = given([f"openai={sys.executable}"])

    async def run() -> None:
        async with spawned("scripted", SCRIPTED) as target:
            secret = Target(target.base_url, target.model, SCRIPTED, "sk-secret-abcdefgh")
            await record(chat, secret, folder, ["tool"])

    asyncio.run(run())
    return folder


def test_a_framework_is_recorded_by_scenario(recorded_by_openai: Path) -> None:
    first, second = cassette.read(recorded_by_openai)
    assert (first.cassette, first.source) == ("openai/tool", "openai")
    assert first.request["tools"]
    assert first.exchange.received.json()["choices"][0]["message"]["tool_calls"]
    assert second.request["messages"][-1]["role"] == "tool"


def test_no_key_gets_into_the_file(recorded_by_openai: Path) -> None:
    text = (recorded_by_openai / "openai" / "tool.json").read_text()
    assert "scrubbed" in text
    assert "secret" not in text
