"""Every stream of the Responses API: what its events must be."""

from __future__ import annotations

from conformance import responsegrammar
from conformance.check import MUST, SHOULD, invariant
from conformance.failure import expect
from conformance.responsegrammar import Rule
from conformance.responsestream import ENDINGS, SIGNS_OF_LIFE, ResponseStream


def hold(stream: ResponseStream, *rules: Rule, hint: str = "") -> None:
    """Fail unless the events keep to these rules."""
    for rule in rules:
        expected = " ".join((rule.__doc__ or "").split())
        wrong = rule(stream.events)
        expect(not wrong, expected, "; ".join(wrong), hint)


@invariant(
    "responses.stream_created_first", level=MUST, cite=["SDK", "SPEC:60087"], of=ResponseStream
)
def created_first(stream: ResponseStream) -> None:
    """A stream begins with `response.created`, whose response is in progress and empty."""
    kind, first = stream.told[0] if stream.told else ("nothing", {})
    expect(kind == "created", "response.created first", first, "the SDK raises RuntimeError")
    response = first.get("response") or {}
    expect(response.get("status") in SIGNS_OF_LIFE, "a response in progress", response)
    expect(response.get("output") == [], "no output yet", response.get("output"))


@invariant("responses.stream_grammar", level=MUST, cite=["OR", "SPEC:60087"], of=ResponseStream)
def grammar(stream: ResponseStream) -> None:
    """After `created` and `in_progress` items are added, grow part by part and are done, one
    after the other, until the response ends."""
    rules = responsegrammar
    hold(stream, rules.order, rules.grammar, rules.one_by_one, rules.places)


@invariant("responses.sequence", level=MUST, cite=["SPEC:60087"], of=ResponseStream)
def sequence(stream: ResponseStream) -> None:
    """Events are numbered from 0, without a gap."""
    hold(stream, responsegrammar.sequence)


@invariant("responses.event_name", level=MUST, cite=["OR"], of=ResponseStream)
def event_name(stream: ResponseStream) -> None:
    """The name of each event is its type."""
    hold(stream, responsegrammar.names)


MEMBERS: dict[str, dict[str, type]] = {
    "output_item.added": {"output_index": int, "item": dict},
    "output_item.done": {"output_index": int, "item": dict},
    **{
        f"{what}.{change}": {"item_id": str, "output_index": int, index: int, member: kind}
        for what, index, member, kind in (
            ("content_part", "content_index", "part", dict),
            ("reasoning_summary_part", "summary_index", "part", dict),
        )
        for change in ("added", "done")
    },
    **{
        f"{what}.{change}": {"item_id": str, "output_index": int, index: int, member: str}
        for what, index, whole in (
            ("output_text", "content_index", "text"),
            ("refusal", "content_index", "refusal"),
            ("reasoning_text", "content_index", "text"),
            ("reasoning_summary_text", "summary_index", "text"),
            ("function_call_arguments", "output_index", "arguments"),
        )
        for change, member in (("delta", "delta"), ("done", whole))
    },
    **{kind: {"response": dict} for kind in ("created", "in_progress", *ENDINGS)},
}


@invariant("responses.event_schema", level=MUST, cite=["SPEC:60087"], of=ResponseStream)
def event_schema(stream: ResponseStream) -> None:
    """Every event is a JSON object with its members, each of its type."""
    expect(not stream.problems, "JSON objects", "; ".join(stream.problems))
    for kind, event in stream.told:
        for name, wanted in MEMBERS.get(kind, {}).items():
            found = event.get(name)
            expect(type(found) is wanted, f"{kind} with {name}, a {wanted.__name__}", event)


@invariant("responses.item_identity", level=MUST, cite=["SDK", "FW:strands"], of=ResponseStream)
def item_identity(stream: ResponseStream) -> None:
    """A response and its items keep their ids, types, names and call_ids through all events."""
    hint = "the SDK raises where they change; Strands puts deltas together by item_id"
    hold(stream, responsegrammar.identity, hint=hint)


@invariant("responses.terminal", level=MUST, cite=["SDK", "FW:openai-agents"], of=ResponseStream)
def terminal(stream: ResponseStream) -> None:
    """A stream ends with one of completed, incomplete or failed, which has the whole output."""
    hint = "the Agents SDK takes the whole answer from the last event"
    hold(stream, responsegrammar.terminal, responsegrammar.output, hint=hint)
    failed = stream.response.get("status") == "failed"
    expect(failed or bool(stream.response.get("output")), "output", stream.response, hint)


@invariant("responses.no_done", level=SHOULD, cite=["PEER:openai"], of=ResponseStream)
def no_done(stream: ResponseStream) -> None:
    """No `[DONE]` follows: the last event says that it is the last."""
    marks = [event.data for event in stream.reader.events if event.data == "[DONE]"]
    expect(not marks, "no [DONE]", f"{len(marks)}")


@invariant("responses.deltas_add_up", level=MUST, cite=["SDK", "FW"], of=ResponseStream)
def deltas_add_up(stream: ResponseStream) -> None:
    """The deltas of a part add up to what its last event and the item have."""
    hold(stream, responsegrammar.texts)
