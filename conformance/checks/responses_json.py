"""The Responses API: answers that are JSON."""

from __future__ import annotations

from conformance.check import MUST, check
from conformance.checks.responses import PATIENCE, asked, created, sdk, sdk_copes, streamed, text_of
from conformance.checks.structured import ENFORCE, LIMIT, QUESTION, TICKET, Ticket, judge
from conformance.expect import refused
from conformance.failure import expect
from conformance.session import Json, Session

JSON_OUTPUT = ("responses", "json_output")


@check(
    "responses.text_format", level=MUST, cite=["SPEC:58448"], needs=JSON_OUTPUT, timeout=PATIENCE
)
async def text_format(session: Session) -> None:
    """With a strict schema as `text.format` the text is a document that the schema accepts, in
    a response and in a stream; a schema that is none is refused."""
    wanted = {"type": "json_schema", "name": "ticket", "strict": True, "schema": TICKET}
    fields: Json = {"text": {"format": wanted}, "max_output_tokens": LIMIT}
    stream = await streamed(session, QUESTION, **fields)
    for response in (await created(session, QUESTION, **fields), stream.response):
        cut = "length" if response["status"] == "incomplete" else "stop"
        judge(text_of(response), cut, TICKET)
    broken = {"format": {**wanted, "schema": {"type": "objekt"}}}
    param = str(refused(await asked(session, QUESTION, text=broken))["param"])
    expect(param.startswith("text"), "error.param text.format…", param)


@check("responses.sdk_parse", level=MUST, cite=["SDK"], needs=JSON_OUTPUT)
async def sdk_parse(session: Session) -> None:
    """OpenAI's SDK parses the response into the model that it was given."""
    async with sdk(session) as client:
        with sdk_copes("an answer"):
            parsed = await client.responses.parse(
                model=session.target.model,
                input=QUESTION,
                text_format=Ticket,
                max_output_tokens=LIMIT,
                temperature=0,
            )
    found = parsed.output_parsed
    expect(isinstance(found, Ticket), "a parsed Ticket", parsed.output_text, ENFORCE)
