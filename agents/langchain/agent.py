"""An agent with tools and a memory."""

import os

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from simpleeval import simple_eval


def get_weather(city: str) -> str:
    """Get the current weather in a city."""
    weather = {"Paris": "sunny, 21 degrees", "London": "rainy, 14 degrees"}
    return weather.get(city, f"no weather station in {city}")


def calculator(expression: str) -> str:
    """Calculate the value of an arithmetic expression."""
    try:
        return str(simple_eval(expression))
    except Exception as error:  # the model may have written anything
        return f"cannot be calculated: {error}"


model = ChatOpenAI(
    model=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    temperature=0,
)
agent = create_agent(
    model,
    [get_weather, calculator],
    system_prompt="You are a helpful assistant.",
    checkpointer=InMemorySaver(),
)
thread = {"configurable": {"thread_id": "1"}}

for question in (
    "My name is Alice.",
    "What is the weather in Paris?",
    "What is 25 * 4?",
    "What is my name?",
):
    print(question)
    for step in agent.stream({"messages": question}, thread, stream_mode="updates"):
        for message in (message for update in step.values() for message in update["messages"]):
            for call in getattr(message, "tool_calls", []):
                print(f"  calls {call['name']}({call['args']})")
            if message.text:
                print(f"  {message.type}: {message.text}")
