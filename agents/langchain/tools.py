"""Two tools, a function and a class, that the model calls; this program carries the calls out."""

import os

from langchain.tools import BaseTool, tool
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field
from simpleeval import simple_eval


@tool(parse_docstring=True)
def get_weather(city: str) -> str:
    """Get the current weather in a city.

    Args:
        city: Name of the city.
    """
    weather = {"Paris": "sunny, 21 degrees", "London": "rainy, 14 degrees"}
    return weather.get(city, f"no weather station in {city}")


class Expression(BaseModel):
    expression: str = Field(description="The expression, for example 2 + 3.")


class Calculator(BaseTool):
    name: str = "calculator"
    description: str = "Calculate the value of an arithmetic expression."
    args_schema: type[BaseModel] = Expression

    def _run(self, expression: str) -> str:
        try:
            return str(simple_eval(expression))
        except Exception as error:  # the model may have written anything
            return f"cannot be calculated: {error}"


tools = {each.name: each for each in (get_weather, Calculator())}
model = ChatOpenAI(
    model=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    temperature=0,
).bind_tools(list(tools.values()))

for question in ("What is the weather in London?", "What is 12 * 7?"):
    print(question)
    messages = [HumanMessage(question)]
    answer = model.invoke(messages)
    while answer.tool_calls:
        messages.append(answer)
        for call in answer.tool_calls:
            messages.append(tools[call["name"]].invoke(call))
            print(f"  {call['name']}({call['args']}) -> {messages[-1].content}")
        answer = model.invoke(messages)
    print(" ", answer.text)
