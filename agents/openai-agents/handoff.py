"""One agent hands the conversation over to another, which has the tool."""

import asyncio
import os

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    Runner,
    function_tool,
    handoff,
    set_tracing_disabled,
)
from agents.extensions.handoff_filters import remove_all_tools
from openai import AsyncOpenAI

set_tracing_disabled(True)  # traces would go to OpenAI

model = OpenAIChatCompletionsModel(
    os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    AsyncOpenAI(
        base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    ),
)
settings = ModelSettings(temperature=0)


@function_tool
def get_weather(city: str) -> str:
    """Get the current weather in a city.

    Args:
        city: Name of the city.
    """
    weather = {"Paris": "sunny, 21 degrees", "London": "rainy, 14 degrees"}
    return weather.get(city, f"no weather station in {city}")


weather_expert = Agent(
    "Weather expert",
    handoff_description="Answers questions about the weather.",
    model=model,
    model_settings=settings,
    tools=[get_weather],
)
# The expert gets the question without the call that handed it over.
to_expert = handoff(weather_expert, input_filter=remove_all_tools)
receptionist = Agent("Receptionist", model=model, model_settings=settings, handoffs=[to_expert])


async def main() -> None:
    for question in ("What is the weather in Paris?", "What is the capital of France?"):
        result = await Runner.run(receptionist, question)
        print(f"{question}\n  {result.last_agent.name}: {result.final_output}")


asyncio.run(main())
