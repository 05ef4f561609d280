"""The body of POST /v1/completions, and what the router makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator, ValidationError

from router.fielderrors import bad_field, from_pydantic, kind_of, refusal, shown
from router.frames import Prompt, Sampling
from router.schema.fields import (
    Choices,
    Count,
    NonEmpty,
    SamplingFields,
    StopStrings,
    StreamOptions,
    merged_sampling,
)

MAX_SEQUENCES = 128
"""Answers of one request: LangChain sends 20 prompts at a time, evaluation harnesses more."""

BEYOND_TOKEN_IDS = 1 << 31
BEGINNING = ""
"""What OpenAI takes null for: the beginning of a document."""


def _prompts(value: object) -> list[Prompt]:
    """The prompts in one of the four forms: text, token ids, or an array of either."""
    if value is None:
        return [BEGINNING]
    if isinstance(value, str) or (isinstance(value, list) and value and type(value[0]) is int):
        return [_prompt(value, "its items")]
    if not isinstance(value, list):
        raise refusal("invalid_type", f"expected a string or an array, but got {kind_of(value)}")
    if not value:
        raise refusal("empty_array", "expected at least one item, but got an empty array")
    if len(value) > MAX_SEQUENCES:
        reason = f"expected at most {MAX_SEQUENCES} prompts, but got {len(value)}"
        raise refusal("array_above_max_length", reason)
    return [_prompt(item, f"the items of prompt {at}") for at, item in enumerate(value)]


def _prompt(value: object, items: str) -> Prompt:
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise refusal("invalid_type", f"a prompt is text or token ids, but one is {kind_of(value)}")
    if not value:
        raise refusal("empty_array", "a prompt of token ids has at least one")
    for token in value:
        if type(token) is not int:
            raise refusal("invalid_type", f"{items} are token ids, but one is {kind_of(token)}")
        if not 0 <= token < BEYOND_TOKEN_IDS:
            raise refusal("invalid_value", f"{items} are token ids, but one is {shown(token)}")
    return value


def _no_suffix(suffix: str) -> str:
    if suffix:
        advice = "this server only continues texts; put what follows into the prompt"
        raise refusal("unsupported_parameter", advice)
    return suffix


class CompletionBody(SamplingFields):
    model: NonEmpty
    prompt: Annotated[list[Prompt], PlainValidator(_prompts)]
    suffix: Annotated[str, AfterValidator(_no_suffix)] | None = None
    max_tokens: Count | None = None
    n: Choices | None = None
    best_of: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    echo: bool | None = None
    stop: StopStrings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """Texts to be continued, valid in themselves; whether they fit a model is for the engine.

    Each of ``prompts`` gets ``n`` choices. ``stream`` and ``max_tokens`` None: the client left
    it to the server. ``top_logprobs`` None: no log probabilities. ``echo``: each choice begins
    with its prompt, which is text. ``sampling_given``: what the client set, by ``Sampling``'s
    names.
    """

    model: str
    prompts: list[Prompt]
    echo: bool
    stream: bool | None
    include_usage: bool
    n: int
    max_tokens: int | None
    stop: tuple[str, ...]
    top_logprobs: int | None
    sampling_given: dict[str, Any]

    @classmethod
    def parse(cls, body: dict[str, Any]) -> CompletionRequest:
        """``BadRequest`` with ``param`` and an OpenAI ``code`` for the first wrong field."""
        try:
            fields = CompletionBody.model_validate(body)
        except ValidationError as error:
            raise from_pydantic(error) from None
        _check_choices(fields)
        _check_echo(fields)
        return cls(
            model=fields.model,
            prompts=fields.prompt,
            echo=bool(fields.echo),
            stream=fields.stream,
            include_usage=bool(fields.stream_options and fields.stream_options.include_usage),
            n=fields.n or 1,
            max_tokens=fields.max_tokens,
            stop=tuple(fields.stop or ()),
            top_logprobs=fields.logprobs,
            sampling_given=fields.given(),
        )

    @property
    def beginnings(self) -> list[str]:
        """What each choice begins with before the model says anything."""
        texts = (p if self.echo and isinstance(p, str) else "" for p in self.prompts)
        return [text for text in texts for _ in range(self.n)]

    def sampling(self, defaults: Mapping[str, float]) -> Sampling:
        return merged_sampling(self.sampling_given, defaults, self.top_logprobs)


def _check_choices(fields: CompletionBody) -> None:
    n, prompts = fields.n or 1, len(fields.prompt)
    if fields.best_of not in (None, n):
        reason = f"every answer is sent, so it can only be what `n` is, {n}; leave it out"
        raise bad_field("best_of", "unsupported_value", reason)
    if n * prompts > MAX_SEQUENCES:
        most = MAX_SEQUENCES // prompts
        reason = f"expected at most {most} for each of {prompts} prompts, but got {n}"
        raise bad_field("n", "integer_above_max_value", reason)


def _check_echo(fields: CompletionBody) -> None:
    if not fields.echo:
        return
    if fields.logprobs is not None:
        reason = "it cannot be combined with `logprobs`, which are known for the answer only"
        raise bad_field("echo", "unsupported_value", reason)
    if not all(isinstance(prompt, str) for prompt in fields.prompt):
        reason = "token ids cannot be echoed as text; send the prompt as text"
        raise bad_field("echo", "unsupported_value", reason)
