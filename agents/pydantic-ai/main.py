"""The common scenarios, with Pydantic AI over each of OpenAI's two APIs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_ai import Agent, AgentRunResult
from pydantic_ai.exceptions import ModelNotFoundError
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.result import StreamedRunResult

sys.path.insert(0, str(Path(__file__).parents[1]))  # for scenarios.py
import scenarios
from scenarios import MODEL, Outcome, Scenarios, get_weather, run, usage

Assistant = Callable[..., Agent[None, Any]]
"""Makes an agent that reaches the server through one of the two APIs."""


class Person(BaseModel):
    name: str
    age: int


async def text(assistant: Assistant) -> Outcome:
    result = await assistant().run(scenarios.TEXT)
    return outcome(result.output, result)


async def stream(assistant: Assistant) -> Outcome:
    async with assistant().run_stream(scenarios.STREAM) as result:
        pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
        told = outcome(await result.get_output(), result)
    told.streamed = pieces
    return told


async def memory(assistant: Assistant) -> Outcome:
    agent = assistant()
    introduction = await agent.run(scenarios.INTRODUCTION)
    recall = await agent.run(scenarios.RECALL, message_history=introduction.all_messages())
    return outcome(recall.output, introduction, recall)


async def tool(assistant: Assistant) -> Outcome:
    result = await assistant(tools=[get_weather]).run(scenarios.TOOL)
    return outcome(result.output, result)


async def parallel(assistant: Assistant) -> Outcome:
    result = await assistant(tools=[get_weather]).run(scenarios.PARALLEL)
    return outcome(result.output, result)


async def structured(assistant: Assistant) -> Outcome:
    result = await assistant(output_type=Person).run(scenarios.STRUCTURED)
    return outcome(result.output.model_dump_json(), result)


async def errors(assistant: Assistant) -> Outcome:
    try:
        await assistant(scenarios.UNKNOWN_MODEL).run(scenarios.TEXT)
    except ModelNotFoundError as error:
        return Outcome(error=error)
    return Outcome()


def outcome(answer: str, *results: AgentRunResult | StreamedRunResult) -> Outcome:
    return Outcome(
        answer=answer,
        usage=usage(
            sum(result.usage.input_tokens for result in results),
            sum(result.usage.output_tokens for result in results),
        ),
    )


def over(api: type[OpenAIChatModel | OpenAIResponsesModel]) -> Scenarios:
    def assistant(model: str = MODEL, **options: Any) -> Agent[None, Any]:
        return Agent(api(model), model_settings={"temperature": 0}, **options)

    told = (text, stream, memory, tool, parallel, structured, errors)
    return {scenario.__name__: partial(scenario, assistant) for scenario in told}


run(
    "pydantic-ai",
    "pydantic-ai-slim",
    {"chat": over(OpenAIChatModel), "responses": over(OpenAIResponsesModel)},
)
