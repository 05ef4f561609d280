"""Tools that the agent calls."""

import os

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

model = OpenAIChatModel(
    os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    provider=OpenAIProvider(
        base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    ),
)
assistant = Agent(model, model_settings={"temperature": 0})


@assistant.tool_plain
def get_weather(city: str) -> str:
    """Get the current weather in a city.

    Args:
        city: Name of the city.
    """
    print(f"get_weather({city!r})")
    weather = {"Paris": "sunny, 21 degrees", "London": "rainy, 14 degrees"}
    return weather.get(city, f"no weather station in {city}")


print(assistant.run_sync("What is the weather in Paris and in London?").output)
