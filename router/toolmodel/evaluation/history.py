"""Messages of a conversation as a client sends them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from openai.types.chat import ChatCompletionMessageFunctionToolCallParam as MessageCall
from openai.types.chat import ChatCompletionMessageParam as Message

from router.toolmodel.evaluation.cases import Step
from router.toolmodel.evaluation.reply import Reply


def opening(system: str, request: str) -> list[Message]:
    """A system message, unless it is empty, and the user's first."""
    first: list[Message] = [{"role": "system", "content": system}] if system else []
    return [*first, {"role": "user", "content": request}]


def called(reply: Reply, steps: Sequence[Step]) -> list[Message]:
    """The assistant's turn with its calls, and the results of ``steps`` for them, in order."""
    # Ids without digits: what an answer may say is judged by the numbers in its conversation.
    ids = [f"call_{chr(ord('a') + index)}" for index in range(len(steps))]
    calls: list[MessageCall] = [
        {
            "id": id_,
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
        }
        for id_, call in zip(ids, reply.calls, strict=True)
    ]
    results: list[Message] = [
        {"role": "tool", "tool_call_id": id_, "content": step.result}
        for id_, step in zip(ids, steps, strict=True)
    ]
    return [{"role": "assistant", "content": reply.text or None, "tool_calls": calls}, *results]


def carried_out(steps: Sequence[Step]) -> list[Message]:
    """The assistant makes these calls in one turn, and they return."""
    return called(Reply("", tuple(step.written for step in steps)), steps)


def spoken(system: str, turns: Sequence[str | Step]) -> list[Message]:
    """User and assistant by turns, with the calls in between."""
    first, *rest = turns
    messages = opening(system, str(first))
    by_user = False
    for turn in rest:
        if isinstance(turn, Step):
            messages += carried_out([turn])
        else:
            messages.append(
                {"role": "user", "content": turn}
                if by_user
                else {"role": "assistant", "content": turn}
            )
            by_user = not by_user
    return messages


def words(messages: Sequence[Message]) -> str:
    """All that was said, called and returned."""
    texts = [str(message.get("content") or "") for message in messages]
    for message in messages:
        if message["role"] == "assistant":
            calls = message.get("tool_calls", ())
            texts += [call["function"]["arguments"] for call in calls if call["type"] == "function"]
    return "\n".join(texts)
