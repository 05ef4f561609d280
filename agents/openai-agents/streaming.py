"""An answer, piece by piece."""

import asyncio
import os

from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from openai import AsyncOpenAI
from openai.types.responses import ResponseTextDeltaEvent

set_tracing_disabled(True)  # traces would go to OpenAI

model = OpenAIChatCompletionsModel(
    os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    AsyncOpenAI(
        base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    ),
)
poet = Agent("Poet", model=model, model_settings=ModelSettings(temperature=0))


async def main() -> None:
    result = Runner.run_streamed(poet, "Write a short poem about the sea.")
    async for event in result.stream_events():
        if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent):
            print(event.data.delta, end="", flush=True)
    print()


asyncio.run(main())
