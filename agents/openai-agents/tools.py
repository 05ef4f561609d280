"""A tool that the agent calls."""

import asyncio
import os

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from agents.items import ToolCallItem, ToolCallOutputItem
from openai import AsyncOpenAI

set_tracing_disabled(True)  # traces would go to OpenAI

model = OpenAIChatCompletionsModel(
    os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    AsyncOpenAI(
        base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    ),
)


@function_tool
def get_weather(city: str) -> str:
    """Get the current weather in a city.

    Args:
        city: Name of the city.
    """
    weather = {"Paris": "sunny, 21 degrees", "London": "rainy, 14 degrees"}
    return weather.get(city, f"no weather station in {city}")


assistant = Agent(
    "Assistant", model=model, model_settings=ModelSettings(temperature=0), tools=[get_weather]
)


async def main() -> None:
    result = await Runner.run(assistant, "What is the weather in Paris and in London?")
    for item in result.new_items:
        if isinstance(item, ToolCallItem):
            print(f"{item.raw_item.name}({item.raw_item.arguments})")
        elif isinstance(item, ToolCallOutputItem):
            print(f"  {item.output}")
    print(result.final_output)


asyncio.run(main())
