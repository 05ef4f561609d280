"""What the model process is asked for, for a chat in whatever API it came."""

from __future__ import annotations

from typing import Any

from router import frames
from router.catalog import ModelSpec
from router.config import Config
from router.errors import BadRequest
from router.schema import ChatRequest


def chat_prompt(chat: ChatRequest, spec: ModelSpec, config: Config) -> frames.Generate:
    """Raises BadRequest for tools where a setting turns them off."""
    _check_settings(chat, spec, config)
    return frames.Generate(
        id=0,
        messages=chat.messages,
        tools=chat.usable_tools,
        constraint=chat.constraint,
        sampling=chat.sampling(spec.sampling),
        n=chat.n,
        max_tokens=chat.max_tokens or config.defaults.max_tokens,
        template_options=_template_options(chat),
    )


def _check_settings(chat: ChatRequest, spec: ModelSpec, config: Config) -> None:
    """Refuse tools where a setting turns them off: answering without them would lose them."""
    if not chat.tools:
        return
    setting = None
    if not config.defaults.enable_function_calling:
        setting = "defaults.enable_function_calling"
    elif not spec.supports_tools:
        setting = f"models.{spec.id}.supports_tools"
    if setting:
        raise BadRequest(
            f"Function calling is turned off by {setting} = false in config.json."
            " Remove the tools from the request, or change the setting.",
            param="tools",
            code="unsupported_parameter",
        )


def _template_options(chat: ChatRequest) -> dict[str, Any]:
    """``reasoning_effort: none`` asks a thinking model's template for an answer at once."""
    if chat.reasoning_effort is None:
        return {}
    thinks = chat.reasoning_effort != "none"
    return {"enable_thinking": thinks, "reasoning_effort": chat.reasoning_effort}
