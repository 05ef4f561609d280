"""The ground below the API: models, plain HTTP, keys."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from urllib.parse import quote

import h11
import openai

from conformance.check import INFO, MUST, SHOULD, check
from conformance.client import Connection, Exchange, Sent, exchange
from conformance.configured import configured
from conformance.expect import error, json_object, refused, status
from conformance.failure import Failed, NotApplicable, expect
from conformance.session import Json, Session

UNKNOWN_MODEL = "no-such-model-5b1f"
ORIGIN = "https://app.example"
KEY = "a-key-of-this-server"


async def listed(session: Session, *, fresh: bool = False) -> list[Json]:
    """The entries of GET /models."""
    answered = await session.request("GET", "/models", fresh=fresh)
    status(answered, 200)
    data = json_object(answered).get("data")
    expect(isinstance(data, list) and bool(data), "a list of models under 'data'", data)
    entries: list[Json] = list(data or [])
    odd = [e for e in entries if not isinstance(e, dict) or not isinstance(e.get("id"), str)]
    expect(not odd, "an object with a string id for each model", odd)
    return entries


async def conversation(session: Session, *requests: Sent) -> list[Exchange]:
    """The requests one after the other on one connection, and on a new one only where the
    server announced that it would close, or speaks HTTP/1.0."""
    connection = await Connection.open(session.target.base_url)
    exchanges = []
    try:
        for index, sent in enumerate(requests):
            session.last = await connection.request(sent)
            exchanges.append(session.last)
            if index + 1 == len(requests):
                break
            if session.last.received.reusable:
                connection.next_exchange()
            else:
                await connection.close()
                connection = await Connection.open(session.target.base_url)
    except (ConnectionError, h11.RemoteProtocolError) as problem:
        hint = "answer every request, or send `connection: close` with the answer before"
        got = f"{len(exchanges)}, then {problem}"
        raise Failed(f"{len(requests)} answers", got, hint) from None
    finally:
        await connection.close()
    return exchanges


# --- models -------------------------------------------------------------------------


@check("models.list_shape", level=MUST, cite=["SPEC:42971", "SPEC:44370"])
async def list_shape(session: Session) -> None:
    """GET /models lists objects with id, object "model", an integer created and owned_by."""
    entries = await listed(session)
    body = json_object(await session.request("GET", "/models", fresh=False))
    expect(body.get("object") == "list", "object 'list'", body.get("object"))
    for entry in entries:
        expect(bool(entry["id"]), "an id", entry)
        expect(entry.get("object") == "model", "object 'model'", entry)
        expect(type(entry.get("created")) is int, "an integer created", entry)
        expect(isinstance(entry.get("owned_by"), str), "a string owned_by", entry)


@check("models.list_contains_target", level=MUST, cite=["SPEC:42971", "FW:discovery"])
async def list_contains_target(session: Session) -> None:
    """The model under test is listed, each id once, in the same order every time."""
    ids = [entry["id"] for entry in await listed(session, fresh=True)]
    hint = "clients that let their user choose offer only what is listed"
    expect(session.target.model in ids, f"{session.target.model} in the list", ids, hint)
    expect(len(ids) == len(set(ids)), "each id once", ids)
    again = [entry["id"] for entry in await listed(session, fresh=True)]
    expect(again == ids, f"the order {ids}", again)


@check("models.created_stable", level=SHOULD, cite=["SPEC:44370"])
async def created_stable(session: Session) -> None:
    """The time at which a model was created does not change."""
    first = {entry["id"]: entry.get("created") for entry in await listed(session, fresh=True)}
    await asyncio.sleep(1.1)
    second = {entry["id"]: entry.get("created") for entry in await listed(session, fresh=True)}
    hint = "take it from the model's files, not from the clock"
    expect(first == second, f"created {first}", second, hint)


@check("models.retrieve", level=MUST, cite=["SDK"])
async def retrieve(session: Session) -> None:
    """GET /models/{id} gives a model as it is listed; slashes in its id come raw or as %2F."""
    entries = await listed(session)
    target = [entry for entry in entries if entry["id"] == session.target.model]
    slashes = [entry for entry in entries if "/" in entry["id"]]
    for entry in (target or entries)[:1] + slashes[:1]:
        for form in sorted({quote(entry["id"], safe=""), quote(entry["id"], safe="/")}):
            answered = await session.request("GET", f"/models/{form}", fresh=False)
            hint = "route the id as the rest of the path: the SDKs send slashes as %2F"
            code = answered.received.status
            expect(code == 200, f"status 200 for /models/{form}", code, hint)
            found = json_object(answered)
            same = {key: found.get(key) for key in ("id", "object", "created", "owned_by")}
            expect(all(entry.get(k) == v for k, v in same.items()), f"{entry}", found)


@check("models.retrieve_unknown", level=MUST, cite=["SPEC:38249", "OR"])
async def retrieve_unknown(session: Session) -> None:
    """GET /models/{id} of an unknown model is a 404 with code model_not_found."""
    for id in (UNKNOWN_MODEL, f"no-such-org%2F{UNKNOWN_MODEL}"):
        found = error(await session.request("GET", f"/models/{id}"), 404)
        expect(found["code"] == "model_not_found", "code model_not_found", found)


# --- http ---------------------------------------------------------------------------


@check("http.json_content_type", level=MUST, cite=["RFC", "OR"])
async def json_content_type(session: Session) -> None:
    """Every answer that is no stream is `application/json` and parses, errors too."""
    json_object(await session.request("GET", "/models", fresh=False))
    json_object(await session.chat())
    json_object(await session.chat(temperature=3))
    json_object(await session.chat(model=UNKNOWN_MODEL))


@check("http.unknown_route", level=MUST, cite=["SDK"])
async def unknown_route(session: Session) -> None:
    """An unknown path is a 404 in OpenAI's envelope, whatever the method."""
    error(await session.request("GET", "/no-such-route"), 404)
    error(await session.request("POST", "/no-such-route", json_body={}), 404)
    error(await session.request("POST", "/chat/completions/no-such-route", json_body={}), 404)


@check("http.method_not_allowed", level=SHOULD, cite=["RFC"])
async def method_not_allowed(session: Session) -> None:
    """A wrong method is a 405 in OpenAI's envelope, with the right ones under Allow."""
    answered = await session.request("PUT", "/chat/completions", json_body={})
    error(answered, 405)
    allowed = answered.received.header("allow") or ""
    methods = {method.strip().upper() for method in allowed.split(",")}
    expect("POST" in methods, "POST in the Allow header", allowed or "no such header")


@check("http.malformed_json", level=MUST, cite=["SPEC:38249"])
async def malformed_json(session: Session) -> None:
    """A body that is not JSON is a 400 in OpenAI's envelope, and the next request works."""
    good = session.sent("GET", "/models")
    for raw in (b'{"model": "x", "messages": [', b'{"model": "x"} {', b"", b"\xff\xfe{"):
        bad = session.sent("POST", "/chat/completions", raw=raw)
        answers = await conversation(session, bad, good)
        session.last = answers[0]
        refused(answers[0])
        status(answers[1], 200)


@check("http.non_object_body", level=MUST, cite=["PEER:vllm"])
async def non_object_body(session: Session) -> None:
    """A body that is JSON but no object is a 400 in OpenAI's envelope."""
    for raw in (b"[]", b'"x"', b"1", b"null", b"true"):
        refused(await session.request("POST", "/chat/completions", raw=raw))


@check("http.request_id", level=SHOULD, cite=["SDK"])
async def request_id(session: Session) -> None:
    """Every answer has an `x-request-id` of its own: JSON, errors and streams."""
    stream = await session.stream(fresh=True, max_tokens=4)
    answers = [
        await session.request("GET", "/models"),
        await session.request("GET", "/no-such-route"),
        await session.chat(fresh=True, max_tokens=4),
        await session.chat(fresh=True, temperature=3),
        stream.exchange,
    ]
    ids = [answered.received.header("x-request-id") for answered in answers]
    lacking = [
        (a.sent.url, a.received.status) for a, id in zip(answers, ids, strict=True) if not id
    ]
    expect(not lacking, "an x-request-id on every answer", lacking, "the SDKs log it")
    expect(len(set(ids)) == len(ids), "ids that differ", ids)


@check("http.request_id_echo", level=INFO, cite=["OURS"])
async def request_id_echo(session: Session) -> None:
    """An `x-request-id` that the client chose comes back."""
    wanted = f"conformance-{uuid.uuid4().hex}"
    answered = await session.request("GET", "/models", headers={"x-request-id": wanted})
    found = answered.received.header("x-request-id")
    expect(found == wanted, f"x-request-id {wanted}", found)


@check("http.large_body", level=SHOULD, cite=["OURS"], taxing=True)
async def large_body(session: Session) -> None:
    """A message of 2 MB is answered: 200, or 400 or 413 in OpenAI's envelope, never a reset."""
    words = "".join(f"{number} " for number in range(310_000))
    # Of a stream the head is enough: servers with room for so much would read it for minutes.
    body = session.body(words[: 2 << 20], max_tokens=1, stream=True)
    sent = session.sent("POST", "/chat/completions", json_body=body)
    connection = await Connection.open(sent.url)
    try:
        received, reads = await connection.start(sent)
        if received.status == 200:
            return
        async for _ in reads:
            pass
    finally:
        await connection.close()
    session.last = Exchange(sent, received)
    hint = "a limit of a proxy or a framework answers before the API does"
    expect(received.status in (400, 413), "200, 400 or 413", received.text, hint)
    error(session.last, 400, 413)


@check("http.keepalive", level=SHOULD, cite=["RFC"])
async def keepalive(session: Session) -> None:
    """An error, a stream and an answer follow each other on one connection."""
    bodies = [
        session.body(messages=...),
        session.body(max_tokens=4, stream=True),
        session.body(max_tokens=4),
    ]
    requests = [session.sent("POST", "/chat/completions", json_body=body) for body in bodies]
    answers = await conversation(session, *requests)
    codes = [answered.received.status for answered in answers]
    expect(codes == [400, 200, 200], "statuses 400, 200, 200", codes)
    closed = [a.received.status for a in answers[:-1] if not a.received.reusable]
    hint = "speak HTTP/1.1, and say how long a body is or send it in chunks"
    expect(not closed, "a connection that stays open", f"closed after {closed}", hint)


@check("http.cors_preflight", level=SHOULD, cite=["OURS", "PEER:llama-swap"], scripted=True)
async def cors_preflight(session: Session) -> None:
    """Pages of the configured origins may call the API, all others may not; a key is asked for
    only after the preflight, which cannot carry one."""
    expect(await _allow_origin(session, ORIGIN) is None, "no origin by default", ORIGIN)
    server = {"cors_origins": [ORIGIN], "api_keys": [KEY]}
    async with configured(session, api_key=KEY, server=server) as own:
        allowed = await _allow_origin(own, ORIGIN)
        session.last = own.last
        expect(allowed in (ORIGIN, "*"), f"access-control-allow-origin {ORIGIN}", allowed)
        assert own.last
        methods = _names(own.last, "access-control-allow-methods")
        expect("post" in methods, "POST among the allowed methods", methods)
        headers = _names(own.last, "access-control-allow-headers")
        expect({"authorization", "content-type"} <= headers, "both allowed headers", headers)
        answered = await own.request("GET", "/models", headers={"origin": ORIGIN})
        found = answered.received.header("access-control-allow-origin")
        expect(found in (ORIGIN, "*"), "access-control-allow-origin on the answer too", found)
        other = await _allow_origin(own, "https://evil.example")
        expect(other is None, "no access-control-allow-origin for other origins", other)


async def _allow_origin(session: Session, origin: str) -> str | None:
    """What a preflight from ``origin`` is told."""
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    plain = session.sent("OPTIONS", "/chat/completions", headers=asked)
    session.last = await exchange(_without_key(plain))
    return session.last.received.header("access-control-allow-origin")


def _names(answered: Exchange, header: str) -> set[str]:
    value = answered.received.header(header) or ""
    return {name.strip().lower() for name in value.split(",")}


# --- keys ---------------------------------------------------------------------------


@check("auth.any_key_ok", level=MUST, cite=["SDK"])
async def any_key_ok(session: Session) -> None:
    """A server without a key takes any key and none: the SDKs always send one."""
    requests = [
        session.sent("GET", "/models"),
        session.sent("POST", "/chat/completions", json_body=session.body(max_tokens=1)),
    ]
    for sent in requests:
        session.last = await exchange(_without_key(sent))
        if session.last.received.status == 401 and session.target.api_key != "unused":
            raise NotApplicable("the server has a key")
        status(session.last, 200)
        session.last = await exchange(_with_key(sent, "Bearer any-key"))
        status(session.last, 200)


@check("auth.required", level=MUST, cite=["SDK"], scripted=True)
async def required(session: Session) -> None:
    """Where a key is configured, a request without it is a 401 with code invalid_api_key."""
    async with configured(session, api_key=KEY, server={"api_keys": ["another", KEY]}) as own:
        requests = [
            own.sent("GET", "/models"),
            own.sent("POST", "/chat/completions", json_body=own.body(max_tokens=1)),
        ]
        for sent in requests:
            wrong = [f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", "Bearer", f"Basic {KEY}", KEY]
            for request in [_without_key(sent), *(_with_key(sent, value) for value in wrong)]:
                session.last = await exchange(request)
                found = error(session.last, 401)
                expect(found["code"] == "invalid_api_key", "code invalid_api_key", found)
            session.last = await exchange(sent)
            status(session.last, 200)
        await _sdk_is_told(own)


async def _sdk_is_told(session: Session) -> None:
    base_url = session.target.base_url
    async with openai.AsyncOpenAI(api_key="wrong", base_url=base_url, max_retries=0) as client:
        try:
            await client.models.list()
        except openai.AuthenticationError:
            return
    raise Failed("the SDK's AuthenticationError", "a list of models")


@check("auth.constant_paths", level=SHOULD, cite=["OURS", "PEER:llama-swap"], scripted=True)
async def constant_paths(session: Session) -> None:
    """With a key configured /health stays open, and nothing else does."""
    guarded = [
        ("GET", "/models"),
        ("GET", f"/models/{session.target.model}"),
        ("POST", "/chat/completions"),
        ("GET", "//metrics"),
        ("GET", "//openapi.json"),
        ("GET", "/no-such-route"),
        ("GET", "//"),
    ]
    async with configured(session, server={"api_keys": [KEY]}) as own:
        session.last = await exchange(_without_key(own.sent("GET", "//health")))
        status(session.last, 200)
        for method, path in guarded:
            session.last = await exchange(_without_key(own.sent(method, path)))
            found = session.last.received.status
            expect(found == 401, f"status 401 for {method} {path}", found)


def _without_key(sent: Sent) -> Sent:
    return replace(sent, headers={k: v for k, v in sent.headers.items() if k != "authorization"})


def _with_key(sent: Sent, value: str) -> Sent:
    return replace(sent, headers={**sent.headers, "authorization": value})
