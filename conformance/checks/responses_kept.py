"""The Responses API: responses that the server keeps, and conversations that go on from them."""

from __future__ import annotations

from typing import Any

from conformance.check import MUST, SHOULD, check
from conformance.checks.responses import (
    ENDPOINT,
    LONG,
    NO_SILENT_IGNORE,
    RESPONSES,
    SMALLEST,
    asked,
    created,
    size_of,
    streamed,
    text_of,
)
from conformance.checks.responses_tools import OFFERED, calls_of, result
from conformance.checks.tools import ROOM
from conformance.client import Exchange
from conformance.expect import error, json_object, status
from conformance.failure import expect
from conformance.session import Json, Session, user

KEPT = ("kept_responses",)
"""A server that keeps responses, to be fetched and gone on from."""
KEPT_CALLS = ("kept_responses", "tool_calls")

ASK = "How will the weather be in Rome tomorrow? Call get_weather to find out."
NAME = "My name is Ada."
UNKNOWN_ID = "resp_" + "0" * 48


async def fetched(session: Session, id: str, path: str = "", method: str = "GET") -> Exchange:
    return await session.request(method, f"{ENDPOINT}/{id}{path}")


async def short(session: Session, input: Any = NAME, **fields: Any) -> Json:
    """A response that is made anew, because something will become of it."""
    return await created(session, input, fresh=True, max_output_tokens=SMALLEST, **fields)


# --- what is kept -------------------------------------------------------------------


@check("responses.retrieve", level=MUST, cite=["SDK", "FW:semantic-kernel"], needs=KEPT)
async def retrieve(session: Session) -> None:
    """A response can be fetched as it was sent, also one that was streamed; an unknown one is a
    404."""
    stream = await streamed(session, NAME, fresh=True, max_output_tokens=SMALLEST)
    for sent in (await short(session), stream.response):
        exchange = await fetched(session, sent["id"])
        status(exchange, 200)
        found = json_object(exchange)
        for name in ("id", "object", "status", "output", "usage"):
            expect(found.get(name) == sent.get(name), f"{name} {sent.get(name)}", found.get(name))
    error(await fetched(session, UNKNOWN_ID), 404)


@check("responses.unstored", level=MUST, cite=["OR", "FW:openai-agents"], needs=KEPT)
async def unstored(session: Session) -> None:
    """With `store: false` a response is not kept: it is not found, and nothing goes on from it."""
    secret = await short(session, store=False)
    expect(secret.get("store") is False, "store false", secret.get("store"))
    error(await fetched(session, secret["id"]), 404)
    going_on = await asked(session, "Who?", previous_response_id=secret["id"])
    _refused_as_unknown(going_on)


@check("responses.delete", level=MUST, cite=["SDK"], needs=KEPT)
async def delete(session: Session) -> None:
    """A response that is deleted is gone."""
    made = await short(session)
    exchange = await fetched(session, made["id"], method="DELETE")
    status(exchange, 200)
    told = json_object(exchange)
    expect(told.get("deleted") is True and told.get("id") == made["id"], "deleted true", told)
    error(await fetched(session, made["id"]), 404)
    error(await fetched(session, made["id"], method="DELETE"), 404)


@check("responses.input_items", level=MUST, cite=["SDK"], needs=KEPT)
async def input_items(session: Session) -> None:
    """What a response answers is listed in pages, newest first unless asked otherwise."""
    words = ["one", "two", "three"]
    made = await short(session, [user(word) for word in words])

    async def page(query: str) -> tuple[list[str], Json]:
        exchange = await fetched(session, made["id"], f"/input_items{query}")
        status(exchange, 200)
        listed = json_object(exchange)
        expect(listed.get("object") == "list", "a list", listed)
        return [part["text"] for item in listed["data"] for part in item["content"]], listed

    expect((await page(""))[0] == words[::-1], f"{words[::-1]}", (await page(""))[0])
    first, listed = await page("?order=asc&limit=2")
    expect(first == words[:2], f"{words[:2]}", first)
    expect(listed.get("has_more") is True, "has_more true", listed)
    rest, listed = await page(f"?order=asc&after={listed.get('last_id')}")
    expect(rest == words[2:], f"{words[2:]} behind the last_id", rest)
    expect(listed.get("has_more") is False, "has_more false", listed)


@check("responses.cancel", level=SHOULD, cite=["PEER:openai"], needs=KEPT)
async def cancel(session: Session) -> None:
    """To cancel a response that was not made in the background is an error, and an unknown one
    is not found."""
    made = await short(session)
    error(await fetched(session, made["id"], "/cancel", method="POST"), 400)
    error(await fetched(session, UNKNOWN_ID, "/cancel", method="POST"), 404)


# --- going on -----------------------------------------------------------------------


def _refused_as_unknown(exchange: Exchange) -> None:
    found = error(exchange, 400, 404)
    named = found["param"] == "previous_response_id"
    expect(named, "error.param 'previous_response_id'", found["param"], NO_SILENT_IGNORE)


@check("responses.previous_id", level=MUST, cite=["OR", "OURS"], needs=RESPONSES)
async def previous_id(session: Session) -> None:
    """A conversation goes on from `previous_response_id`, or the field is refused; it is never
    ignored, and an unknown one is an error."""
    first = await short(session, store=True)
    again: Json = {"max_output_tokens": SMALLEST, "store": True}
    second = await asked(session, "Who am I?", previous_response_id=first["id"], **again)
    if second.received.status != 200:
        _refused_as_unknown(second)
        return
    response = json_object(second)
    told = response.get("previous_response_id")
    expect(told == first["id"], f"previous_response_id {first['id']}", told)
    alone = await created(session, "Who am I?", **again)
    hint = "the model must read what was said before"
    sizes = [size_of(alone), size_of(response)]
    expect(sizes[1] > sizes[0] + 8, "more input_tokens than alone", sizes, hint)
    _refused_as_unknown(await asked(session, "Who?", previous_response_id=UNKNOWN_ID))


@check("responses.previous_instructions", level=SHOULD, cite=["SPEC:57280"], needs=KEPT)
async def previous_instructions(session: Session) -> None:
    """Instructions hold for one response: those of an earlier one are not read again."""
    sizes = []
    for instructions in (None, LONG):
        first = await short(session, store=True, instructions=instructions)
        sizes.append(size_of(await short(session, "Who am I?", previous_response_id=first["id"])))
    expect(sizes[1] < sizes[0] + 20, f"about {sizes[0]} input_tokens", sizes[1])


@check(
    "responses.previous_repeats",
    level=SHOULD,
    cite=["FW:semantic-kernel", "FW:strands"],
    needs=KEPT_CALLS,
)
async def previous_repeats(session: Session) -> None:
    """Beside previous_response_id clients send the output of a call alone, or repeat the user's
    turn, or that and the call: the model reads the same, once."""
    first = await created(session, ASK, fresh=True, tools=OFFERED, max_output_tokens=ROOM)
    calls = calls_of(first)
    expect(bool(calls), "a function call", first["output"])
    outputs = [result(call_id=call["call_id"]) for call in calls]
    bare = [{k: call[k] for k in ("type", "call_id", "name", "arguments")} for call in calls]
    fields: Json = {"previous_response_id": first["id"], "tools": OFFERED, "tool_choice": "none"}
    sizes = []
    for repeated in ([], [user(ASK)], [user(ASK), *bare], [user(ASK), *first["output"]]):
        answer = await created(session, [*repeated, *outputs], **fields, max_output_tokens=SMALLEST)
        expect(bool(text_of(answer)), "an answer in text", answer["output"])
        sizes.append(size_of(answer))
    hint = "leave out what is kept already: a call by its call_id, a message by its words"
    expect(len(set(sizes)) == 1, "the same input_tokens each time", sizes, hint)


@check("responses.item_reference", level=SHOULD, cite=["FW:vercel-ai"], needs=KEPT_CALLS)
async def item_reference(session: Session) -> None:
    """A reference stands for an item that was kept, and an unknown one is refused."""
    first = await created(session, ASK, fresh=True, tools=OFFERED, max_output_tokens=ROOM)
    calls = calls_of(first)
    expect(bool(calls), "a function call", first["output"])
    outputs = [result(call_id=call["call_id"]) for call in calls]
    fields: Json = {"tools": OFFERED, "tool_choice": "none", "max_output_tokens": SMALLEST}
    sizes = []
    for items in (calls, [{"type": "item_reference", "id": call["id"]} for call in calls]):
        sizes.append(size_of(await created(session, [user(ASK), *items, *outputs], **fields)))
    expect(sizes[0] == sizes[1], "the same input_tokens as with the items", sizes)
    unknown = {"type": "item_reference", "id": "fc_" + "0" * 48}
    error(await asked(session, [unknown, user(ASK)], **fields), 400, 404)
