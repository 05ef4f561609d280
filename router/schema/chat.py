"""The body of POST /v1/chat/completions, and what the router makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
)

from router.fielderrors import bad_field, from_pydantic, refusal, shown
from router.frames import Constraint, Sampling
from router.schema.fields import (
    Choices,
    Count,
    Items,
    NonEmpty,
    ReasoningEffort,
    SamplingFields,
    StopStrings,
    StreamOptions,
    merged_sampling,
    refused,
)
from router.schema.messages import Message, check_results
from router.schema.response_format import ResponseFormat, answer_schema
from router.schema.tools import (
    MAX_TOOLS,
    Function,
    Tool,
    ToolChoice,
    check_functions,
    function_call_choice,
    tool_choice,
)


def _text_modality(modalities: list[str]) -> list[str]:
    if modalities == ["text"]:
        return modalities
    raise refusal("unsupported_value", f'expected ["text"], but got {shown(modalities)}')


class ChatBody(SamplingFields):
    model: NonEmpty
    messages: Annotated[Items[Message], Field(min_length=1)]
    tools: Annotated[list[Tool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Choices | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    stop: StopStrings | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    reasoning_effort: ReasoningEffort | None = None
    response_format: ResponseFormat | None = None
    modalities: Annotated[list[str], AfterValidator(_text_modality)] | None = None
    functions: Annotated[list[Function], Field(max_length=MAX_TOOLS)] | None = None
    function_call: Any = None
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
    no log probabilities. ``answer_schema``: the JSON Schema of the answer's text, None for any
    text. ``older_calls``: the client knows functions only, not tools, and gets its call so.
    ``sampling_given``: what the client set, by ``Sampling``'s names.
    """

    model: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    tool_choice: ToolChoice
    parallel_tool_calls: bool
    older_calls: bool
    answer_schema: dict[str, Any] | None
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
        limits = (fields.max_tokens, fields.max_completion_tokens)
        check_results(fields.messages)
        older = _knows_functions_only(fields)
        return cls(
            model=fields.model,
            messages=body["messages"],
            tools=_functions_as_tools(body["functions"]) if older else body.get("tools") or [],
            tool_choice=_checked_choice(fields, older=older),
            parallel_tool_calls=fields.parallel_tool_calls is not False and not older,
            older_calls=older,
            answer_schema=_answer_schema(fields.response_format),
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

    @property
    def usable_tools(self) -> list[dict[str, Any]]:
        return [] if self.tool_choice.mode == "none" else self.tools

    @property
    def constraint(self) -> Constraint:
        choice = self.tool_choice
        return Constraint(
            required=choice.mode == "required",
            functions=list(choice.functions),
            parallel=self.parallel_tool_calls and not choice.named,
            schema=self.answer_schema,
        )

    def sampling(self, defaults: Mapping[str, float]) -> Sampling:
        return merged_sampling(self.sampling_given, defaults, self.top_logprobs)


def _answer_schema(wanted: ResponseFormat | None) -> dict[str, Any] | None:
    if wanted is None:
        return None
    return answer_schema(wanted.type, wanted.json_schema, "response_format.json_schema")


def _knows_functions_only(fields: ChatBody) -> bool:
    if fields.functions is None and fields.function_call is not None:
        reason = "it needs `functions` to choose from; `tool_choice` is for `tools`"
        raise bad_field("function_call", "invalid_value", reason)
    if fields.functions is not None and fields.tools is not None:
        raise bad_field("functions", "invalid_value", "it cannot be combined with `tools`")
    return bool(fields.functions)


def _functions_as_tools(functions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "function", "function": function} for function in functions]


def _checked_choice(fields: ChatBody, *, older: bool) -> ToolChoice:
    if older:
        functions = fields.functions or []
        check_functions(functions, "functions[{}]".format)
        return function_call_choice(fields.function_call, {f.name for f in functions})
    functions = [tool.function for tool in fields.tools or ()]
    check_functions(functions, "tools[{}].function".format)
    return tool_choice(fields.tool_choice, {f.name for f in functions})


def _top_logprobs(fields: ChatBody) -> int | None:
    if fields.logprobs:
        return fields.top_logprobs or 0
    if fields.top_logprobs is not None:
        raise bad_field("top_logprobs", "invalid_value", "it needs `logprobs` to be true as well")
    return None
