"""An agent drawn as a graph: the model, its tools, and the way back."""

import os

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition


@tool(parse_docstring=True)
def get_weather(city: str) -> str:
    """Get the current weather in a city.

    Args:
        city: Name of the city.
    """
    weather = {"Paris": "sunny, 21 degrees", "London": "rainy, 14 degrees"}
    return weather.get(city, f"no weather station in {city}")


model = ChatOpenAI(
    model=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    temperature=0,
).bind_tools([get_weather])


def answer(state: MessagesState) -> dict:
    return {"messages": model.invoke(state["messages"])}


graph = StateGraph(MessagesState)
graph.add_node(answer)
graph.add_node(ToolNode([get_weather]))
graph.add_edge(START, "answer")
graph.add_conditional_edges("answer", tools_condition)
graph.add_edge("tools", "answer")

state = graph.compile().invoke({"messages": "What is the weather in Paris and in London?"})
for message in state["messages"]:
    for call in getattr(message, "tool_calls", []):
        print(f"calls {call['name']}({call['args']})")
    if message.text:
        print(f"{message.type}: {message.text}")
