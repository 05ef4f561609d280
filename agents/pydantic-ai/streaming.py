"""An answer, piece by piece, and what it took."""

import asyncio
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
poet = Agent(model, model_settings={"temperature": 0})


async def main() -> None:
    async with poet.run_stream("Write a short poem about the sea.") as result:
        async for piece in result.stream_text(delta=True):
            print(piece, end="", flush=True)
    print(f"\n{result.usage.output_tokens} tokens")


asyncio.run(main())
