"""Structured output: answers that are JSON, and such JSON as a schema asks for.

The schemas name things that no model would say by itself, and leave it no room to ramble: what
validates was enforced, however small the model is.
"""

from __future__ import annotations

import json
from typing import Any, Literal

import openai
from pydantic import BaseModel, ConfigDict, ValidationError

from conformance import schemas
from conformance.check import MUST, SHOULD, check
from conformance.expect import json_object, refused, status
from conformance.failure import Failed, NotApplicable, expect
from conformance.session import Json, Session

ENFORCE = "constrain the sampler by the schema; asking the model for JSON is not enough"
NAME_IT = "a client must learn which field is wrong: answer 400 and name it"
JSON_OUTPUT = ("json_output",)
LIMIT = 256

TICKET: Json = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "const": "ticket-7"},
        "colour": {"type": "string", "enum": ["teal", "ochre"]},
        "urgent": {"type": "boolean"},
        "floors": {
            "type": "array",
            "items": {"type": "integer", "enum": [3, 5, 8]},
            "minItems": 2,
            "maxItems": 2,
        },
    },
    "required": ["kind", "colour", "urgent", "floors"],
    "additionalProperties": False,
}
TRIP: Json = {
    "$defs": {
        "stop": {
            "type": "object",
            "properties": {
                "port": {"type": "string", "enum": ["Oban", "Tiree"]},
                "night": {"type": "boolean"},
            },
            "required": ["port", "night"],
            "additionalProperties": False,
        }
    },
    "type": "object",
    "properties": {
        "from_stop": {"$ref": "#/$defs/stop"},
        "to_stop": {"anyOf": [{"$ref": "#/$defs/stop"}, {"type": "null"}]},
    },
    "required": ["from_stop", "to_stop"],
    "additionalProperties": False,
}
TREE: Json = {
    "type": "object",
    "properties": {
        "leaf": {"type": "boolean"},
        "branch": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
    },
    "required": ["leaf", "branch"],
    "additionalProperties": False,
}
QUESTION = "Tell me something about the sea. Answer in JSON."


def by_schema(schema: Any, name: str = "answer") -> Json:
    described = {"name": name, "strict": True, "schema": schema}
    return {"type": "json_schema", "json_schema": described}


def judge(content: str | None, finish_reason: str | None, schema: Json) -> None:
    """The content is one document that the schema accepts, and nothing else.

    A model may ramble inside a document until it is cut; then only its beginning is judged.
    """
    text = (content or "").strip()
    if finish_reason == "length":
        expect(text[:1] in ("", "{"), "the beginning of a JSON object", text, ENFORCE)
        raise NotApplicable(f"the model does not end its document within {LIMIT} tokens")
    try:
        document = json.loads(text)
    except ValueError:
        raise Failed("one JSON document and nothing else", text, ENFORCE) from None
    fault = schemas.fault(document, schema)
    expect(fault is None, "a document that the schema accepts", f"{fault} in {text}", ENFORCE)


def judge_answer(answer: Json, schema: Json) -> None:
    choice = answer["choices"][0]
    judge(choice["message"].get("content"), choice["finish_reason"], schema)


@check("json.object", level=MUST, cite=["SPEC:33105"], needs=JSON_OUTPUT)
async def any_object(session: Session) -> None:
    """With `json_object` the content is a JSON object."""
    wanted = {"type": "json_object"}
    answer = await session.answer(QUESTION, max_tokens=LIMIT, response_format=wanted)
    judge_answer(answer, {"type": "object"})


@check("json.schema_valid", level=MUST, cite=["SPEC:58448"], needs=JSON_OUTPUT)
async def schema_valid(session: Session) -> None:
    """With a strict schema the content is a document that the schema accepts."""
    for schema in (TICKET, TRIP):
        wanted = by_schema(schema)
        answer = await session.answer(QUESTION, max_tokens=LIMIT, response_format=wanted)
        judge_answer(answer, schema)


@check("json.schema_stream", level=MUST, cite=["SPEC:58448"], needs=JSON_OUTPUT)
async def schema_stream(session: Session) -> None:
    """A streamed document is one that the schema accepts, with nothing around it."""
    wanted = by_schema(TICKET)
    transcript = await session.stream(QUESTION, max_tokens=LIMIT, response_format=wanted)
    choice = transcript.choice
    judge(choice.content, next(iter(choice.finish_reasons), None), TICKET)


class Ticket(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["ticket-7"]
    colour: Literal["teal", "ochre"]
    urgent: bool


@check("json.sdk_parse", level=MUST, cite=["SDK"], needs=JSON_OUTPUT)
async def sdk_parse(session: Session) -> None:
    """OpenAI's SDK parses the answer into the model that it was given."""
    target = session.target
    async with openai.AsyncOpenAI(
        base_url=target.base_url, api_key=target.api_key, max_retries=0
    ) as client:
        try:
            parsed = await client.chat.completions.parse(
                model=target.model,
                messages=[{"role": "user", "content": QUESTION}],
                response_format=Ticket,
                max_tokens=LIMIT,
                temperature=0,
            )
        except (openai.OpenAIError, ValidationError) as error:
            raise Failed("a parsed Ticket", f"{type(error).__name__}: {error}", ENFORCE) from None
    found = parsed.choices[0].message.parsed
    expect(isinstance(found, Ticket), "a parsed Ticket", parsed.choices[0].message, ENFORCE)


@check("json.length", level=MUST, cite=["SDK"], needs=JSON_OUTPUT)
async def length(session: Session) -> None:
    """A document cut at the token limit has the finish_reason length."""
    answer = await session.answer(QUESTION, max_tokens=2, response_format=by_schema(TICKET))
    reason, used = answer["choices"][0]["finish_reason"], answer["usage"]["completion_tokens"]
    text = (answer["choices"][0]["message"].get("content") or "").strip()
    hint = "the SDK raises LengthFinishReasonError for it, and parses anything else"
    expect(reason == "length", "finish_reason length", reason, hint)
    expect(used <= 2, "2 tokens at most", used)
    expect(text[:1] in ("", "{"), "the beginning of a JSON object", text, ENFORCE)


# --- what is wrong ------------------------------------------------------------------


async def refuse(session: Session, response_format: Json) -> Json:
    exchange = await session.chat(QUESTION, max_tokens=4, response_format=response_format)
    found = refused(exchange)
    named = str(found["param"]).startswith("response_format")
    expect(named, "error.param response_format…", found["param"], NAME_IT)
    return found


@check("json.missing_schema", level=MUST, cite=["PEER:vllm"], needs=JSON_OUTPUT)
async def missing_schema(session: Session) -> None:
    """`json_schema` without a schema is a 400 that names the field."""
    for described in ({}, {"json_schema": None}, {"json_schema": {"name": "answer"}}):
        await refuse(session, {"type": "json_schema", **described})


@check("json.bad_schema", level=MUST, cite=["FW:langchain"], needs=JSON_OUTPUT)
async def bad_schema(session: Session) -> None:
    """A schema that is none is a 400 that says "Invalid schema for response_format"."""
    for schema in ({"type": "objekt"}, {"type": "object", "properties": [], "required": "all"}):
        message = (await refuse(session, by_schema(schema)))["message"]
        hint = "langchain-openai looks for these words"
        words = "Invalid schema for response_format"
        expect(words in message, f"a message with {words!r}", message, hint)


@check("json.unknown_type", level=MUST, cite=["PEER:llama.cpp"], needs=JSON_OUTPUT)
async def unknown_type(session: Session) -> None:
    """A response_format of unknown type is a 400 that names the field."""
    await refuse(session, {"type": "sound"})


# --- in company ---------------------------------------------------------------------


@check("json.with_tools", level=SHOULD, cite=["FW:pydantic-ai"], needs=JSON_OUTPUT)
async def with_tools(session: Session) -> None:
    """Beside tools the answer is a call, or a document that the schema accepts."""
    parameters: Json = {"type": "object", "properties": {}, "additionalProperties": False}
    function = {"name": "get_tide", "description": "The tide now.", "parameters": parameters}
    answer = await session.answer(
        "How is the tide? Answer in JSON.",
        max_tokens=LIMIT,
        tools=[{"type": "function", "function": function}],
        response_format=by_schema(TICKET),
    )
    calls = answer["choices"][0]["message"].get("tool_calls") or []
    names = [call["function"]["name"] for call in calls]
    expect(set(names) <= {"get_tide"}, "calls of get_tide only", names)
    if not calls:
        judge_answer(answer, TICKET)


@check("json.recursive", level=SHOULD, cite=["OURS"], needs=JSON_OUTPUT)
async def recursive(session: Session) -> None:
    """A recursive schema is followed within the token limit, or refused with a 400."""
    wanted = by_schema(TREE)
    exchange = await session.chat(QUESTION, max_tokens=LIMIT, response_format=wanted)
    if exchange.received.status == 400:
        await refuse(session, wanted)
        return
    status(exchange, 200)
    answer = json_object(exchange)
    used = answer["usage"]["completion_tokens"]
    expect(used <= LIMIT, f"{LIMIT} tokens at most", used)
    judge_answer(answer, TREE)
