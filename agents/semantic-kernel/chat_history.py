"""A conversation that is kept, printed, put away as text and taken up again."""

import asyncio
import os

from openai import AsyncOpenAI
from semantic_kernel.connectors.ai.open_ai import (
    OpenAIChatCompletion,
    OpenAIChatPromptExecutionSettings,
)
from semantic_kernel.contents import ChatHistory

service = OpenAIChatCompletion(
    ai_model_id=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    async_client=AsyncOpenAI(
        base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    ),
)
settings = OpenAIChatPromptExecutionSettings(temperature=0)


async def say(history: ChatHistory, words: str) -> None:
    history.add_user_message(words)
    history.add_message(await service.get_chat_message_content(history, settings))


async def main() -> None:
    history = ChatHistory(system_message="You are a friendly assistant.")
    await say(history, "My name is Alice.")

    stored = history.serialize()
    print(f"stored {len(history)} messages as {len(stored)} characters of JSON")

    restored = ChatHistory.restore_chat_history(stored)
    await say(restored, "What is my name?")
    for message in restored:
        print(f"{message.role.value}: {message}")


asyncio.run(main())
