"""The body of POST /v1/responses, field by field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from router.fielderrors import refusal, shown
from router.schema.fields import (
    Count,
    Inbound,
    NonEmpty,
    ReasoningEffort,
    SamplingFields,
    only,
    refused,
)
from router.schema.response_format import JsonSchema, Kind
from router.schema.responseitems import Input
from router.schema.responsetools import OfferedTool
from router.schema.tools import MAX_TOOLS

Includable = Literal[
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "message.output_text.logprobs",
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "web_search_call.results",
]
"""Only the logprobs exist here; what concerns tools and media that are refused cannot come up,
and a thought is no secret: it is sent as it is."""

NO_BACKGROUND = "responses are not made in the background here; leave it out, or stream"
FOREGROUND = only(False, "unsupported_parameter", NO_BACKGROUND)
STANDARD = only("standard", "unsupported_value", 'the only mode here is "standard"')
NO_PREWARMING = only(False, "unsupported_parameter", "prompts are read when they are answered")

MAX_METADATA = 16
LONGEST_KEY = 64
LONGEST_VALUE = 512


def _labels(metadata: dict[str, str]) -> dict[str, str]:
    if len(metadata) > MAX_METADATA:
        raise refusal("invalid_value", f"expected at most {MAX_METADATA} keys, not {len(metadata)}")
    for key, value in metadata.items():
        if len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE:
            rule = f"keys have at most {LONGEST_KEY} characters and values {LONGEST_VALUE}"
            raise refusal("string_above_max_length", f"{rule}, unlike {shown(key)}")
    return metadata


class TextFormat(JsonSchema):
    type: Kind


class TextOptions(Inbound):
    format: TextFormat | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


Summary = Literal["auto", "concise", "detailed"]


class ReasoningOptions(Inbound):
    effort: ReasoningEffort | None = None
    summary: Summary | None = None
    generate_summary: Summary | None = None
    context: Literal["auto", "current_turn", "all_turns"] | None = None
    mode: Annotated[str, STANDARD] | None = None


class PromptCacheOptions(Inbound):
    prewarm: Annotated[bool, NO_PREWARMING] | None = None


class ResponsesBody(SamplingFields):
    model: NonEmpty
    input: Input | None = None
    instructions: str | None = None
    previous_response_id: NonEmpty | None = None
    store: bool | None = None
    stream: bool | None = None
    tools: Annotated[list[OfferedTool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    max_tool_calls: Count | None = None
    max_output_tokens: Count | None = None
    text: TextOptions | None = None
    reasoning: ReasoningOptions | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    include: list[Includable] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    metadata: Annotated[dict[str, str], AfterValidator(_labels)] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: PromptCacheOptions | None = None
    background: Annotated[bool, FOREGROUND] | None = None
    background_options: Annotated[None, refused(NO_BACKGROUND)] = None
    conversation: Annotated[
        None, refused("this server keeps no conversations; send `previous_response_id`")
    ] = None
    context_management: Annotated[
        None, refused("this server compacts no conversations; `truncation` can shorten them")
    ] = None
    prompt: Annotated[
        None, refused("this server keeps no prompt templates; send their text as `instructions`")
    ] = None
    moderation: Annotated[None, refused("this server moderates nothing; leave it out")] = None
    personality: Annotated[None, refused("describe it in the `instructions`")] = None

    @property
    def answer_format(self) -> TextFormat:
        given = self.text.format if self.text else None
        return given or TextFormat(type="text")
