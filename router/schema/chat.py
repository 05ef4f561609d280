"""The body of POST /v1/chat/completions, and what the router makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from router.fielderrors import bad_field, from_pydantic, refusal, shown
from router.frames import Sampling
from router.schema.fields import (
    Count,
    Inbound,
    Items,
    NonEmpty,
    ReasoningEffort,
    SamplingFields,
    refused,
    string_or_array,
)
from router.schema.messages import Message, check_results
from router.schema.tools import MAX_TOOLS, Tool, ToolChoice, check_tools, tool_choice

MAX_CHOICES = 8
LONGEST_STOP = 500
"""Characters: an answer is held back for as long as it may still turn into a stop string."""


def _stop_strings(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    if value == "":
        raise refusal("invalid_value", "an empty string cannot end an answer; leave it out")
    return validate([value]) if isinstance(value, str) else string_or_array(value, validate)


StopString = Annotated[str, Field(min_length=1, max_length=LONGEST_STOP)]
StopStrings = Annotated[list[StopString], Field(max_length=4), WrapValidator(_stop_strings)]


def _text_modality(modalities: list[str]) -> list[str]:
    if modalities == ["text"]:
        return modalities
    raise refusal("unsupported_value", f'expected ["text"], but got {shown(modalities)}')


class ResponseFormat(Inbound):
    type: Literal["text", "json_object", "json_schema"]


def _text_format(wanted: ResponseFormat) -> ResponseFormat:
    if wanted.type == "text":
        return wanted
    advice = f"{wanted.type} answers cannot be guaranteed yet; leave it out and ask in a message"
    raise refusal("unsupported_parameter", advice)


class StreamOptions(Inbound):
    include_usage: bool | None = None


class ChatBody(SamplingFields):
    model: NonEmpty
    messages: Annotated[Items[Message], Field(min_length=1)]
    tools: Annotated[list[Tool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=MAX_CHOICES)] | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    stop: StopStrings | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    reasoning_effort: ReasoningEffort | None = None
    response_format: Annotated[ResponseFormat, AfterValidator(_text_format)] | None = None
    modalities: Annotated[list[str], AfterValidator(_text_modality)] | None = None
    functions: Annotated[None, refused("it is deprecated; use `tools`")] = None
    function_call: Annotated[None, refused("it is deprecated; use `tool_choice`")] = None
    audio: Annotated[None, refused("this server answers in text; leave it out")] = None
    prediction: Annotated[None, refused("it has no use here; leave it out")] = None
    web_search_options: Annotated[
        None, refused("this server does not search the web; offer a function for it")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """A chat request that is valid in itself; whether it fits a model is for the engine.

    ``messages`` and ``tools`` are the client's own JSON. ``stream`` None: the client left
    it to the server. ``max_tokens`` None: no bound but the context. ``top_logprobs`` None:
    no log probabilities. ``sampling_given``: what the client set, by ``Sampling``'s names.
    """

    model: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    tool_choice: ToolChoice
    parallel_tool_calls: bool
    stream: bool | None
    include_usage: bool
    n: int
    max_tokens: int | None
    stop: tuple[str, ...]
    top_logprobs: int | None
    reasoning_effort: ReasoningEffort | None
    sampling_given: dict[str, Any]

    @classmethod
    def parse(cls, body: dict[str, Any]) -> ChatRequest:
        """``BadRequest`` with ``param`` and an OpenAI ``code`` for the first wrong field."""
        try:
            fields = ChatBody.model_validate(body)
        except ValidationError as error:
            raise from_pydantic(error) from None
        tools = fields.tools or []
        limits = (fields.max_tokens, fields.max_completion_tokens)
        check_results(fields.messages)
        check_tools(tools)
        return cls(
            model=fields.model,
            messages=body["messages"],
            tools=body["tools"] if tools else [],
            tool_choice=tool_choice(fields.tool_choice, {tool.function.name for tool in tools}),
            parallel_tool_calls=fields.parallel_tool_calls is not False,
            stream=fields.stream,
            include_usage=bool(fields.stream_options and fields.stream_options.include_usage),
            n=fields.n or 1,
            max_tokens=min((limit for limit in limits if limit is not None), default=None),
            stop=tuple(fields.stop or ()),
            top_logprobs=_top_logprobs(fields),
            reasoning_effort=fields.reasoning_effort,
            sampling_given=fields.given(),
        )

    @property
    def logprobs(self) -> bool:
        return self.top_logprobs is not None

    def sampling(self, defaults: Mapping[str, float]) -> Sampling:
        """The request's values before the model's ``defaults`` before OpenAI's own."""
        chosen = {**defaults, **self.sampling_given}
        if "top_k" in chosen:
            chosen["top_k"] = int(chosen["top_k"])
        return Sampling(**chosen, top_logprobs=self.top_logprobs)


def _top_logprobs(fields: ChatBody) -> int | None:
    if fields.logprobs:
        return fields.top_logprobs or 0
    if fields.top_logprobs is not None:
        raise bad_field("top_logprobs", "invalid_value", "it needs `logprobs` to be true as well")
    return None
