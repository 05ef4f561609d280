"""An answer that is an object, in the two ways in which a model can be held to it."""

import os

from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

model = OpenAIChatModel(
    os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    provider=OpenAIProvider(
        base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    ),
)


class Person(BaseModel):
    name: str
    age: int


by_tool_call = Agent(model, output_type=Person, model_settings={"temperature": 0})
print(repr(by_tool_call.run_sync("Anna is 31 years old.").output))

by_schema = Agent(model, output_type=NativeOutput(Person), model_settings={"temperature": 0})
print(repr(by_schema.run_sync("Anna is 31 years old.").output))
