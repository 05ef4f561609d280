"""An agent that knows what its system prompt tells it."""

import os

from strands import Agent
from strands.models.openai import OpenAIModel

model = OpenAIModel(
    client_args={
        "base_url": os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
        "api_key": os.environ.get("OPENAI_API_KEY", "not-needed"),
    },
    model_id=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    params={"temperature": 0},
)

agent = Agent(
    model=model,
    system_prompt="You work in a bookshop. It opens at nine and closes at five.",
)
agent("When does the shop open?")
print()
