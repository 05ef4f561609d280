"""The proxy between a framework and a server."""

from __future__ import annotations

import asyncio

import h11
import pytest

from conformance.client import Connection, Exchange, Sent, exchange
from conformance.recorder import recorded
from conformance.tests.refusing import refusing

NOWHERE = "http://127.0.0.1:9/v1"
"""Nothing listens on the discard port."""


async def asked_twice(base_url: str) -> tuple[list[Exchange], list[Exchange]]:
    """What a client got for two requests on one connection, and what the proxy has noted."""
    async with recorded(base_url) as (through, noted):
        connection = await Connection.open(through)
        sent = Sent("POST", f"{through}/chat/completions", {"x-mark": "1"}, b"{}")
        got = [await connection.request(sent)]
        connection.next_exchange()
        got.append(await connection.request(sent))
        await connection.close()
        return got, noted


def test_it_notes_each_request_and_its_answer() -> None:
    with refusing() as base_url:
        got, noted = asyncio.run(asked_twice(base_url))
    assert [each.received.status for each in got] == [400, 400]
    assert [each.received.body for each in noted] == [each.received.body for each in got]
    assert noted[0].received.body
    assert {each.sent.url for each in noted} == {f"{base_url}/chat/completions"}
    assert noted[0].sent.headers["x-mark"] == "1"
    assert noted[0].sent.body == b"{}"


def test_it_hangs_up_where_the_server_does() -> None:
    async def asked() -> list[Exchange]:
        async with recorded(NOWHERE) as (through, noted):
            with pytest.raises(h11.RemoteProtocolError):
                await exchange(Sent("GET", f"{through}/models", {}, None))
            return noted

    assert asyncio.run(asked()) == []
