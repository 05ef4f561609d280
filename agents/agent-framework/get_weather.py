"""An agent written in YAML, whose tool is bound to a function of this program."""

import asyncio
import os
from pathlib import Path
from typing import Literal

from agent_framework.openai import OpenAIChatCompletionClient
from agent_framework_declarative import AgentFactory

REPORTS = {"Paris": ("sunny", 21), "London": ("rainy", 14)}


def get_weather(city: str, unit: Literal["celsius", "fahrenheit"]) -> str:
    sky, degrees = REPORTS[city]
    if unit == "fahrenheit":
        degrees = round(degrees * 9 / 5 + 32)
    return f"{sky}, {degrees} degrees {unit}"


factory = AgentFactory(
    client=OpenAIChatCompletionClient(
        model=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
        base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    ),
    bindings={"get_weather": get_weather},
)


async def main() -> None:
    agent = factory.create_agent_from_yaml_path(Path(__file__).with_suffix(".yaml"))
    response = await agent.run("What is the weather in Paris in celsius?")
    for message in response.messages:
        for content in message.contents:
            print(message.role, content.type, content.text or content.arguments or content.result)


asyncio.run(main())
