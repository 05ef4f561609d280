"""The conversation that a client sends: who said what, who called what."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WrapValidator

from router.fielderrors import bad_field, kind_of, refusal, shown
from router.schema.fields import (
    FunctionType,
    Inbound,
    Items,
    NonEmpty,
    refused,
    string_or_array,
)


def no_media(kind: str) -> str:
    advice = f"this server runs text models, which cannot read {kind} parts"
    raise refusal("unsupported_value", f"{advice}; send text parts only")


def _arguments(value: object) -> object:
    if isinstance(value, str | dict):
        return value
    raise refusal("invalid_type", f"expected a string or an object, but got {kind_of(value)}")


class TextPart(Inbound):
    type: Literal["text"]
    text: str


class RefusalPart(Inbound):
    type: Literal["refusal"]
    refusal: str


class MediaPart(Inbound):
    type: Annotated[Literal["image_url", "input_audio", "file"], AfterValidator(no_media)]


Part = Annotated[TextPart | MediaPart, Field(discriminator="type")]
AssistantPart = Annotated[TextPart | RefusalPart | MediaPart, Field(discriminator="type")]
Content = Annotated[Items[Part], WrapValidator(string_or_array)]
AssistantContent = Annotated[Items[AssistantPart], WrapValidator(string_or_array)]


class FunctionCall(Inbound):
    """``arguments`` is JSON text, as OpenAI has it, or the object itself."""

    name: NonEmpty
    arguments: Annotated[Any, AfterValidator(_arguments)]


class ToolCall(Inbound):
    id: NonEmpty
    type: FunctionType | None = None
    function: FunctionCall


class PromptMessage(Inbound):
    role: Literal["system", "developer", "user"]
    content: Content
    name: str | None = None


class AssistantMessage(Inbound):
    role: Literal["assistant"]
    content: AssistantContent | None = None
    name: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    tool_calls: Items[ToolCall] | None = None
    function_call: FunctionCall | None = None
    audio: Annotated[None, refused("send what was said as text in `content`")] = None


class ToolMessage(Inbound):
    role: Literal["tool"]
    tool_call_id: str
    content: Content


class FunctionMessage(Inbound):
    """The result of a call in the form that came before tools."""

    role: Literal["function"]
    name: NonEmpty
    content: Content | None


Message = Annotated[
    PromptMessage | AssistantMessage | ToolMessage | FunctionMessage,
    Field(discriminator="role"),
]


def check_results(messages: list[Message]) -> None:
    """Every tool result answers a call that an earlier message made."""
    called: set[str] = set()
    for index, message in enumerate(messages):
        if isinstance(message, AssistantMessage):
            called.update(call.id for call in message.tool_calls or ())
        elif isinstance(message, ToolMessage) and message.tool_call_id not in called:
            raise bad_field(
                f"messages[{index}].tool_call_id",
                "invalid_value",
                f"no assistant message before it has a tool call {shown(message.tool_call_id)}; "
                "send that message too",
            )
