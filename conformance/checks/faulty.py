"""Bad networks and rude clients: what reaches the server in pieces, in part, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import re

import openai

from conformance import metrics
from conformance.check import MUST, SHOULD, check
from conformance.checks.cancellation import NOT_CANCELLED, SOON, endless, request
from conformance.client import Connection, Sent, exchange
from conformance.expect import json_object, status
from conformance.failure import Failed, NotApplicable, expect
from conformance.faults import Fault, faulty
from conformance.session import Session

HANG = 10.0
"""Seconds within which a server must have given up a request that ended too early."""

IMPATIENCE = 0.5


def _by_way_of(sent: Sent, base: str, other: str) -> Sent:
    """The same request, sent to another address."""
    return Sent(sent.method, other + sent.url.removeprefix(base), sent.headers, sent.body)


@check("fault.sliced_request", level=MUST, cite=["RFC"])
async def sliced_request(session: Session) -> None:
    """A request that arrives byte by byte is answered like any other."""
    base = session.target.base_url
    sent = session.sent("POST", "/chat/completions", json_body=session.body(max_tokens=4))
    async with faulty(base, Fault(slice=1)) as url:
        session.last = await exchange(_by_way_of(sent, base, url))
    status(session.last, 200)
    choices = json_object(session.last).get("choices")
    expect(bool(choices), "choices", session.last.received.text, "read the body to its end")


@check("fault.reset", level=MUST, cite=["OURS"], scripted=True, needs=("metrics",))
async def reset(session: Session) -> None:
    """When a stream's connection is reset its sequence is gone within a second."""
    await metrics.idle(session, 10)
    base = session.target.base_url
    sent = request(session, endless("reset"), stream=True)
    async with faulty(base, Fault(reset_after=1500)) as url:
        with contextlib.suppress(ConnectionError):
            cut = await exchange(_by_way_of(sent, base, url))
            raise Failed("a reset after 1,500 bytes", cut.received.text, "stream token by token")
    await metrics.idle(session, SOON, NOT_CANCELLED)
    await metrics.still(session)
    status(await session.chat("Are you there?", fresh=True), 200)


@check("fault.client_timeout", level=SHOULD, cite=["SDK"], taxing=True)
async def client_timeout(session: Session) -> None:
    """The SDK's timeout raises APITimeoutError, and the request ends with it."""
    target = session.target
    scripted = "scripted" in target.capabilities
    prompt = endless("timeout") if scripted else "Count from 1 to 1000 in words."
    if "metrics" in target.capabilities:
        await metrics.idle(session, 10)
    async with openai.AsyncOpenAI(
        base_url=target.base_url, api_key=target.api_key, timeout=IMPATIENCE, max_retries=0
    ) as client:
        try:
            await client.chat.completions.create(
                model=target.model,
                messages=[{"role": "user", "content": prompt}],
                max_tokens=400,
                temperature=0,
            )
        except openai.APITimeoutError:
            pass
        else:
            raise NotApplicable(f"it answered 400 tokens within {IMPATIENCE:g} s")
    if "metrics" in target.capabilities:
        await metrics.idle(session, SOON, NOT_CANCELLED)
        await metrics.still(session)


@check("fault.partial_body", level=MUST, cite=["RFC"], taxing=True)
async def partial_body(session: Session) -> None:
    """A body that ends before its content-length is refused, and the server lives on."""
    body = b'{"model": "' + session.target.model.encode() + b'", "messages": [{"role": "us'
    sent = session.sent("POST", "/chat/completions", raw=body)
    cut = Sent(
        sent.method, sent.url, {**sent.headers, "content-length": str(len(body) + 100)}, body
    )
    answer = await _half_closed(cut)
    if answer:
        expect(
            re.match(rb"HTTP/1\.[01] 4", answer) is not None,
            "a 4xx, or the connection closed",
            answer[:300],
            "do not act on a body that is shorter than its content-length",
        )
    after = await session.chat("Are you there?", fresh=True)
    status(after, 200)
    broken = await session.request("POST", "/chat/completions", raw=body)
    status(broken, 400)


async def _half_closed(sent: Sent) -> bytes:
    """Send what there is of a request and no more; what comes back until the server closes."""
    connection = await Connection.open(sent.url)
    path = "/" + sent.url.split("/", 3)[3]
    head = [f"{sent.method} {path} HTTP/1.1", f"host: {sent.url.split('/')[2]}"]
    head += [f"{name}: {value}" for name, value in sent.headers.items()]
    try:
        connection.writer.write("\r\n".join([*head, "", ""]).encode() + (sent.body or b""))
        connection.writer.write_eof()
        async with asyncio.timeout(HANG):
            return await connection.reader.read()
    except ConnectionError:
        return b""
    except TimeoutError:
        raise Failed(
            f"an answer or the end of the connection within {HANG:g} s", "neither"
        ) from None
    finally:
        await connection.close()
