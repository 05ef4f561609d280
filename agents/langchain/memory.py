"""Conversations that remember: one memory for each thread."""

import os

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

model = ChatOpenAI(
    model=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    temperature=0,
)
assistant = create_agent(model, checkpointer=InMemorySaver())


def say(thread: str, text: str) -> None:
    state = assistant.invoke({"messages": text}, {"configurable": {"thread_id": thread}})
    print(f"{thread}: {text}\n  {state['messages'][-1].text}")


say("first", "My name is Alice.")
say("second", "My name is Bob.")
say("first", "What is my name?")
say("second", "What is my name?")
