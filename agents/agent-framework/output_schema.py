"""An agent written in YAML, whose answers follow its output schema."""

import asyncio
import os
from pathlib import Path

from agent_framework.openai import OpenAIChatCompletionClient
from agent_framework_declarative import AgentFactory

factory = AgentFactory(
    client=OpenAIChatCompletionClient(
        model=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
        base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    )
)


async def main() -> None:
    agent = factory.create_agent_from_yaml_path(Path(__file__).with_suffix(".yaml"))
    response = await agent.run("Anna is 31 years old.")
    print(response.value)


asyncio.run(main())
