"""The common scenarios, with Strands Agents."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).parents[1]))  # for scenarios.py
import scenarios
from mlx_model import MLXModel
from scenarios import Outcome, Scenarios, run
from strands import Agent, tool
from strands.agent import AgentResult
from strands.models import Model
from strands.models.openai import OpenAIModel
from strands.models.openai_responses import OpenAIResponsesModel

CLIENT = {"base_url": scenarios.BASE_URL, "api_key": scenarios.API_KEY}
SAMPLING = {"temperature": 0}

get_weather = tool(scenarios.get_weather)

NewModel = Callable[[str], Model]


class Person(BaseModel):
    name: str
    age: int


def openai_model(model_id: str) -> Model:
    return OpenAIModel(client_args=CLIENT, model_id=model_id, params=SAMPLING)


def mlx_model(model_id: str) -> Model:
    return MLXModel(model_id, **CLIENT, params=SAMPLING)


def responses_model(model_id: str) -> Model:
    """Stateful: the server keeps the conversation, found by previous_response_id."""
    return OpenAIResponsesModel(
        client_args=CLIENT, model_id=model_id, params=SAMPLING, stateful=True
    )


def text(new_model: NewModel) -> Outcome:
    return outcome(agent(new_model)(scenarios.TEXT))


async def stream(new_model: NewModel) -> Outcome:
    streamed = []
    async for event in agent(new_model).stream_async(scenarios.STREAM):
        if "data" in event:
            streamed.append(event["data"])
        if "result" in event:
            ended = outcome(event["result"])
    ended.streamed = streamed
    return ended


def memory(new_model: NewModel) -> Outcome:
    talker = agent(new_model)
    talker(scenarios.INTRODUCTION)
    return outcome(talker(scenarios.RECALL))


def weather(new_model: NewModel, question: str) -> Outcome:
    return outcome(agent(new_model, tools=[get_weather])(question))


def structured(new_model: NewModel) -> Outcome:
    return outcome(agent(new_model, structured_output_model=Person)(scenarios.STRUCTURED))


def errors(new_model: NewModel) -> Outcome:
    stranger = Agent(model=new_model(scenarios.UNKNOWN_MODEL), callback_handler=None)
    try:
        return outcome(stranger(scenarios.TEXT))
    except Exception as error:
        return Outcome(error=error)


def agent(new_model: NewModel, **settings: object) -> Agent:
    return Agent(model=new_model(scenarios.MODEL), callback_handler=None, **settings)


def outcome(result: AgentResult) -> Outcome:
    used = result.metrics.accumulated_usage
    return Outcome(
        answer=str(result).removesuffix("\n"),
        usage=scenarios.usage(used["inputTokens"], used["outputTokens"]),
    )


def with_model(new_model: NewModel) -> Scenarios:
    return {
        "text": partial(text, new_model),
        "stream": partial(stream, new_model),
        "memory": partial(memory, new_model),
        "tool": partial(weather, new_model, scenarios.TOOL),
        "parallel": partial(weather, new_model, scenarios.PARALLEL),
        "structured": partial(structured, new_model),
        "errors": partial(errors, new_model),
    }


run(
    "strands",
    "strands-agents",
    {
        "openai": with_model(openai_model),
        "mlx": with_model(mlx_model),
        "responses": with_model(responses_model),
    },
)
