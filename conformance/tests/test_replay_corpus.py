"""Cassettes as recorders write them become recordings, and what is not OpenAI's is dropped."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import brotli
import pytest
import yaml
import zstandard

from conformance.replay.cassettes import in_archive, interactions
from conformance.replay.corpus import BORROWED, COPY, Corpus, load_folder
from conformance.replay.genuine import REDACTED, doubt

ID = "chatcmpl-" + "A1b2" * 7 + "Z"
EDGE = {"Content-Type": ["application/json"], "CF-RAY": ["1"], "Server": ["cloudflare"]}
RESPONSE_ID = "resp_" + "0a" * 25


def request(body: Any, path: str = "chat/completions", **changed: Any) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    told: dict[str, Any] = {
        "method": "POST",
        "uri": f"https://api.openai.com/v1/{path}",
        "body": text,
    }
    return {**told, "headers": {"Content-Type": ["application/json"]}, **changed}


def response(body: Any, headers: Any = EDGE, status: int = 200) -> dict[str, Any]:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return {"status": {"code": status}, "headers": headers, "body": {"string": text}}


def completion(**changed: Any) -> dict[str, Any]:
    return {"id": ID, "object": "chat.completion", "created": 1767225600, "choices": [], **changed}


ASKED = request({"model": "gpt-4o", "messages": []})
STREAM = f'data: {{"id": "{ID}", "object": "chat.completion.chunk"}}\n\ndata: [DONE]\n\n'


def cassette(*pairs: tuple[dict[str, Any], dict[str, Any]]) -> bytes:
    told = [{"request": asked, "response": answered} for asked, answered in pairs]
    return yaml.safe_dump({"version": 1, "interactions": told}).encode()


def corpus_of(*files: bytes) -> Corpus:
    corpus = Corpus()
    for number, data in enumerate(files):
        corpus.add("theirs 1.0", f"{number}.yaml", interactions(data))
    return corpus


def why(asked: dict[str, Any], answered: dict[str, Any]) -> str | None:
    (told,) = interactions(cassette((asked, answered)))
    return doubt(told)


PLAIN = json.dumps(completion()).encode()
BODIES: dict[str, tuple[str | None, bytes]] = {
    "text": (None, PLAIN),
    "gzip": ("gzip", gzip.compress(PLAIN)),
    "brotli": ("br", brotli.compress(PLAIN)),
    "zstd": ("zstd", zstandard.compress(PLAIN)),
    "gzip unsaid": (None, gzip.compress(PLAIN)),
    "brotli undone": ("br", PLAIN),
    "gzip undone": ("gzip", PLAIN),
}


@pytest.mark.parametrize(("encoding", "data"), BODIES.values(), ids=BODIES)
def test_bodies_are_decompressed(encoding: str | None, data: bytes) -> None:
    headers = {**EDGE, "Content-Encoding": [encoding]} if encoding else EDGE
    (told,) = interactions(cassette((ASKED, response(data, headers))))
    assert told.answer == PLAIN


def test_a_body_that_is_cut_off_stays_as_it_is() -> None:
    cut = gzip.compress(PLAIN)[:-9]
    (told,) = interactions(cassette((ASKED, response(cut))))
    assert told.answer == cut


def test_headers_may_be_pairs() -> None:
    asked = {**ASKED, "headers": [["Accept", "a"], ["X-B", ["b", "c"]]]}
    (told,) = interactions(cassette((asked, response(completion()))))
    assert told.asked == {"accept": "a", "x-b": "b, c"}


def test_a_parsed_body_is_a_body() -> None:
    parsed = {"method": "POST", "uri": ASKED["uri"], "headers": {}, "parsed_body": {"a": "é"}}
    (told,) = interactions(cassette((parsed, response(completion()))))
    assert told.body is not None
    assert json.loads(told.body) == {"a": "é"}


def test_requests_and_responses_apart() -> None:
    data = gzip.compress(
        yaml.safe_dump({"requests": [ASKED], "responses": [response({})]}).encode()
    )
    (told,) = interactions(data)
    assert told.body == ASKED["body"].encode()
    assert told.status == 200


def test_ruby_s_cassettes() -> None:
    told = {
        "request": {"method": "post", "uri": ASKED["uri"], "headers": {}, "body": {"string": "{}"}},
        "response": {
            "status": {"code": 200},
            "headers": {},
            "body": {"base64_string": base64.b64encode(PLAIN).decode()},
        },
    }
    (found,) = interactions(json.dumps({"http_interactions": [told]}).encode())
    assert (found.method, found.body, found.answer) == ("POST", b"{}", PLAIN)


def test_tags_build_nothing() -> None:
    tagged = b"""
interactions:
- request:
    method: POST
    uri: https://api.openai.com/v1/chat/completions
    headers:
      ? !!python/object/apply:multidict._multidict.istr [Accept]
      : !!python/tuple ['*/*']
    body: !!python/object/apply:os.system ['touch /tmp/ran']
  response: {status: {code: 200}, headers: {}, body: {string: !binary e30=}}
"""
    (told,) = interactions(tagged)
    assert told.asked == {"accept": "*/*"}
    assert told.body == b"touch /tmp/ran"
    assert told.answer == b"{}"


@pytest.mark.parametrize("data", [b"interactions: [", b"interactions: 1", b'["requests"]'])
def test_what_is_no_cassette_is_passed_over(data: bytes) -> None:
    assert interactions(data) == []


def test_an_archive_is_read_where_it_lies(tmp_path: Path) -> None:
    data = cassette((ASKED, response(completion())))
    archive = tmp_path / "theirs.tar.gz"
    with tarfile.open(archive, "w:gz") as members:
        for name in ("theirs-1.0/tests/one.yaml", "theirs-1.0/tests/one.py"):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            members.addfile(member, io.BytesIO(data))
    assert [name for name, _ in in_archive(archive)] == ["tests/one.yaml"]


DOUBTS = {
    None: (ASKED, response(completion())),
    "another host": ({**ASKED, "uri": "https://x.openai.azure.com/v1"}, response(completion())),
    "ChatGPT's own backend": (
        {**ASKED, "headers": {"chatgpt-account-id": ["1"]}},
        response(completion()),
    ),
    "its address is hidden": ({**ASKED, "uri": REDACTED}, response({"version": 1})),
    "answered by Azure": (ASKED, response(completion(content_filter_results={}))),
    "made by hand: its id is none of OpenAI's": (ASKED, response(completion(id="chatcmpl-test"))),
    "made by hand: it has not passed OpenAI's edge": (
        ASKED,
        response(completion(), {"Content-Type": ["application/json"]}),
    ),
    "parts of the request were taken out": (
        ASKED,
        response(STREAM.replace("}", ', "choices": [], "usage": {}}', 1)),
    ),
    "parts of the stream were taken out": (ASKED, response(STREAM.replace("[DONE]", ""))),
}


@pytest.mark.parametrize("reason", DOUBTS, ids=str)
def test_what_is_not_genuine_is_dropped(reason: str | None) -> None:
    assert why(*DOUBTS[reason]) == reason


def test_a_stream_may_tell_the_usage_that_was_asked_for() -> None:
    _, told = DOUBTS["parts of the request were taken out"]
    asking = {"messages": [], "stream_options": {"include_usage": True}}
    assert why(request(asking), told) is None


def test_a_stream_without_one_of_its_numbers_is_thinned() -> None:
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {"id": RESPONSE_ID}},
        {"type": "response.in_progress"},
        {"type": "response.completed"},
    ]

    def reason(*numbers: int, path: str = "responses") -> str | None:
        told = [{**event, "sequence_number": n} for event, n in zip(events, numbers, strict=True)]
        body = "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in told)
        return why(request({}, path), response(body))

    assert reason(0, 1, 2) is None
    assert reason(0, 1, 3) == "parts of the stream were taken out"
    assert reason(4, 5, 6) == "parts of the stream were taken out"
    assert reason(4, 5, 6, path=f"responses/{RESPONSE_ID}?stream=true&starting_after=3") is None


def test_a_hidden_address_is_told_by_the_answer() -> None:
    headers = {"Content-Type": REDACTED, "Server": REDACTED, "CF-RAY": REDACTED}
    hidden = {**ASKED, "uri": REDACTED, "headers": {"Authorization": [REDACTED]}}
    (recording,) = corpus_of(cassette((hidden, response(STREAM, headers)))).recordings
    assert recording.exchange.sent.url == "https://api.openai.com/v1/chat/completions"
    assert recording.exchange.sent.headers == {}
    assert recording.exchange.received.headers == [("content-type", "text/event-stream")]
    assert recording.restored == ("url", "content-type")


def test_a_recording_says_where_it_is_from_and_when() -> None:
    (recording,) = corpus_of(cassette((ASKED, response(completion())))).recordings
    assert recording.id == "theirs/0.yaml#0"
    assert (recording.source, recording.cassette) == ("theirs 1.0", "0.yaml")
    assert str(recording.made) == "2026-01-01"
    assert recording.path == "/chat/completions"
    assert recording.request == {"model": "gpt-4o", "messages": []}


def test_the_same_request_is_a_repeat_and_the_same_exchange_a_copy() -> None:
    again = {**ASKED, "body": '{"messages": [], "model": "gpt-4o"}'}
    other = response(completion(id=ID[:-1] + "Y"))
    one = (ASKED, response(completion()))
    corpus = corpus_of(cassette(one, (again, other)), cassette(one))
    assert [recording.id for recording in corpus.recordings] == ["theirs/0.yaml#0"]
    assert [recording.id for recording in corpus.repeats] == ["theirs/0.yaml#1"]
    assert corpus.dropped == Counter({COPY: 1})


def test_what_a_later_request_names_is_no_repeat() -> None:
    first = (request({"input": "a"}, "responses"), response({"id": RESPONSE_ID}))
    second = (request({"input": "b", "previous_response_id": RESPONSE_ID}, "responses"), first[1])
    corpus = corpus_of(cassette(first), cassette(first, second))
    assert len(corpus.recordings) == 3
    assert not corpus.repeats


def test_headers_of_another_answer_give_a_hand_away() -> None:
    def told(text: str, ray: str) -> tuple[dict[str, Any], dict[str, Any]]:
        asked = request({"messages": [{"role": "user", "content": text}]})
        return asked, response(completion(), {"CF-RAY": [ray]})

    ours, other, hidden = "9ee06be8ab20d481-EWR", "8e122593ff368bc8-SIN", "CF-RAY-XXX"
    pairs = [told("a", ours), told("b", ours), told("c", other), told("d", hidden)]
    corpus = corpus_of(cassette(*pairs, told("e", hidden)), cassette(pairs[2]))
    corpus.drop_borrowed()
    assert [recording.id[-1] for recording in corpus.recordings] == ["2", "3", "4"]
    assert corpus.dropped == Counter({BORROWED: 2, COPY: 1})


def test_an_upload_has_no_json(tmp_path: Path) -> None:
    upload = request("--b\r\nContent-Disposition: form-data", "files")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "one.yaml").write_bytes(cassette((upload, response({"id": "file-1"}))))
    (recording,) = load_folder(tmp_path).recordings
    assert recording.request == {}
    assert recording.cassette == "sub/one.yaml"
