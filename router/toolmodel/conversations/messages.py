"""Messages in the shape of the OpenAI chat API."""

from collections.abc import Mapping
from typing import Any

Message = dict[str, Any]


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def assistant(text: str) -> Message:
    return {"role": "assistant", "content": text}


def calling(*calls: tuple[str, Mapping[str, Any]]) -> Message:
    """An assistant message of calls, each a tool's name and its arguments."""
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {
                "id": f"call_{number}",
                "type": "function",
                "function": {"name": name, "arguments": dict(arguments)},
            }
            for number, (name, arguments) in enumerate(calls, 1)
        ],
    }


def returned(content: str, number: int = 1) -> Message:
    """The result of the call of this number in the message before."""
    return {"role": "tool", "tool_call_id": f"call_{number}", "content": content}
