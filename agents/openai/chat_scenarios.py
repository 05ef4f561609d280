"""The common scenarios over Chat Completions: the program keeps the conversation."""

from __future__ import annotations

from typing import Any

import scenarios
from openai import NotFoundError, OpenAI, pydantic_function_tool
from openai.types.chat import ChatCompletion
from scenarios import MODEL, Outcome, get_weather, usage
from shapes import GetWeather, Person

WEATHER = pydantic_function_tool(GetWeather, name="get_weather")

client = OpenAI()


def text() -> Outcome:
    return outcome(ask([user(scenarios.TEXT)]))


def stream() -> Outcome:
    with client.chat.completions.stream(
        model=MODEL,
        messages=[user(scenarios.STREAM)],
        temperature=0,
        stream_options={"include_usage": True},
    ) as events:
        pieces = [event.delta for event in events if event.type == "content.delta" and event.delta]
        result = outcome(events.get_final_completion())
    result.streamed = pieces
    return result


def memory() -> Outcome:
    messages = [user(scenarios.INTRODUCTION)]
    greeting = ask(messages)
    messages += [greeting.choices[0].message, user(scenarios.RECALL)]
    return outcome(greeting, ask(messages))


def tool() -> Outcome:
    return ask_with_weather(scenarios.TOOL)


def parallel() -> Outcome:
    return ask_with_weather(scenarios.PARALLEL)


def structured() -> Outcome:
    completion = client.chat.completions.parse(
        model=MODEL,
        messages=[user(scenarios.STRUCTURED)],
        temperature=0,
        response_format=Person,
    )
    result = outcome(completion)
    result.answer = completion.choices[0].message.parsed.model_dump_json()
    return result


def errors() -> Outcome:
    try:
        ask([user(scenarios.TEXT)], model=scenarios.UNKNOWN_MODEL)
    except NotFoundError as error:
        return Outcome(error=error)
    return Outcome()


def ask_with_weather(question: str) -> Outcome:
    messages = [user(question)]
    completions = [ask(messages, tools=[WEATHER])]
    while calls := completions[-1].choices[0].message.tool_calls:
        messages.append(completions[-1].choices[0].message)
        for call in calls:
            arguments = GetWeather.model_validate_json(call.function.arguments)
            result = get_weather(arguments.city)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        completions.append(ask(messages, tools=[WEATHER]))
    return outcome(*completions)


def ask(messages: list[Any], model: str = MODEL, **options: Any) -> ChatCompletion:
    return client.chat.completions.create(model=model, messages=messages, temperature=0, **options)


def user(content: str) -> Any:
    return {"role": "user", "content": content}


def outcome(*completions: ChatCompletion) -> Outcome:
    usages = [completion.usage for completion in completions]
    return Outcome(
        answer=completions[-1].choices[0].message.content or "",
        usage=usage(
            sum(each.prompt_tokens for each in usages),
            sum(each.completion_tokens for each in usages),
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
