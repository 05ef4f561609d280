"""An agent whose YAML names its model, and chat completions as its API."""

import asyncio
import os
from pathlib import Path

from agent_framework_declarative import AgentFactory

factory = AgentFactory(
    client_kwargs={
        "base_url": os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
        "api_key": os.environ.get("OPENAI_API_KEY", "not-needed"),
    }
)


async def main() -> None:
    agent = factory.create_agent_from_yaml_path(Path(__file__).with_suffix(".yaml"))
    session = agent.create_session()
    for words in ("My name is Alice.", "What is my name?"):
        print("you:  ", words)
        print("agent:", (await agent.run(words, session=session)).text)


asyncio.run(main())
