"""A tool that the model calls; this program carries the calls out."""

import os

from openai import OpenAI, pydantic_function_tool
from pydantic import BaseModel, Field


class GetWeather(BaseModel):
    """Get the current weather in a city."""

    city: str = Field(description="Name of the city.")

    def result(self) -> str:
        weather = {"Paris": "sunny, 21 degrees", "London": "rainy, 14 degrees"}
        return weather.get(self.city, f"no weather station in {self.city}")


client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
)
messages = [{"role": "user", "content": "What is the weather in Paris and in London?"}]
while True:
    completion = client.chat.completions.create(
        model=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
        messages=messages,
        tools=[pydantic_function_tool(GetWeather, name="get_weather")],
        temperature=0,
    )
    answer = completion.choices[0].message
    messages.append(answer)
    if not answer.tool_calls:
        break
    for call in answer.tool_calls:
        result = GetWeather.model_validate_json(call.function.arguments).result()
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        print(f"{call.function.name}({call.function.arguments}) -> {result}")
print(answer.content)
