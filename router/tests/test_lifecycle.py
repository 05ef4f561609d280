"""Crashes, clients that leave, and the ways a server ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time

import httpx
import pytest

from router.tests.conftest import MODEL, Server, Start, wait_until
from router.tests.scripts import script


def slow(**fields: object) -> str:
    """A script of 20 seconds."""
    return script("tick " * 200, rate=10, **fields)


def request(content: str, **fields: object) -> dict[str, object]:
    return {"model": MODEL, "messages": [{"role": "user", "content": content}], **fields}


def test_a_killed_model_process_ends_its_stream_and_nothing_else(start_server: Start) -> None:
    server = start_server("--engine", "scripted")
    body = request(slow(), stream=True)
    with server.http.stream("POST", "/v1/chat/completions", json=body) as response:
        lines = (line for line in response.iter_lines() if line)
        next(lines)
        os.kill(server.model_process(), signal.SIGKILL)
        killed = time.monotonic()
        rest = list(lines)
        assert time.monotonic() - killed < 2
    assert json.loads(rest[-1].removeprefix("data: "))["error"]["type"] == "server_error"
    assert server.http.get("/health").status_code == 200
    assert server.chat("are you there?").status_code == 200


def test_a_crash_while_nobody_streams_is_a_500(scripted: Server) -> None:
    response = scripted.chat(script("a b", mishap={"kind": "crash", "after": 1}))
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "engine_fault"
    assert "Traceback" not in response.text
    assert "/" not in response.json()["error"]["message"]
    assert scripted.chat("are you there?").status_code == 200


@pytest.mark.parametrize("stream", [True, False])
def test_a_process_that_dies_before_it_takes_a_request_is_replaced(
    start_server: Start, stream: bool
) -> None:
    server = start_server("--engine", "scripted")
    assert server.chat("are you there?").status_code == 200
    pid = server.model_process()
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(2, os.kill, (pid, signal.SIGKILL)).start()
    assert server.chat("are you there?", stream=stream).status_code == 200
    assert server.model_process() != pid


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("prefill_ms", [0, 30_000])
def test_a_client_that_leaves_frees_its_sequence(
    scripted: Server, stream: bool, prefill_ms: int
) -> None:
    with scripted.unread(request(slow(prefill_ms=prefill_ms), stream=stream)):
        assert wait_until(lambda: not scripted.idle(), 5)
    assert wait_until(scripted.idle, 1)
    generated = scripted.metric("generation_tokens_total")
    time.sleep(0.3)
    assert scripted.metric("generation_tokens_total") == generated


def test_the_end_of_a_left_request_is_counted(scripted: Server) -> None:
    before = scripted.metric("request_success_total")
    with (
        httpx.Client(base_url=scripted.url) as client,
        client.stream("POST", "/v1/chat/completions", json=request(slow(), stream=True)) as answer,
    ):
        next(answer.iter_lines())
    assert wait_until(lambda: scripted.metric("request_success_total") == before + 1, 2)
    assert "abort" in scripted.http.get("/metrics").text


def test_neighbours_do_not_notice_a_fault(scripted: Server) -> None:
    answers: list[httpx.Response] = []
    steady = script("one two three four", rate=10)
    thread = threading.Thread(target=lambda: answers.append(scripted.chat(steady)))
    thread.start()
    faulty = script("a b", mishap={"kind": "error", "after": 1})
    assert scripted.chat(faulty).status_code == 500
    thread.join()
    assert answers[0].json()["choices"][0]["message"]["content"] == "one two three four"


def stream_in_background(server: Server, content: str) -> tuple[threading.Thread, list[str]]:
    lines: list[str] = []

    def read() -> None:
        with httpx.Client(timeout=60) as client:
            url = f"{server.url}/v1/chat/completions"
            body = request(content, stream=True)
            with client.stream("POST", url, json=body) as response:
                lines.extend(line for line in response.iter_lines() if line)

    thread = threading.Thread(target=read)
    thread.start()
    assert wait_until(lambda: not server.idle(), 5)
    return thread, lines


def test_ctrl_c_lets_requests_finish(start_server: Start) -> None:
    server = start_server("--engine", "scripted")
    thread, lines = stream_in_background(server, script("tick " * 10, rate=10))
    server.process.send_signal(signal.SIGINT)
    thread.join()
    assert lines[-1] == "data: [DONE]"
    assert server.process.wait(timeout=5) == 0
    with socket.create_server(("127.0.0.1", server.port)):
        pass


def test_ctrl_c_ends_what_takes_too_long_with_an_error(start_server: Start) -> None:
    server = start_server("--engine", "scripted")
    thread, lines = stream_in_background(server, slow())
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(timeout=10) == 0
    thread.join()
    assert "stopping" in json.loads(lines[-1].removeprefix("data: "))["error"]["message"]


def test_ctrl_c_twice_stops_at_once(start_server: Start) -> None:
    server = start_server("--engine", "scripted")
    pid = server.model_process()
    body = request(slow(), stream=True)
    with server.http.stream("POST", "/v1/chat/completions", json=body) as response:
        lines = response.iter_lines()  # an iterator that nobody holds would hang up
        next(lines)
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=3) == 0
    assert wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 3)


def test_the_model_process_dies_with_its_router(start_server: Start) -> None:
    server = start_server("--engine", "scripted")
    pid = server.model_process()
    server.process.kill()
    server.process.wait()
    assert wait_until(lambda: _gone(pid), 3)


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_the_port_is_open_before_the_model_is_loaded(start_server: Start) -> None:
    """The model does not exist yet: it would have to be converted first."""
    server = start_server(ready=False)
    assert wait_until(lambda: _answers(server), 20)
    assert server.http.get("/health").status_code == 200
    early = server.http.get("/ready")
    assert early.status_code == 503
    assert early.headers["retry-after"]
    assert server.http.get("/v1/models").status_code == 200
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(timeout=10) == 0


def _answers(server: Server) -> bool:
    try:
        return server.http.get("/health").status_code == 200
    except httpx.TransportError:
        return False


def test_the_banner_and_the_request_line(start_server: Start) -> None:
    server = start_server("--engine", "scripted")
    response = server.chat("hello there")
    time.sleep(0.2)
    log = server.log.read_text()
    assert f"http://localhost:{server.port}/v1" in log
    assert "OPENAI_BASE_URL" in log
    (line,) = [line for line in log.splitlines() if "/v1/chat/completions" in line]
    assert response.headers["x-request-id"] in line
    assert "4 completion" in line
    assert "stop" in line


def test_json_log_lines(start_server: Start) -> None:
    server = start_server("--engine", "scripted", "--log-format", "json")
    response = server.chat("hello there")
    time.sleep(0.2)
    lines = [json.loads(x) for x in server.log.read_text().splitlines() if x.startswith("{")]
    (line,) = [x for x in lines if x.get("path") == "/v1/chat/completions"]
    assert line["request_id"] == response.headers["x-request-id"]
    assert line["completion_tokens"] == 4
    assert line["ttft"] >= 0
