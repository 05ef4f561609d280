"""The response object: what was asked, what came of it, key for key as OpenAI sends it."""

from __future__ import annotations

import time
from typing import Any

from router.errors import ApiError
from router.events import Usage
from router.frames import Sampling
from router.ids import new_hex_id
from router.schema import ResponsesRequest
from router.schema.responsebody import TextFormat
from router.schema.responsetools import FunctionTool

Json = dict[str, Any]


class ResponseObject:
    """One response, as it stands. ``counts`` is read when it has ended."""

    def __init__(
        self, asked: ResponsesRequest, *, model: str, sampling: Sampling, counts: Usage
    ) -> None:
        self.id = new_hex_id("resp_")
        self._created = int(time.time())
        self._counts = counts
        self._echo = _echo(asked, model, sampling)

    def begun(self) -> Json:
        return self._at("in_progress", [])

    def ended(self, output: list[Json], *, cut: bool) -> Json:
        """``cut``: the answer would have been longer."""
        if cut:
            reason = {"reason": "max_output_tokens"}
            return self._at("incomplete", output, incomplete_details=reason, usage=self._usage())
        now = int(time.time())
        return self._at("completed", output, completed_at=now, usage=self._usage())

    def failed(self, output: list[Json], error: ApiError) -> Json:
        told = {"code": "server_error", "message": error.message}
        return self._at("failed", output, error=told)

    def _at(self, status: str, output: list[Json], **changed: Any) -> Json:
        return {
            "id": self.id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "background": False,
            "completed_at": None,
            "error": None,
            "incomplete_details": None,
            **self._echo,
            "output": output,
            "usage": None,
            **changed,
        }

    def _usage(self) -> Json:
        counts = self._counts
        return {
            "input_tokens": counts.prompt_tokens,
            "input_tokens_details": {
                "cached_tokens": counts.cached_tokens,
                "cache_write_tokens": 0,
            },
            "output_tokens": counts.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": counts.reasoning_tokens},
            "total_tokens": counts.prompt_tokens + counts.completion_tokens,
        }


def _echo(asked: ResponsesRequest, model: str, sampling: Sampling) -> Json:
    """What does not change while the answer comes: the request, with its defaults filled in."""
    fields = asked.fields
    return {
        "frequency_penalty": sampling.frequency_penalty,
        "instructions": fields.instructions,
        "max_output_tokens": fields.max_output_tokens,
        "max_tool_calls": fields.max_tool_calls,
        "metadata": fields.metadata or {},
        "model": model,
        "moderation": None,
        "parallel_tool_calls": asked.chat.parallel_tool_calls,
        "presence_penalty": sampling.presence_penalty,
        "previous_response_id": fields.previous_response_id,
        "prompt_cache_key": fields.prompt_cache_key,
        "prompt_cache_retention": None,
        "reasoning": _reasoning(asked),
        "safety_identifier": fields.safety_identifier,
        "service_tier": "default",
        "store": asked.store,
        "temperature": sampling.temperature,
        "text": _text(asked),
        "tool_choice": fields.tool_choice or "auto",
        "tools": [_tool(tool) for tool in fields.tools or () if isinstance(tool, FunctionTool)],
        "top_logprobs": fields.top_logprobs or 0,
        "top_p": sampling.top_p,
        "truncation": fields.truncation or "disabled",
        "user": fields.user,
    }


def _reasoning(asked: ResponsesRequest) -> Json:
    """Thoughts are always told in full, and so is whatever summary was asked for."""
    given = asked.fields.reasoning
    wants_summary = given and (given.summary or given.generate_summary)
    return {
        "effort": given.effort if given else None,
        "summary": "detailed" if wants_summary else None,
    }


def _text(asked: ResponsesRequest) -> Json:
    given = asked.fields.text
    verbosity = (given and given.verbosity) or "medium"
    return {"format": _format(asked.fields.answer_format), "verbosity": verbosity}


def _format(given: TextFormat) -> Json:
    if given.type != "json_schema":
        return {"type": given.type}
    return {
        "type": "json_schema",
        "description": given.description,
        "name": given.name or "answer",
        "schema": given.schema_,
        "strict": given.strict is not False,
    }


def _tool(tool: FunctionTool) -> Json:
    """Without a word about ``strict`` it is on, as it is at OpenAI."""
    return {
        "type": "function",
        "description": tool.description,
        "name": tool.name,
        "parameters": tool.parameters,
        "strict": tool.strict is not False,
    }
