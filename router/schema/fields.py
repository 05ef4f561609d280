"""Field types and rules that several endpoints share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from router.fielderrors import kind_of, refusal, shown
from router.frames import Sampling

ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]

MAX_CHOICES = 8
LONGEST_STOP = 500
"""Characters: an answer is held back for as long as it may still turn into a stop string."""

_TOKEN_ID = re.compile(r"[0-9]{1,18}")
_LARGEST = 2**63 - 1

T = TypeVar("T")
Items = Annotated[list[T], Field(fail_fast=True)]
NonEmpty = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1, le=_LARGEST)]
Choices = Annotated[int, Field(ge=1, le=MAX_CHOICES)]


class Inbound(BaseModel):
    """Strict: no string is a number, no boolean is an integer."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


def refused(advice: str) -> BeforeValidator:
    """For a documented field that is not honoured: null is all it may hold."""

    def refuse(value: object) -> None:
        if value is not None:
            raise refusal("unsupported_parameter", advice)

    return BeforeValidator(refuse)


def only(allowed: object, code: str, advice: str) -> AfterValidator:
    """For a documented field that is honoured with one value, and refused with others."""

    def check(value: object) -> object:
        if value != allowed:
            raise refusal(code, advice)
        return value

    return AfterValidator(check)


def string_or_array(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    """A wrap validator of an array, for fields whose other form is plain text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return validate(value)
    raise refusal("invalid_type", f"expected a string or an array, but got {kind_of(value)}")


def _stop_strings(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    if value == "":
        raise refusal("invalid_value", "an empty string cannot end an answer; leave it out")
    return validate([value]) if isinstance(value, str) else string_or_array(value, validate)


StopString = Annotated[str, Field(min_length=1, max_length=LONGEST_STOP)]
StopStrings = Annotated[list[StopString], Field(max_length=4), WrapValidator(_stop_strings)]


class StreamOptions(Inbound):
    include_usage: bool | None = None


def _only_functions(kind: str) -> str:
    if kind == "function":
        return kind
    advice = f"this server knows no tools of type {shown(kind)}"
    raise refusal("unsupported_value", f"{advice}; describe it as a function or leave it out")


FunctionType = Annotated[str, AfterValidator(_only_functions)]


def _token_ids(bias: dict[str, float]) -> dict[str, float]:
    for token in bias:
        if not _TOKEN_ID.fullmatch(token):
            raise refusal("invalid_value", f"its keys are token ids, but one is {shown(token)}")
    return bias


Bias = Annotated[float, Field(ge=-100, le=100)]
LogitBias = Annotated[dict[str, Bias], AfterValidator(_token_ids)]


class SamplingFields(Inbound):
    """Ranges as in the OpenAI reference; the last three are this server's own."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    logit_bias: LogitBias | None = None
    seed: Annotated[int, Field(ge=-_LARGEST - 1, le=_LARGEST)] | None = None
    top_k: Annotated[int, Field(ge=0, le=_LARGEST)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] | None = None

    def given(self) -> dict[str, Any]:
        """What the client set, under the names of ``frames.Sampling``."""
        fields = {name: getattr(self, name) for name in SamplingFields.model_fields}
        if self.logit_bias is not None:
            fields["logit_bias"] = {int(token): bias for token, bias in self.logit_bias.items()}
        return {name: value for name, value in fields.items() if value is not None}


def merged_sampling(
    given: Mapping[str, Any], defaults: Mapping[str, float], top_logprobs: int | None
) -> Sampling:
    """What the client gave before the model's ``defaults`` before OpenAI's own."""
    chosen = {**defaults, **given}
    if "top_k" in chosen:
        chosen["top_k"] = int(chosen["top_k"])
    return Sampling(**chosen, top_logprobs=top_logprobs)
