"""An agent with the tools of a local MCP server, mcp_server.py."""

import asyncio
import os
import sys
from pathlib import Path

from agent_framework import Agent, MCPStdioTool
from agent_framework.openai import OpenAIChatCompletionClient

client = OpenAIChatCompletionClient(
    model=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
)
desk = MCPStdioTool(
    name="desk",
    command=sys.executable,
    args=[str(Path(__file__).with_name("mcp_server.py"))],
    load_prompts=False,
)


async def main() -> None:
    async with Agent(client, tools=desk, default_options={"temperature": 0}) as agent:
        for question in ("What is 12 * 34?", "How many people live in Rome?"):
            response = await agent.run(question)
            for message in response.messages:
                for content in message.contents:
                    what = content.text or content.arguments or content.result
                    print(message.role, content.type, what)


asyncio.run(main())
