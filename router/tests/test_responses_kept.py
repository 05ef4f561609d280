"""What is kept of responses, over a real socket: looked up, deleted, bounded, after a restart."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import openai
import pytest

from router.tests.conftest import MODEL, Server, Start
from router.tests.responses import PATH, WEATHER, asked, created, events, output_text
from router.tests.scripts import script


def test_a_response_is_found_as_it_was_sent(scripted: Server) -> None:
    made = created(scripted, "hi")
    assert scripted.http.get(f"{PATH}/{made['id']}").json() == made
    streamed = events(scripted, "hi")[-1]["response"]
    assert scripted.http.get(f"{PATH}/{streamed['id']}").json() == streamed
    faulty = script("one two", mishap={"kind": "error", "after": 1})
    failed = events(scripted, faulty)[-1]["response"]
    assert scripted.http.get(f"{PATH}/{failed['id']}").json()["status"] == "failed"


def test_a_response_is_kept_before_it_has_ended_for_the_client(scripted: Server) -> None:
    client = scripted.client()
    for event in client.responses.create(model=MODEL, input="hi", stream=True):
        if event.type == "response.completed":
            assert client.responses.retrieve(event.response.id) == event.response


def test_a_deleted_response_is_gone(scripted: Server) -> None:
    client = scripted.client()
    first, second = created(scripted, "one"), created(scripted, "two")
    later = created(scripted, "and?", previous_response_id=first["id"])
    deleted = scripted.http.delete(f"{PATH}/{first['id']}").json()
    assert deleted == {"id": first["id"], "object": "response", "deleted": True}
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first["id"])
    with pytest.raises(openai.NotFoundError):
        client.responses.delete(first["id"])
    error = asked(scripted, "x", previous_response_id=first["id"]).json()["error"]
    assert error["code"] == "previous_response_not_found"
    assert client.responses.retrieve(second["id"]).id == second["id"]
    listed = client.responses.input_items.list(later["id"]).data
    assert len(listed) == 3, "what went on from it keeps what was said"


def test_nothing_runs_in_the_background(scripted: Server) -> None:
    client = scripted.client()
    with pytest.raises(openai.BadRequestError, match="synchronous"):
        client.responses.cancel(created(scripted, "hi")["id"])
    with pytest.raises(openai.NotFoundError):
        client.responses.cancel("resp_0")
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.retrieve(created(scripted, "hi")["id"], stream=True)
    assert refused.value.param == "stream"


def test_input_items_come_in_pages(scripted: Server) -> None:
    client = scripted.client()
    texts = [f"message {number}" for number in range(5)]
    made = client.responses.create(
        model=MODEL, input=[{"role": "user", "content": t} for t in texts]
    )

    def read(**options: Any) -> list[str]:
        """Of all pages, which the SDK asks for one after the other."""
        pages: Any = client.responses.input_items.list(made.id, **options)
        return [item.content[0].text for item in pages]

    assert read(limit=2, order="asc") == texts
    assert read() == texts[::-1]
    for query, param in (("limit=0", "limit"), ("limit=x", "limit"), ("order=up", "order")):
        response = scripted.http.get(f"{PATH}/{made.id}/input_items?{query}")
        assert (response.status_code, response.json()["error"]["param"]) == (400, param)
    with pytest.raises(openai.BadRequestError) as unknown:
        client.responses.input_items.list(made.id, after="msg_0")
    assert unknown.value.param == "after"


def test_conversations_survive_a_restart(start_server: Start, tmp_path: Path) -> None:
    server = start_server("--engine", "scripted", home=tmp_path)
    first = created(server, "Weather?", tools=[WEATHER])
    secret = created(server, "secret", store=False)
    assert server.stop() == 0
    assert stat.S_IMODE((tmp_path / "responses.sqlite3").stat().st_mode) == 0o600
    database = (tmp_path / "responses.sqlite3").read_bytes()
    assert (first["id"].encode() in database, secret["id"].encode() in database) == (True, False)

    again = start_server("--engine", "scripted", home=tmp_path)
    assert again.http.get(f"{PATH}/{first['id']}").json() == first
    assert again.http.get(f"{PATH}/{secret['id']}").status_code == 404
    [made] = first["output"]
    result = {"type": "function_call_output", "call_id": made["call_id"], "output": "sunny"}
    last = created(again, [result], tools=[WEATHER], previous_response_id=first["id"])
    assert output_text(last) == "The result is: sunny"


def test_settings_bound_what_is_kept(start_server: Start, tmp_path: Path) -> None:
    config = tmp_path / "c.json"
    config.write_text(json.dumps({"responses": {"max_stored": 2}}))
    server = start_server("--engine", "scripted", "--config", str(config))
    ids = [created(server, "hi")["id"] for _ in range(3)]
    assert [server.http.get(f"{PATH}/{id}").status_code for id in ids] == [404, 200, 200]


@pytest.mark.parametrize("stream", [True, False])
def test_a_response_that_could_not_be_kept_says_so(
    start_server: Start, tmp_path: Path, stream: bool
) -> None:
    (tmp_path / "responses.sqlite3").write_text("no database" * 100)
    server = start_server("--engine", "scripted", home=tmp_path)
    made = events(server, "hi")[-1]["response"] if stream else created(server, "hi")
    assert (made["status"], made["store"]) == ("completed", False)
    response = asked(server, "hi", previous_response_id="resp_1", stream=stream)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (500, "store_failed")
    assert str(tmp_path) not in response.text
    assert "not a database" in server.log.read_text()


# --- the size of a conversation ---


def test_input_tokens_are_counted_without_an_answer(scripted: Server) -> None:
    client = scripted.client()
    before = scripted.metric("generation_tokens_total")
    counted = client.responses.input_tokens.count(model=MODEL, input="hi there", tools=[WEATHER])  # type: ignore[list-item]
    assert counted.object == "response.input_tokens"
    made = created(scripted, "hi there", tools=[WEATHER], tool_choice="required")
    assert counted.input_tokens == made["usage"]["input_tokens"]
    longer = client.responses.input_tokens.count(input="more", previous_response_id=made["id"])
    assert longer.input_tokens > client.responses.input_tokens.count(input="more").input_tokens
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.input_tokens.count(input="hi", personality="pragmatic")
    assert refused.value.param == "personality"
    assert scripted.metric("generation_tokens_total") == before + made["usage"]["output_tokens"]


def test_a_conversation_that_is_too_long_can_lose_its_beginning(scripted: Server) -> None:
    turns = [
        {"role": role, "content": f"{'word ' * 400}{number}"}
        for number in range(20)
        for role in ("user", "assistant")
    ]
    story = [{"role": "system", "content": "Be kind."}, *turns, {"role": "user", "content": "last"}]
    refused = asked(scripted, story).json()["error"]
    assert (refused["param"], refused["code"]) == ("input", "context_length_exceeded")
    made = created(scripted, story, truncation="auto")
    assert output_text(made) == "You said: last"
    assert made["truncation"] == "auto"
    used = made["usage"]["input_tokens"]
    assert 8192 * 3 // 4 - 2 * 404 < used <= 8192 * 3 // 4
    counted = scripted.http.post(
        f"{PATH}/input_tokens", json={"input": story, "truncation": "auto", "model": None}
    )
    assert counted.json()["input_tokens"] == used
    listed = scripted.http.get(f"{PATH}/{made['id']}/input_items?limit=100").json()["data"]
    assert len(listed) == len(story), "what is kept is the whole of it"


def test_the_last_words_are_never_cut(scripted: Server) -> None:
    story = [{"role": "user", "content": "hi"}, {"role": "user", "content": "word " * 9000}]
    error = asked(scripted, story, truncation="auto").json()["error"]
    assert (error["param"], error["code"]) == ("input", "context_length_exceeded")
    short = created(scripted, "hi", truncation="auto", max_output_tokens=9000)
    assert short["status"] == "completed"


def test_the_file_can_be_another_one(start_server: Start, tmp_path: Path) -> None:
    config, kept = tmp_path / "config.json", tmp_path / "elsewhere.sqlite3"
    config.write_text(json.dumps({"responses": {"path": str(kept)}}))
    server = start_server("--engine", "scripted", "--config", str(config))
    created(server, "hi")
    assert kept.is_file()
