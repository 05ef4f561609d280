"""Several requests at once: none sees, starves or changes another."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from conformance.check import MUST, SHOULD, check
from conformance.client import Connection, Sent
from conformance.failure import Failed, expect
from conformance.session import Json, Session, script, user

STREAMS = 8
LONG = 2000
FIRST_WORD = 1.0
"""Seconds a short request may wait for its first payload while a long one is answered."""

SLOW_ANSWER = 8 << 20
"""Bytes: more than the buffers of two sockets take, so that the server has to wait."""

PREFIX_WORDS = 1300
"""Some servers cache no prefix below 1,024 tokens."""


@check("conc.isolation", level=MUST, cite=["OURS"], scripted=True)
async def isolation(session: Session) -> None:
    """Of eight streams at once each gets its own text and an id of its own."""
    texts = [" ".join([secrets.token_hex(4)] * 20) for _ in range(STREAMS)]
    streams = await asyncio.gather(
        *[session.stream(script(text, rate=100), fresh=True) for text in texts]
    )
    for text, stream in zip(texts, streams, strict=True):
        expect(stream.choice.content == text, text, stream.choice.content)
    ids = {chunk.get("id") for stream in streams for chunk in stream.completions}
    expect(len(ids) == STREAMS, f"{STREAMS} ids", f"{len(ids)}: {sorted(map(str, ids))}")


@check("conc.fair_start", level=SHOULD, cite=["OURS"], scripted=True)
async def fair_start(session: Session) -> None:
    """A short request behind one of 2,000 tokens gets its first word within a second."""
    long = session.body(script(" ".join(["long"] * LONG), rate=500), stream=True, max_tokens=LONG)
    async with started(session.sent("POST", "/chat/completions", json_body=long)):
        short = await session.stream(script("short", rate=500), fresh=True)
    times = short.payload_times()
    expect(bool(times), "a word", short.data)
    expect(
        times[0] < FIRST_WORD,
        f"the first word within {FIRST_WORD:g} s",
        f"{times[0]:.2f} s",
        "let new requests join the batch that is being decoded",
    )


@check("conc.slow_reader", level=MUST, cite=["OURS"], scripted=True)
async def slow_reader(session: Session) -> None:
    """A client that stops reading delays nobody else."""
    word = "x" * 20_000
    prompt = script(" ".join([word] * (SLOW_ANSWER // len(word))))
    body = session.body(prompt, stream=True, max_tokens=1000)
    async with started(session.sent("POST", "/chat/completions", json_body=body)):
        await asyncio.sleep(0.2)
        brisk = await session.stream(script("one two three four", rate=50), fresh=True)
    text = brisk.choice.content
    expect(text == "one two three four", "one two three four", text)
    ended = brisk.exchange.received.seconds
    expect(
        ended < FIRST_WORD,
        f"an answer of 0.1 s within {FIRST_WORD:g} s",
        f"{ended:.2f} s",
        "never wait for one client's socket while others have something to send",
    )


@contextlib.asynccontextmanager
async def started(sent: Sent) -> AsyncIterator[None]:
    """A stream of which only the beginning is read, by a client with a small buffer."""
    parts = urlsplit(sent.url)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (parts.hostname, parts.port or 80))
    connection = Connection(*await asyncio.open_connection(sock=sock, limit=4096))
    try:
        received, reads = await connection.start(sent)
        expect(received.status == 200, "status 200", received.status)
        await anext(reads)
        yield
    finally:
        connection.writer.transport.abort()


@check("conc.batch_equal", level=SHOULD, cite=["OURS"])
async def batch_equal(session: Session) -> None:
    """A greedy answer is the same alone and among three others."""
    questions = [f"Count from {n} upwards." for n in (1, 20, 300, 4000)]
    alone = await session.answer(questions[0], max_tokens=16)
    answers = await asyncio.gather(
        *[session.answer(question, max_tokens=16, fresh=True) for question in questions]
    )
    texts = [answer["choices"][0]["message"]["content"] for answer in (alone, answers[0])]
    expect(texts[1] == texts[0], repr(texts[0]), repr(texts[1]), "keep each sequence's own mask")


@check(
    "conc.prefix_isolation", level=MUST, cite=["PEER:vllm"], needs=("prefix_cache",), timeout=300
)
async def prefix_isolation(session: Session) -> None:
    """A second turn reuses the first; a conversation that only ends alike reuses nothing."""
    nonce = secrets.token_hex(8)
    first = conversation(f"{nonce} Answer in English.")
    reply = await _ask(session, first)
    answered = {"role": "assistant", "content": reply["choices"][0]["message"]["content"] or ""}
    second = await _ask(session, [*first, answered, user("And then?")])
    expect(
        _cached(second) >= PREFIX_WORDS / 2,
        "most of the first turn in cached_tokens",
        second["usage"],
        "keep the KV of an answered prompt for the prompts that go on from it",
    )
    other = conversation(f"{secrets.token_hex(8)} Answer in French.")
    crossed = await _ask(session, other)
    expect(
        _cached(crossed) < PREFIX_WORDS / 2,
        "few cached_tokens under another system message",
        crossed["usage"],
        "reuse only what is equal from the very first token on",
    )
    again = await _ask(session, other)
    texts = [answer["choices"][0]["message"]["content"] for answer in (crossed, again)]
    expect(texts[1] == texts[0], f"the uncached answer {texts[0]!r}", repr(texts[1]))


def conversation(system: str) -> list[Json]:
    """A system message, then a user's long one, which is always the same."""
    text = "the cat sat on a mat " * (PREFIX_WORDS // 6)
    return [{"role": "system", "content": system}, user(f"{text}. What comes next?")]


async def _ask(session: Session, messages: list[Json]) -> Json:
    return await session.answer(messages, max_tokens=8, fresh=True)


def _cached(answer: Json) -> int:
    usage = answer.get("usage") or {}
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    if not isinstance(cached, int):
        raise Failed("an integer usage.prompt_tokens_details.cached_tokens", usage)
    return cached
