"""A graph of one step, with a memory for each thread."""

import os

from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

model = ChatOpenAI(
    model=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    temperature=0,
)


def answer(state: MessagesState) -> dict:
    return {"messages": model.invoke(state["messages"])}


graph = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
assistant = graph.compile(checkpointer=InMemorySaver())

thread = {"configurable": {"thread_id": "alice"}}
for text in ("My name is Alice.", "What is my name?"):
    state = assistant.invoke({"messages": text}, thread)
    print(f"{text}\n  {state['messages'][-1].text}")
