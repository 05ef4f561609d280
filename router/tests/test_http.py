"""The HTTP surface: routes, headers, errors, bad input, access."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import httpx
import openai
import pytest

from router import embedded
from router.tests.conftest import MODEL, Server, Start


def is_envelope(response: httpx.Response) -> bool:
    error = response.json()["error"]
    return set(error) == {"message", "type", "param", "code"} and bool(error["message"])


def test_models(scripted: Server) -> None:
    listed = scripted.client().models.list().data
    assert [m.id for m in listed] == list(embedded.MODELS)
    assert [scripted.client().models.retrieve(id) for id in embedded.MODELS] == listed
    assert scripted.http.get("/models").json() == scripted.http.get("/v1/models").json()
    with pytest.raises(openai.NotFoundError) as missing:
        scripted.client().models.retrieve("org/nothing")
    assert missing.value.code == "model_not_found"


def test_ids_with_slashes(start_server: Start, tmp_path: Path, embedded_home: Path) -> None:
    folder = tmp_path / "org"
    folder.mkdir()
    (folder / "little").symlink_to(embedded_home / "models" / MODEL)
    config = tmp_path / "c.json"
    config.write_text(json.dumps({"defaults": {"model_directory": str(tmp_path)}}))
    server = start_server("--engine", "scripted", "--config", str(config))
    for path in ("/v1/models/org/little", "/v1/models/org%2Flittle"):
        assert server.http.get(path).json()["id"] == "org/little"


def test_the_routes_without_v1(scripted: Server) -> None:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}]}
    assert scripted.http.post("/chat/completions", json=body).status_code == 200


def test_unknown_route_and_method(scripted: Server) -> None:
    missing = scripted.http.get("/v1/nothing")
    assert missing.status_code == 404
    assert is_envelope(missing)
    wrong = scripted.http.get("/v1/chat/completions")
    assert wrong.status_code == 405
    assert is_envelope(wrong)
    assert wrong.headers["allow"] == "POST"


def test_request_ids(scripted: Server) -> None:
    ids = {scripted.http.get(p).headers["x-request-id"] for p in ("/health", "/v1/none", "/ready")}
    assert len(ids) == 3
    mine = scripted.http.get("/health", headers={"x-request-id": "mine-1"})
    assert mine.headers["x-request-id"] == "mine-1"


def test_metrics_are_prometheus_text(scripted: Server) -> None:
    response = scripted.http.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    scripted.chat("hello there")
    assert scripted.metric("request_success_total") > 0
    assert scripted.metric("time_to_first_token_seconds_count") > 0


BAD_BODIES: list[tuple[str, bytes]] = [
    ("broken", b'{"model": '),
    ("empty", b""),
    ("array", b"[]"),
    ("string", b'"x"'),
    ("number", b"1"),
    ("null", b"null"),
    ("nan", b'{"model": "m", "messages": [], "temperature": NaN}'),
    ("surrogate", b'{"model": "m", "messages": [{"role": "user", "content": "\\ud800"}]}'),
    ("depth bomb", b'{"model": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ("not utf-8", b'{"model": "\xff"}'),
]


@pytest.mark.parametrize(("name", "body"), BAD_BODIES, ids=[name for name, _ in BAD_BODIES])
def test_a_body_that_is_no_json_object(scripted: Server, name: str, body: bytes) -> None:
    response = scripted.http.post("/v1/chat/completions", content=body)
    assert response.status_code == 400
    assert is_envelope(response)


BAD_FIELDS: list[tuple[dict[str, object], str]] = [
    ({"messages": []}, "messages"),
    ({"messages": "x"}, "messages"),
    ({"messages": [123]}, "messages[0]"),
    ({"messages": [{}]}, "messages[0].role"),
    ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": 123, "content": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": "user", "content": 123}]}, "messages[0].content"),
    ({"model": None}, "model"),
    ({"n": True}, "n"),
    ({"max_tokens": -1}, "max_tokens"),
    ({"max_tokens": 10**30}, "max_tokens"),
    ({"temperature": "1"}, "temperature"),
    ({"temperature": 10**400}, "temperature"),
    ({"top_p": 1.1}, "top_p"),
    ({"presence_penalty": 3}, "presence_penalty"),
    ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
    ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
    ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
    (
        {"tools": [{"type": "function", "function": {"name": f"f{i}"}} for i in range(10_000)]},
        "tools",
    ),
]


@pytest.mark.parametrize(("fields", "param"), BAD_FIELDS, ids=[str(f)[:40] for f, _ in BAD_FIELDS])
def test_a_bad_field_is_named(scripted: Server, fields: dict[str, object], param: str) -> None:
    response = scripted.chat("x", **fields)
    assert response.status_code == 400, response.text
    assert is_envelope(response)
    assert response.json()["error"]["param"] == param


def test_numbers_that_no_frame_can_carry(scripted: Server) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "maximum": 10**30}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    response = scripted.chat("x", tools=[tool])
    assert response.status_code in (200, 400)
    assert scripted.chat("y").status_code == 200


def test_a_large_body_is_answered(scripted: Server) -> None:
    response = scripted.chat("x" * 2_000_000)
    assert response.status_code in (200, 400)
    too_large = scripted.http.post("/v1/chat/completions", content=b" " * (33 << 20))
    assert too_large.status_code == 413
    assert is_envelope(too_large)
    assert scripted.chat("still there").status_code == 200


def test_one_connection_survives_errors_and_streams(scripted: Server) -> None:
    with httpx.Client(base_url=scripted.url, limits=httpx.Limits(max_connections=1)) as client:
        body = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}]}
        first = client.post("/v1/chat/completions", content=b"{")
        stream = client.post("/v1/chat/completions", json={**body, "stream": True})
        last = client.post("/v1/chat/completions", json=body)
        sockets = {
            r.extensions["network_stream"].get_extra_info("client_addr")
            for r in (first, stream, last)
        }
    assert [r.status_code for r in (first, stream, last)] == [400, 200, 200]
    assert len(sockets) == 1


def test_a_foreign_host_name_is_refused(scripted: Server) -> None:
    response = scripted.http.get("/v1/models", headers={"host": "evil.example:8800"})
    assert response.status_code == 403
    assert is_envelope(response)
    for host in ("localhost", "127.0.0.1:1", "[::1]:8800", "LOCALHOST:8800"):
        assert scripted.http.get("/v1/models", headers={"host": host}).status_code == 200


def test_a_page_of_another_origin_is_refused(scripted: Server, guarded: Server) -> None:
    """A browser sends such a post without asking first; only Origin tells where it is from."""
    headers = {"content-type": "text/plain", "origin": "http://evil.example"}
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "hi"}]})
    refused = scripted.http.post("/v1/chat/completions", content=body, headers=headers)
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "origin_not_allowed"
    headers["origin"] = "http://[broken"
    broken = scripted.http.post("/v1/chat/completions", content=body, headers=headers)
    assert broken.status_code == 403
    for origin in ("http://localhost:5173", "http://127.0.0.1"):
        headers["origin"] = origin
        answered = scripted.http.post("/v1/chat/completions", content=body, headers=headers)
        assert answered.status_code == 200
    headers |= {"origin": "http://localhost:3000", "authorization": "Bearer sesame"}
    assert guarded.http.get("/v1/models", headers=headers).status_code == 200


def test_a_path_cannot_forge_log_lines(scripted: Server) -> None:
    scripted.http.get("/x%0a09:00:00%20forged%1b[31m")
    log = scripted.log.read_text()
    assert "\n09:00:00 forged" not in log
    assert "\x1b" not in log


def test_without_keys_any_key_is_fine(scripted: Server) -> None:
    assert scripted.http.get("/v1/models").status_code == 200
    assert scripted.client("whatever").models.list().data


@pytest.fixture(scope="module")
def guarded(start_server: Start, tmp_path_factory: pytest.TempPathFactory) -> Server:
    config = tmp_path_factory.mktemp("config") / "config.json"
    config.write_text(
        json.dumps(
            {
                "server": {
                    "api_keys": ["sesame", "schlüssel"],
                    "cors_origins": ["http://localhost:3000"],
                    "allowed_hosts": ["mac.local"],
                },
                "defaults": {"stream": True, "enable_function_calling": False},
            }
        )
    )
    return start_server("--engine", "scripted", "--config", str(config))


def test_keys(guarded: Server) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "sesame"}):
        response = guarded.http.get("/v1/models", headers=headers)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "invalid_api_key"
    with pytest.raises(openai.AuthenticationError):
        guarded.client("wrong").models.list()
    assert guarded.client("sesame").models.list().data
    assert guarded.http.get("/health").status_code == 200
    assert guarded.http.get("/metrics").status_code == 401


def test_cors_only_for_the_configured_origin(guarded: Server, scripted: Server) -> None:
    def preflight(server: Server, origin: str) -> httpx.Response:
        headers = {"origin": origin, "access-control-request-method": "POST"}
        return server.http.options("/v1/chat/completions", headers=headers)

    allowed = preflight(guarded, "http://localhost:3000")
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "http://localhost:3000"
    for other in (preflight(guarded, "http://evil"), preflight(scripted, "http://localhost:3000")):
        assert "access-control-allow-origin" not in other.headers


def test_settings_of_the_file_reach_the_wire(guarded: Server) -> None:
    headers = {"authorization": "Bearer sesame"}
    body = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}]}
    default = guarded.http.post("/v1/chat/completions", json=body, headers=headers)
    assert default.headers["content-type"].startswith("text/event-stream")
    asked = guarded.http.post(
        "/v1/chat/completions", json={**body, "stream": False}, headers=headers
    )
    assert asked.headers["content-type"] == "application/json"
    tools = [{"type": "function", "function": {"name": "f"}}]
    refused = guarded.http.post(
        "/v1/chat/completions", json={**body, "tools": tools}, headers=headers
    )
    assert refused.status_code == 400
    assert "defaults.enable_function_calling" in refused.json()["error"]["message"]
    named = guarded.http.get("/v1/models", headers={**headers, "host": "mac.local:8800"})
    assert named.status_code == 200


def test_half_a_body_leaves_the_server_alive(scripted: Server) -> None:
    with socket.create_connection(("127.0.0.1", scripted.port)) as sock:
        sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n")
        sock.sendall(b"content-length: 100\r\n\r\n{")
    assert scripted.chat("still there").status_code == 200
