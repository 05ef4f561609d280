"""The common scenarios, with LangChain over each of OpenAI's two APIs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from langchain.agents import create_agent
from langchain.tools import tool as langchain_tool
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.exceptions import ModelError
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).parents[1]))  # for scenarios.py
import scenarios
from scenarios import Outcome, Scenarios, get_weather, run, usage

WEATHER = langchain_tool(parse_docstring=True)(get_weather)


class Person(BaseModel):
    name: str
    age: int


def text(model: ChatOpenAI) -> Outcome:
    return Outcome(answer=model.invoke(scenarios.TEXT).text)


def stream(model: ChatOpenAI) -> Outcome:
    chunks = list(model.stream(scenarios.STREAM))
    whole = sum(chunks[1:], start=chunks[0])
    return Outcome(answer=whole.text, streamed=[chunk.text for chunk in chunks if chunk.text])


def memory(model: ChatOpenAI) -> Outcome:
    agent = create_agent(model, checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "alice"}}
    agent.invoke({"messages": scenarios.INTRODUCTION}, thread)
    state = agent.invoke({"messages": scenarios.RECALL}, thread)
    return Outcome(answer=state["messages"][-1].text)


def tool(model: ChatOpenAI) -> Outcome:
    state = create_agent(model, [WEATHER]).invoke({"messages": scenarios.TOOL})
    return Outcome(answer=state["messages"][-1].text)


def parallel(model: ChatOpenAI) -> Outcome:
    state = create_agent(model, [WEATHER]).invoke({"messages": scenarios.PARALLEL})
    return Outcome(answer=state["messages"][-1].text)


def structured(model: ChatOpenAI) -> Outcome:
    person = model.with_structured_output(Person).invoke(scenarios.STRUCTURED)
    return Outcome(answer=person.model_dump_json())


def errors(model: ChatOpenAI) -> Outcome:
    try:
        model.model_copy(update={"model_name": scenarios.UNKNOWN_MODEL}).invoke(scenarios.TEXT)
    except ModelError as error:  # 404 over chat completions, 400 over responses
        return Outcome(error=error)
    return Outcome()


def counted(scenario: Callable[[ChatOpenAI], Outcome], model: ChatOpenAI) -> Outcome:
    with get_usage_metadata_callback() as counter:
        outcome = scenario(model)
    for counts in counter.usage_metadata.values():
        outcome.usage = usage(counts["input_tokens"], counts["output_tokens"])
    return outcome


def over(**api: bool) -> Scenarios:
    model = ChatOpenAI(model=scenarios.MODEL, temperature=0, **api)
    told = (text, stream, memory, tool, parallel, structured, errors)
    return {scenario.__name__: partial(counted, scenario, model) for scenario in told}


run(
    "langchain",
    "langchain",
    # At another address than OpenAI's, LangChain asks for a stream's usage only when told to.
    {"chat": over(stream_usage=True), "responses": over(use_responses_api=True)},
)
