"""The order of a stream: the suite's own rules, asked of a stream that was not made for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from conformance import calldeltas, responsegrammar
from conformance.checks import completions, streaming
from conformance.failure import Failed
from conformance.replay.judges.answer import Answer
from conformance.replay.judges.problem import Problem
from conformance.replay.judges.shapes import LATER
from conformance.transcript import Transcript

OF_CHAT = (
    streaming.framing,
    streaming.done_last,
    streaming.chunk_schema,
    streaming.same_identity,
    streaming.role_once,
    streaming.finish_once_last,
    streaming.finish_delta_empty,
    streaming.no_empty_choices,
    streaming.usage_once,
    streaming.usage_null_elsewhere,
)
OF_COMPLETIONS = (completions.well_formed, streaming.same_identity)


def problems(answer: Answer) -> Iterator[Problem]:
    if not answer.streamed:
        return
    match answer.kind:
        case "chat.completion":
            found = [*_broken(OF_CHAT, answer.transcript), *_of_chat(answer.transcript)]
        case "text_completion":
            found = list(_broken(OF_COMPLETIONS, answer.transcript))
        case _:
            found = list(_responses(answer))
    for rule, message in found:
        yield Problem("grammar", rule, message)


def _broken(
    rules: tuple[Callable[[Transcript], None], ...], transcript: Transcript
) -> Iterator[tuple[str, str]]:
    for rule in rules:
        try:
            rule(transcript)
        except Failed as failed:
            yield rule.__name__, str(failed)


def _of_chat(transcript: Transcript) -> Iterator[tuple[str, str]]:
    for choice in transcript.choices.values():
        for rule in calldeltas.RULES:
            try:
                rule(choice)
            except Failed as failed:
                yield rule.__name__, str(failed)
    yield from (("same_members", words) for words in _unlike(transcript))
    if _usage_wanted(transcript):
        last = transcript.data[-1]
        if last.get("choices") != [] or not last.get("usage"):
            yield "usage_last", "no chunk of usage at the end"


def _usage_wanted(transcript: Transcript) -> bool:
    options = transcript.request.get("stream_options") or {}
    return options.get("include_usage") is True and transcript.error is None


def _unlike(transcript: Transcript) -> Iterator[str]:
    """The members of chunks are the same throughout a stream, as are those of choices, and what
    all chunks say of the model."""
    chunks = transcript.completions
    for name in ("system_fingerprint", "service_tier"):
        if len({json.dumps(chunk.get(name)) for chunk in chunks}) > 1:
            yield f"{name} changes within the stream"
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    for name, objects in (("chunks", chunks), ("choices", choices)):
        kinds = {frozenset(value) - {"usage", "obfuscation"} for value in objects}
        if len(kinds) > 1:
            yield f"{name} have other members at times: {sorted(map(sorted, kinds))}"


def _responses(answer: Answer) -> Iterator[tuple[str, str]]:
    reader = answer.stream.reader
    events, wrong = responsegrammar.parsed(reader)
    yield from (("events", message) for message in (*reader.problems, *wrong))
    if "starting_after" in answer.query:
        first = int(answer.query["starting_after"]) + 1
        found = {
            "sequence": responsegrammar.sequence(events, first),
            "names": responsegrammar.names(events),
            "terminal": responsegrammar.terminal(events),
        }
    else:
        found = {rule.__name__: rule(events) for rule in responsegrammar.RULES}
        if answer.made and answer.made < LATER["sequence_number"]:
            found.pop("sequence")
    for name, messages in found.items():
        yield from ((name, message) for message in messages)
