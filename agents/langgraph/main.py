"""The common scenarios, as LangGraph graphs over Chat Completions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.exceptions import ModelNotFoundError
from langchain_core.tools import tool as langchain_tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).parents[1]))  # for scenarios.py
import scenarios
from scenarios import MODEL, Outcome, get_weather, run, usage

WEATHER = langchain_tool(parse_docstring=True)(get_weather)


class Person(BaseModel):
    name: str
    age: int


class Introduced(MessagesState):
    person: Person


def text() -> Outcome:
    return asked(assistant(), scenarios.TEXT)


def stream() -> Outcome:
    pieces, state = [], {}
    for mode, part in assistant().stream(
        {"messages": scenarios.STREAM}, stream_mode=["messages", "values"]
    ):
        if mode == "values":
            state = part
        elif piece := part[0].text:  # beside the message comes which step it is from
            pieces.append(piece)
    return Outcome(answer=state["messages"][-1].text, streamed=pieces)


def memory() -> Outcome:
    graph = assistant(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "alice"}}
    asked(graph, scenarios.INTRODUCTION, thread)
    return asked(graph, scenarios.RECALL, thread)


def tool() -> Outcome:
    return asked(weather_assistant(), scenarios.TOOL)


def parallel() -> Outcome:
    return asked(weather_assistant(), scenarios.PARALLEL)


def structured() -> Outcome:
    reader = chat_model().with_structured_output(Person)
    graph = StateGraph(Introduced)
    graph.add_node("read", lambda state: {"person": reader.invoke(state["messages"])})
    graph.add_edge(START, "read")
    state = graph.compile().invoke({"messages": scenarios.STRUCTURED})
    return Outcome(answer=state["person"].model_dump_json())


def errors() -> Outcome:
    try:
        return asked(assistant(scenarios.UNKNOWN_MODEL), scenarios.TEXT)
    except ModelNotFoundError as error:
        return Outcome(error=error)


def assistant(model: str = MODEL, **options: Any) -> CompiledStateGraph:
    return answering_with(chat_model(model)).compile(**options)


def weather_assistant() -> CompiledStateGraph:
    graph = answering_with(chat_model().bind_tools([WEATHER]))
    graph.add_node("tools", ToolNode([WEATHER]))
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile()


def answering_with(model: Any) -> StateGraph:
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": model.invoke(state["messages"])})
    graph.add_edge(START, "model")
    return graph


def chat_model(model: str = MODEL) -> ChatOpenAI:
    return ChatOpenAI(model=model, temperature=0, stream_usage=True)


def asked(
    graph: CompiledStateGraph, question: str, config: dict[str, Any] | None = None
) -> Outcome:
    state = graph.invoke({"messages": question}, config)
    return Outcome(answer=state["messages"][-1].text)


def counted(scenario: Callable[[], Outcome]) -> Outcome:
    with get_usage_metadata_callback() as counter:
        outcome = scenario()
    for counts in counter.usage_metadata.values():
        outcome.usage = usage(counts["input_tokens"], counts["output_tokens"])
    return outcome


told = (text, stream, memory, tool, parallel, structured, errors)
chat = {scenario.__name__: partial(counted, scenario) for scenario in told}
run("langgraph", "langgraph", {"chat": chat})
