"""AgentExecutor, as older programs have it, with tools and with the older functions."""

import os

from langchain_classic.agents import (
    AgentExecutor,
    create_openai_functions_agent,
    create_openai_tools_agent,
)
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def get_weather(city: str) -> str:
    """Get the current weather in a city."""
    weather = {"Paris": "sunny, 21 degrees", "London": "rainy, 14 degrees"}
    return weather.get(city, f"no weather station in {city}")


model = ChatOpenAI(
    model=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    temperature=0,
)
prompt = ChatPromptTemplate.from_messages(
    [
        ("system", "You are a helpful assistant."),
        ("human", "{input}"),
        MessagesPlaceholder("agent_scratchpad"),
    ]
)

for create_agent in (create_openai_tools_agent, create_openai_functions_agent):
    agent = create_agent(model, [get_weather], prompt)
    executor = AgentExecutor(agent=agent, tools=[get_weather], return_intermediate_steps=True)
    result = executor.invoke({"input": "What is the weather in Paris?"})
    print(create_agent.__name__)
    for action, observation in result["intermediate_steps"]:
        print(f"  {action.tool}({action.tool_input}) -> {observation}")
    print(" ", result["output"])
