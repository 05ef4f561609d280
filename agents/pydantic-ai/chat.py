"""A conversation: each run is given the messages of the one before."""

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
assistant = Agent(
    model, instructions="You are a helpful assistant.", model_settings={"temperature": 0}
)

introduction = assistant.run_sync("My name is Alice.")
print(introduction.output)
recall = assistant.run_sync("What is my name?", message_history=introduction.all_messages())
print(recall.output)
