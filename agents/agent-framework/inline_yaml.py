"""An agent written in YAML inside the program; its answer is streamed."""

import asyncio
import os

from agent_framework_declarative import AgentFactory

DEFINITION = f"""
kind: Prompt
name: Assistant
instructions: You are a helpful assistant.
model:
  id: {os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools")}
  provider: OpenAI
  apiType: Chat
  connection:
    kind: key
    endpoint: {os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1")}
    apiKey: {os.environ.get("OPENAI_API_KEY", "not-needed")}
  options:
    temperature: 0
"""


async def main() -> None:
    agent = AgentFactory().create_agent_from_yaml(DEFINITION)
    async for update in agent.run("Count from 1 to 5.", stream=True):
        print(update.text, end="", flush=True)
    print()


asyncio.run(main())
