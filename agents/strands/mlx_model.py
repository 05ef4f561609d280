"""A Strands model provider for MLX Router. To use it elsewhere, copy the three mlx_*.py.

    Agent(model=MLXModel("smollm2-135m-instruct-tools", params={"temperature": 0}))

It speaks the router's chat completions over HTTP itself, with httpx, which Strands brings, and
httpx-sse. Unlike ``OpenAIModel`` it needs no OpenAI SDK, sends each request once, where the SDK's
retries multiply with those of Strands, streams the input of a tool while it is written, keeps
reasoning in the conversation, and reports latency.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, TypeVar, cast

import httpx
from httpx_sse import aconnect_sse
from mlx_events import Blocks, metadata
from mlx_request import Json, message_fields, tool_fields
from pydantic import BaseModel
from strands.models import Model
from strands.models.model import BaseModelConfig
from strands.types.content import Messages, SystemContentBlock
from strands.types.exceptions import (
    ContextWindowOverflowException,
    MaxTokensReachedException,
    ModelThrottledException,
)
from strands.types.streaming import StreamEvent
from strands.types.tools import ToolChoice, ToolSpec

TIMEOUT = httpx.Timeout(600, connect=5)
"""Seconds. The router sends something every 15 s, also while it reads a long prompt."""

Output = TypeVar("Output", bound=BaseModel)


class RouterError(Exception):
    """The router refused a request, failed at it or could not be reached.

    ``status`` is None where there was no answer, or it had begun; ``param`` names the field that
    was wrong, ``code`` is OpenAI's.
    """

    def __init__(
        self,
        message: str,
        status: int | None = None,
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = code


class MLXConfig(BaseModelConfig, total=False):
    """``model_id``: a name that GET /v1/models lists. ``params``: fields of every request, such
    as temperature or max_tokens."""

    model_id: str
    params: Json


class MLXModel(Model):
    """``base_url`` ends in /v1. ``api_key`` is one of the router's ``server.api_keys``, if it
    has any."""

    def __init__(
        self,
        model_id: str,
        *,
        base_url: str = "http://localhost:8800/v1",
        api_key: str = "not-needed",
        **settings: Any,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._config: Json = {}
        self.update_config(model_id=model_id, **settings)

    def update_config(self, **model_config: Any) -> None:
        """Raises ValueError for a setting that ``MLXConfig`` does not have."""
        known = MLXConfig.__annotations__
        for name in model_config.keys() - known.keys():
            raise ValueError(
                f"{name!r} is not a setting of MLXModel ({', '.join(known)});"
                " fields of the request go into params"
            )
        self._config.update(model_config)

    def get_config(self) -> MLXConfig:
        return cast(MLXConfig, self._config)

    async def stream(
        self,
        messages: Messages,
        tool_specs: list[ToolSpec] | None = None,
        system_prompt: str | None = None,
        *,
        tool_choice: ToolChoice | None = None,
        system_prompt_content: list[SystemContentBlock] | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[StreamEvent, None]:
        """One answer, as it comes.

        Raises ContextWindowOverflowException; ModelThrottledException where a later retry can
        succeed, as with a full queue; RouterError.
        """
        body = message_fields(messages, system_prompt_content or system_prompt)
        async for event in self._answer(body | tool_fields(tool_specs, tool_choice)):
            yield event

    async def structured_output(
        self,
        output_model: type[Output],
        prompt: Messages,
        system_prompt: str | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[dict[str, Output | Any], None]:
        """The events of one answer that the router holds to the schema of ``output_model``, then
        ``{"output": instance}``.

        Raises what ``stream`` does; MaxTokensReachedException for JSON that was cut off;
        pydantic's ValidationError where a validator asks for more than the schema says.
        """
        schema = {"name": "output", "schema": output_model.model_json_schema(), "strict": True}
        response_format = {"type": "json_schema", "json_schema": schema}
        body = message_fields(prompt, system_prompt) | {"response_format": response_format}
        answer = ""
        async for event in self._answer(body):
            yield {**event}
            if "contentBlockDelta" in event:
                answer += event["contentBlockDelta"]["delta"].get("text", "")
            if event.get("messageStop") == {"stopReason": "max_tokens"}:
                raise MaxTokensReachedException("The JSON was cut off: allow more max_tokens.")
        yield {"output": output_model.model_validate_json(answer)}

    async def _answer(self, fields: Json) -> AsyncIterator[StreamEvent]:
        params = self._config.get("params") or {}
        body = {
            **params,
            **fields,
            "model": self._config["model_id"],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        started = time.monotonic()
        blocks = Blocks()
        async for chunk in self._chunks(body):
            for choice in chunk["choices"]:
                for event in blocks.continued(choice["delta"], choice["finish_reason"]):
                    yield event
            if usage := chunk["usage"]:
                yield metadata(usage, latency=round((time.monotonic() - started) * 1000))

    async def _chunks(self, body: Json) -> AsyncIterator[Json]:
        try:
            # An agent may run each call in an event loop of its own, which connections do not
            # survive; so each request has its client.
            async with (
                httpx.AsyncClient(headers=self._headers, timeout=TIMEOUT) as client,
                aconnect_sse(client, "POST", self._url, json=body) as source,
            ):
                if source.response.is_error:
                    await source.response.aread()
                    raise _refused(source.response)
                async for event in source.aiter_sse():
                    if event.data == "[DONE]":
                        return
                    chunk = event.json()
                    if "error" in chunk:
                        raise _failure(chunk["error"])
                    yield chunk
        except httpx.TransportError as error:
            raise RouterError(f"{self._url}: {error!r}. Is this a running router?") from error
        raise RouterError(f"{self._url} ended its answer early. Is this a router?")


def _refused(response: httpx.Response) -> Exception:
    try:
        error = response.json()["error"]
        error["message"]
    except (ValueError, KeyError, TypeError):
        error = {"message": f"{response.url} answered {response.status_code}. Is this a router?"}
    return _failure(error, response.status_code)


def _failure(error: Json, status: int | None = None) -> Exception:
    message, code = error["message"], error.get("code")
    if code == "context_length_exceeded":
        return ContextWindowOverflowException(message)
    if status in (429, 503):
        return ModelThrottledException(message)
    return RouterError(message, status, error.get("param"), code)
