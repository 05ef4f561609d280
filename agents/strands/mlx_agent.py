"""The provider in mlx_model.py at work: a tool, then an answer that is an object."""

import os

from mlx_model import MLXModel
from pydantic import BaseModel
from strands import Agent, tool

model = MLXModel(
    os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    params={"temperature": 0},
)


class Person(BaseModel):
    name: str
    age: int


@tool
def get_weather(city: str) -> str:
    """Get the current weather in a city.

    Args:
        city: Name of the city.
    """
    return {"Paris": "sunny, 21 degrees"}.get(city, f"no weather station in {city}")


result = Agent(model=model, tools=[get_weather])("What is the weather in Paris?")
print(f"\n{result.metrics.accumulated_usage}, {result.metrics.accumulated_metrics}")

result = Agent(model=model, callback_handler=None)(
    "Anna is 31 years old.", structured_output_model=Person
)
print(repr(result.structured_output))
