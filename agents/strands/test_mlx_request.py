"""What MLXModel sends for a conversation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from mlx_request import message_fields


def test_the_request_of_a_whole_conversation() -> None:
    conversation: Any = [
        {"role": "user", "content": [{"text": "Weather?"}]},
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "I have a tool."}}},
                {"text": "Let me see."},
                {
                    "toolUse": {
                        "toolUseId": "call_1",
                        "name": "weather",
                        "input": {"city": "Zürich"},
                    }
                },
            ],
        },
        {
            "role": "user",
            "content": [
                {"text": "Hurry."},
                {
                    "toolResult": {
                        "toolUseId": "call_1",
                        "status": "success",
                        "content": [{"json": {"sky": "clear"}}, {"text": "and warm"}],
                    }
                },
            ],
        },
    ]
    system: Any = [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}]
    function = {"name": "weather", "arguments": '{"city": "Zürich"}'}
    assert message_fields(conversation, system)["messages"] == [
        {"role": "system", "content": [part("Be brief.")]},
        {"role": "user", "content": [part("Weather?")]},
        {
            "role": "assistant",
            "content": [part("Let me see.")],
            "reasoning_content": "I have a tool.",
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        },
        {
            "role": "tool",
            "tool_call_id": "call_1",
            "content": [part('{"sky": "clear"}'), part("and warm")],
        },
        {"role": "user", "content": [part("Hurry.")]},
    ]


def part(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def test_a_block_that_cannot_be_sent_is_named() -> None:
    image: Any = [{"image": {"format": "png", "source": {"bytes": b""}}}]
    with pytest.raises(ValueError, match="the image block"):
        message_fields([{"role": "user", "content": image}], None)
