"""An answer that is an object: the server holds the model to its schema."""

import asyncio
import os

from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from openai import AsyncOpenAI
from pydantic import BaseModel

set_tracing_disabled(True)  # traces would go to OpenAI

model = OpenAIChatCompletionsModel(
    os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    AsyncOpenAI(
        base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    ),
)


class Person(BaseModel):
    name: str
    age: int


reader = Agent(
    "Reader", model=model, model_settings=ModelSettings(temperature=0), output_type=Person
)


async def main() -> None:
    result = await Runner.run(reader, "Anna is 31 years old.")
    print(repr(result.final_output))


asyncio.run(main())
