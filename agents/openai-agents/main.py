"""The common scenarios, with the OpenAI Agents SDK over each of its two APIs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    RunResult,
    RunResultStreaming,
    SQLiteSession,
    function_tool,
    set_tracing_disabled,
)
from openai import APIStatusError, AsyncOpenAI
from openai.types.responses import ResponseTextDeltaEvent
from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).parents[1]))  # for scenarios.py
import scenarios
from scenarios import MODEL, Outcome, Scenarios, get_weather, run, usage

set_tracing_disabled(True)  # traces would go to OpenAI

Assistant = Callable[..., Agent]
"""Makes an agent that reaches the server through one of the two APIs."""


class Person(BaseModel):
    name: str
    age: int


async def text(assistant: Assistant) -> Outcome:
    return outcome(await Runner.run(assistant(), scenarios.TEXT))


async def stream(assistant: Assistant) -> Outcome:
    result = Runner.run_streamed(assistant(), scenarios.STREAM)
    pieces = [
        event.data.delta
        async for event in result.stream_events()
        if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent)
    ]
    told = outcome(result)
    told.streamed = pieces
    return told


async def memory(assistant: Assistant) -> Outcome:
    agent, session = assistant(), SQLiteSession("alice")
    introduction = await Runner.run(agent, scenarios.INTRODUCTION, session=session)
    recall = await Runner.run(agent, scenarios.RECALL, session=session)
    return outcome(introduction, recall)


async def tool(assistant: Assistant) -> Outcome:
    agent = assistant(tools=[function_tool(get_weather)])
    return outcome(await Runner.run(agent, scenarios.TOOL))


async def parallel(assistant: Assistant) -> Outcome:
    agent = assistant(tools=[function_tool(get_weather)])
    return outcome(await Runner.run(agent, scenarios.PARALLEL))


async def structured(assistant: Assistant) -> Outcome:
    result = await Runner.run(assistant(output_type=Person), scenarios.STRUCTURED)
    told = outcome(result)
    told.answer = result.final_output.model_dump_json()
    return told


async def errors(assistant: Assistant) -> Outcome:
    try:
        await Runner.run(assistant(scenarios.UNKNOWN_MODEL), scenarios.TEXT)
    except APIStatusError as error:  # 404 over chat completions, 400 over responses
        return Outcome(error=error)
    return Outcome()


def outcome(*results: RunResult | RunResultStreaming) -> Outcome:
    usages = [result.context_wrapper.usage for result in results]
    return Outcome(
        answer=str(results[-1].final_output),
        usage=usage(
            sum(each.input_tokens for each in usages),
            sum(each.output_tokens for each in usages),
        ),
    )


def over(api: type[OpenAIChatCompletionsModel | OpenAIResponsesModel]) -> Scenarios:
    client = AsyncOpenAI()

    def assistant(model: str = MODEL, **options: object) -> Agent:
        settings = ModelSettings(temperature=0, include_usage=True)
        return Agent("Assistant", model=api(model, client), model_settings=settings, **options)

    told = (text, stream, memory, tool, parallel, structured, errors)
    return {scenario.__name__: partial(scenario, assistant) for scenario in told}


run(
    "openai-agents",
    "openai-agents",
    {"chat": over(OpenAIChatCompletionsModel), "responses": over(OpenAIResponsesModel)},
)
