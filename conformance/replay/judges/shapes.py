"""Types and enumerations: OpenAI's own models, read strictly, and our schemas beside them.

Which members must be there is learned (`presence`); what these models require besides is kept to.
"""

from __future__ import annotations

import itertools
import re
import typing
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from typing import Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from openai.types import Completion, CreateEmbeddingResponse, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import (
    Response,
    ResponseItemList,
    ResponseOutputItem,
    ResponseStreamEvent,
)
from openai.types.responses.input_token_count_response import InputTokenCountResponse
from pydantic import BaseModel, TypeAdapter, ValidationError

from conformance import schemas
from conformance.replay.judges.answer import Answer, Found
from conformance.replay.judges.problem import Problem
from conformance.replay.presence import type_of


class Models(BaseModel):
    object: Literal["list"]
    data: list[Model]


class Deleted(BaseModel):
    id: str
    object: Literal["response"]
    deleted: Literal[True]


def _types(union: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    """The models of a union, by the type that each says it is."""
    for model in typing.get_args(typing.get_args(union)[0]):
        for name in typing.get_args(model.model_fields["type"].annotation):
            yield name, model


MODELS: dict[str, type[BaseModel]] = {
    "chat.completion": ChatCompletion,
    "chat.completion.chunk": ChatCompletionChunk,
    "text_completion": Completion,
    "text_completion.chunk": Completion,
    "embeddings": CreateEmbeddingResponse,
    "response": Response,
    "response.begun": Response,
    "response.deleted": Deleted,
    "input_tokens": InputTokenCountResponse,
    "input_items": ResponseItemList,
    "models": Models,
    "model": Model,
    **{name: event for name, event in _types(ResponseStreamEvent) if name != "error"},
}

STRING: schemas.Schema = {"type": "string"}
NULLABLE: schemas.Schema = {"type": ["string", "null"]}
FAULT: schemas.Schema = {
    "type": "object",
    "properties": {
        "message": {"type": "string", "minLength": 1},
        "type": STRING,
        "param": NULLABLE,
        "code": NULLABLE,
    },
    "required": ["message", "type", "param", "code"],
}
ENVELOPE: schemas.Schema = {
    "type": "object",
    "properties": {"error": FAULT},
    "required": ["error"],
}

EVENT: schemas.Schema = {
    "required": ["sequence_number"],
    "properties": {"sequence_number": schemas.COUNT},
    "anyOf": [ENVELOPE, {**FAULT, "required": ["message", "param", "code"]}],
}
"""The error of a stream: as it comes, or as it is described."""

OURS = {"chat.completion": schemas.COMPLETION, "error": ENVELOPE, "error.event": EVENT}

LOCAL_TOOLS = {"function", "custom"}
LOCAL_ITEMS = {"message", "reasoning", "function_call", "custom_tool_call"}
"""Those of a local server. OpenAI has others that it runs itself, and more each month: what these
look like is its own affair."""

HOSTED_ITEM = re.compile("|".join([*(name for name, _ in _types(ResponseOutputItem)), r"\w+_call"]))

HOSTED_EVENT = re.compile(r"response\.(?!function_|custom_)\w+_call\w*\.\w+|keepalive")
"""Events of such tools, and one that comes while a model thinks: they are not all described."""

LATER = {
    "sequence_number": date(2025, 6, 1),
    "logprobs": date(2025, 7, 1),
    "cache_write_tokens": date(2026, 7, 1),
}
"""Members that the models require, and the wire has since then."""

ON_THE_WIRE = {
    ("text_completion.chunk", "finish_reason", "null"): "a chunk before the last has none",
    ("embeddings", "embedding", "string"): "in base64",
}
"""What the models do not allow, and OpenAI sends: kind, member, type."""


def problems(answer: Answer) -> Iterator[Problem]:
    for found in answer.objects:
        if found.inner:
            continue
        for path, message in (*_by_us(found), *_by_openai(found, answer.made)):
            yield Problem("schema", f"{found.where}: {path}", message)
        known = found.kind in {*MODELS, *OURS} or HOSTED_EVENT.fullmatch(found.kind)
        if not known:
            yield Problem("schema", found.where, f"no event is called {found.kind!r}")


def _by_us(found: Found) -> Iterator[tuple[str, str]]:
    errors = Draft202012Validator(OURS.get(found.kind, {})).iter_errors(found.value)
    # What a completion must have depends on the model: that is learned.
    wrong = [e for e in errors if found.kind != "chat.completion" or e.validator != "required"]
    if error := best_match(wrong):
        yield error.json_path, error.message


def _by_openai(found: Found, made: date | None) -> Iterator[tuple[str, str]]:
    """What OpenAI's model says, as far as it knows the wire."""
    if found.kind not in MODELS:
        return
    try:
        _adapter(found.kind).validate_python(found.value, strict=True)
    except ValidationError as refused:
        errors = refused.errors(include_url=False)
    else:
        return
    local = [error for error in errors if not _hosted(found.value, error["loc"])]
    for error in _meant(local):
        if not _excused(found.kind, error, made):
            yield ".".join(map(str, error["loc"])), error["msg"]


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(MODELS[kind])


def _meant(errors: Sequence[Any]) -> list[Any]:
    """Of a union, only what is wrong by the member of the type that the object says it is."""
    others = [
        error["loc"][:-1]
        for error in errors
        if error["type"] == "literal_error" and error["loc"][-1] == "type"
    ]
    meant = [error for error in errors if not any(_below(error["loc"], o) for o in others)]
    return meant or list(errors[:1])


def _hosted(value: Any, place: tuple[Any, ...]) -> bool:
    """Does it lie within an item or a tool that is not of a local server?"""
    for before, part in itertools.pairwise((None, *place)):
        try:
            value = value[part]
        except (LookupError, TypeError):
            return False  # the name of one of a union's models
        kind = value.get("type") if isinstance(value, dict) else None
        if isinstance(kind, str) and before == "tools":
            return kind not in LOCAL_TOOLS
        if isinstance(kind, str) and (part == "item" or before == "output"):
            return kind not in LOCAL_ITEMS and bool(HOSTED_ITEM.fullmatch(kind))
    return False


def _below(place: tuple[Any, ...], above: tuple[Any, ...]) -> bool:
    return bool(above) and place[: len(above)] == above


def _excused(kind: str, error: Any, made: date | None) -> bool:
    name = error["loc"][-1]
    if error["type"] == "missing":
        return made is not None and made < LATER.get(name, date.min)
    return (kind, name, type_of(error["input"])) in ON_THE_WIRE
