"""An agent with a calculator, which it calls when a question asks for it."""

import os

from simpleeval import simple_eval
from strands import Agent, tool
from strands.models.openai import OpenAIModel

model = OpenAIModel(
    client_args={
        "base_url": os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
        "api_key": os.environ.get("OPENAI_API_KEY", "not-needed"),
    },
    model_id=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    params={"temperature": 0},
)


@tool
def calculator(expression: str) -> str:
    """Evaluate an arithmetic expression.

    Args:
        expression: The expression, such as 2 + 3 * 4.
    """
    return str(simple_eval(expression))  # arithmetic only: what a model writes is never run


agent = Agent(model=model, tools=[calculator], callback_handler=None)
result = agent("What is 12 * 34?")

for message in agent.messages:
    for block in message["content"]:
        print(message["role"], block)
print(result)
