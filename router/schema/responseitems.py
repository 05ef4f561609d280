"""The input of the Responses API: items that were said, thought, called and returned."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WrapValidator

from router.schema.fields import Inbound, Items, NonEmpty, string_or_array
from router.schema.messages import RefusalPart, no_media


class TextPart(Inbound):
    """Clients do not agree on which of the two the assistant's own text is."""

    type: Literal["input_text", "output_text"]
    text: str


class MediaPart(Inbound):
    type: Annotated[Literal["input_image", "input_audio", "input_file"], AfterValidator(no_media)]


Part = Annotated[TextPart | RefusalPart | MediaPart, Field(discriminator="type")]
Content = Annotated[Items[Part], WrapValidator(string_or_array)]


class SummaryPart(Inbound):
    type: Literal["summary_text"]
    text: str


class ThoughtPart(Inbound):
    type: Literal["reasoning_text"]
    text: str


class Message(Inbound):
    type: Literal["message"]
    id: str | None = None
    role: Literal["user", "assistant", "system", "developer"]
    content: Content


class FunctionCall(Inbound):
    type: Literal["function_call"]
    id: str | None = None
    call_id: NonEmpty
    name: NonEmpty
    arguments: str


class FunctionCallOutput(Inbound):
    type: Literal["function_call_output"]
    id: str | None = None
    call_id: NonEmpty
    output: Content


class Reasoning(Inbound):
    type: Literal["reasoning"]
    id: str | None = None
    summary: Items[SummaryPart] | None = None
    content: Items[ThoughtPart] | None = None


class ItemReference(Inbound):
    """An item of an earlier response, by its id."""

    type: Literal["item_reference"]
    id: NonEmpty


def typed(item: Any) -> Any:
    """Most clients leave out what a message is called, and some what a reference is."""
    if isinstance(item, dict) and item.get("type") is None:
        kind = "item_reference" if item.keys() - {"type"} == {"id"} else "message"
        return {**item, "type": kind}
    return item


Item = Annotated[
    Message | FunctionCall | FunctionCallOutput | Reasoning | ItemReference,
    Field(discriminator="type"),
    BeforeValidator(typed),
]
Input = Annotated[Items[Item], WrapValidator(string_or_array)]
