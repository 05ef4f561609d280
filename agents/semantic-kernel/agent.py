"""An agent with a plugin, that remembers what was said in its thread."""

import asyncio
import os
from typing import Annotated

from openai import AsyncOpenAI
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import (
    OpenAIChatCompletion,
    OpenAIChatPromptExecutionSettings,
)
from semantic_kernel.functions import KernelArguments, kernel_function


class Weather:
    @kernel_function(description="Get the current weather in a city.")
    def get_weather(self, city: Annotated[str, "Name of the city."]) -> str:
        reports = {"Paris": "sunny, 21 degrees", "London": "rainy, 14 degrees"}
        return reports.get(city, f"no weather station in {city}")


agent = ChatCompletionAgent(
    name="Helper",
    instructions="You are a helpful assistant.",
    plugins=[Weather()],
    arguments=KernelArguments(OpenAIChatPromptExecutionSettings(temperature=0)),
    service=OpenAIChatCompletion(
        ai_model_id=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
        async_client=AsyncOpenAI(
            base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
            api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
        ),
    ),
)


async def main() -> None:
    thread = None
    for words in ("What is the weather in Paris?", "And in London?"):
        print("you:  ", words)
        response = await agent.get_response(words, thread=thread)
        thread = response.thread
        print("agent:", response)
    async for message in thread.get_messages():
        print("   ", message.role.value, message.items[0])


asyncio.run(main())
