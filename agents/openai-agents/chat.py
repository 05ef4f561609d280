"""A conversation that the session remembers."""

import asyncio
import os

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    Runner,
    SQLiteSession,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

set_tracing_disabled(True)  # traces would go to OpenAI

model = OpenAIChatCompletionsModel(
    os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    AsyncOpenAI(
        base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    ),
)
assistant = Agent(
    "Assistant",
    instructions="You are a helpful assistant.",
    model=model,
    model_settings=ModelSettings(temperature=0),
)


async def main() -> None:
    session = SQLiteSession("alice")
    for text in ("My name is Alice.", "What is my name?"):
        result = await Runner.run(assistant, text, session=session)
        print(f"{text}\n  {result.final_output}")


asyncio.run(main())
