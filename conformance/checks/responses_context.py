"""The Responses API: conversations that are longer than the model's context."""

from __future__ import annotations

from conformance.check import MUST, SHOULD, check
from conformance.checks.responses import RESPONSES, SMALLEST, asked, created, size_of
from conformance.expect import refused
from conformance.failure import expect
from conformance.session import Json, Session, user

CONTEXT = 8192
"""Tokens of the scripted engine, which are words."""


def turns(count: int, words: int) -> list[Json]:
    """So many turns of the user, each answered, and a last one that is short."""
    past = [user("word " * words), {"role": "assistant", "content": "Yes."}] * count
    return [*past, user("And now?")]


@check("responses.context_length", level=MUST, cite=["FW:strands"], scripted=True, needs=RESPONSES)
async def context_length(session: Session) -> None:
    """Input over the context is a 400 with code context_length_exceeded and param input, also
    for a stream."""
    for stream in (False, True):
        found = refused(await asked(session, "word " * CONTEXT, stream=stream), "input")
        code = "context_length_exceeded"
        expect(found["code"] == code, f"code {code}", found, "frameworks trim when they see it")


@check("responses.truncation", level=SHOULD, cite=["SPEC:57280"], scripted=True, needs=RESPONSES)
async def truncation(session: Session) -> None:
    """With truncation auto a conversation over the context loses its beginning, with disabled it
    is refused."""
    story = turns(5, CONTEXT // 4)
    refused(await asked(session, story, truncation="disabled"))
    kept = size_of(await created(session, story, truncation="auto", max_output_tokens=SMALLEST))
    expect(CONTEXT // 4 < kept < CONTEXT, f"over {CONTEXT // 4} tokens, below {CONTEXT}", kept)
