"""An answer that is printed while it is written."""

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


async def main() -> None:
    history = ChatHistory()
    history.add_user_message("Count from 1 to 5.")
    async for piece in service.get_streaming_chat_message_content(history, settings):
        print(piece, end="", flush=True)
    print()


asyncio.run(main())
