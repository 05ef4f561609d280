"""The common scenarios over Responses: the server keeps the conversation."""

from __future__ import annotations

from typing import Any

import scenarios
from openai import BadRequestError, OpenAI, pydantic_responses_function_tool
from openai.types.responses import Response
from scenarios import MODEL, Outcome, get_weather, usage
from shapes import GetWeather, Person

WEATHER = pydantic_responses_function_tool(GetWeather, name="get_weather")

client = OpenAI()


def text() -> Outcome:
    return outcome(ask(scenarios.TEXT))


def stream() -> Outcome:
    with client.responses.stream(model=MODEL, input=scenarios.STREAM, temperature=0) as events:
        pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
        result = outcome(events.get_final_response())
    result.streamed = pieces
    return result


def memory() -> Outcome:
    greeting = ask(scenarios.INTRODUCTION)
    return outcome(greeting, ask(scenarios.RECALL, previous_response_id=greeting.id))


def tool() -> Outcome:
    return ask_with_weather(scenarios.TOOL)


def parallel() -> Outcome:
    return ask_with_weather(scenarios.PARALLEL)


def structured() -> Outcome:
    response = client.responses.parse(
        model=MODEL, input=scenarios.STRUCTURED, temperature=0, text_format=Person
    )
    result = outcome(response)
    result.answer = response.output_parsed.model_dump_json()
    return result


def errors() -> Outcome:
    try:
        ask(scenarios.TEXT, model=scenarios.UNKNOWN_MODEL)
    except BadRequestError as error:  # where chat completions answers 404, as OpenAI does
        return Outcome(error=error)
    return Outcome()


def ask_with_weather(question: str) -> Outcome:
    responses = [ask(question, tools=[WEATHER])]
    while results := weather_called_for(responses[-1]):
        previous = responses[-1].id
        responses.append(ask(results, previous_response_id=previous, tools=[WEATHER]))
    return outcome(*responses)


def weather_called_for(response: Response) -> list[Any]:
    return [
        {
            "type": "function_call_output",
            "call_id": item.call_id,
            "output": get_weather(GetWeather.model_validate_json(item.arguments).city),
        }
        for item in response.output
        if item.type == "function_call"
    ]


def ask(input: str | list[Any], model: str = MODEL, **options: Any) -> Response:
    return client.responses.create(model=model, input=input, temperature=0, **options)


def outcome(*responses: Response) -> Outcome:
    usages = [response.usage for response in responses]
    return Outcome(
        answer=responses[-1].output_text,
        usage=usage(
            sum(each.input_tokens for each in usages),
            sum(each.output_tokens for each in usages),
        ),
    )


SCENARIOS = {
    "text": text,
    "stream": stream,
    "memory": memory,
    "tool": tool,
    "parallel": parallel,
    "structured": structured,
    "errors": errors,
}
