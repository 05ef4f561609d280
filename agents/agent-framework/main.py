"""The common scenarios, with Microsoft Agent Framework."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from agent_framework import Agent, AgentResponse, tool
from agent_framework.exceptions import AgentFrameworkException
from agent_framework.openai import OpenAIChatClient, OpenAIChatCompletionClient
from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).parents[1]))  # for scenarios.py
import scenarios
from scenarios import Outcome, Scenarios, run

Client = type[OpenAIChatCompletionClient] | type[OpenAIChatClient]


@tool
def get_weather(city: Annotated[str, "Name of the city."]) -> str:
    """Get the current weather in a city."""
    return scenarios.get_weather(city)


class Person(BaseModel):
    name: str
    age: int


def agent(client: Client, model: str = scenarios.MODEL, **settings: Any) -> Agent:
    return Agent(
        client(model=model, base_url=scenarios.BASE_URL, api_key=scenarios.API_KEY),
        default_options={"temperature": 0},
        **settings,
    )


async def text(client: Client) -> Outcome:
    return outcome(await agent(client).run(scenarios.TEXT))


async def stream(client: Client) -> Outcome:
    updates = agent(client).run(scenarios.STREAM, stream=True)
    streamed = [
        content.text
        async for update in updates
        for content in update.contents
        # A text that replaces the pieces before it is what they came to, said again.
        if content.type == "text" and content.text and content.merge_mode != "replace"
    ]
    ended = outcome(await updates.get_final_response())
    ended.streamed = streamed
    return ended


async def memory(client: Client) -> Outcome:
    talker = agent(client)
    session = talker.create_session()
    first = await talker.run(scenarios.INTRODUCTION, session=session)
    return outcome(first, await talker.run(scenarios.RECALL, session=session))


async def weather(client: Client, question: str) -> Outcome:
    return outcome(await agent(client, tools=[get_weather]).run(question))


async def structured(client: Client) -> Outcome:
    options = {"response_format": Person}
    response = await agent(client).run(scenarios.STRUCTURED, options=options)
    ended = outcome(response)
    ended.answer = response.value.model_dump_json()
    return ended


async def errors(client: Client) -> Outcome:
    try:
        return outcome(await agent(client, scenarios.UNKNOWN_MODEL).run(scenarios.TEXT))
    except AgentFrameworkException as error:
        return Outcome(error=error)


def outcome(*responses: AgentResponse) -> Outcome:
    used = [response.usage_details for response in responses]
    return Outcome(
        answer=responses[-1].text,
        usage=scenarios.usage(
            sum(one["input_token_count"] for one in used),
            sum(one["output_token_count"] for one in used),
        ),
    )


def with_client(client: Client) -> Scenarios:
    return {
        "text": partial(text, client),
        "stream": partial(stream, client),
        "memory": partial(memory, client),
        "tool": partial(weather, client, scenarios.TOOL),
        "parallel": partial(weather, client, scenarios.PARALLEL),
        "structured": partial(structured, client),
        "errors": partial(errors, client),
    }


run(
    "agent-framework",
    "agent-framework-core",
    {
        "chat": with_client(OpenAIChatCompletionClient),
        # The name is older than the API: it speaks Responses.
        "responses": with_client(OpenAIChatClient),
    },
)
