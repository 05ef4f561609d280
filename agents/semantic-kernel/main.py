"""The common scenarios, with Semantic Kernel."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from openai import AsyncOpenAI
from pydantic import BaseModel
from semantic_kernel import Kernel
from semantic_kernel.agents import OpenAIResponsesAgent, ResponsesAgentThread
from semantic_kernel.connectors.ai import FunctionChoiceBehavior
from semantic_kernel.connectors.ai.open_ai import (
    OpenAIChatCompletion,
    OpenAIChatPromptExecutionSettings,
)
from semantic_kernel.contents import ChatHistory, ChatMessageContent
from semantic_kernel.exceptions import KernelException
from semantic_kernel.functions import kernel_function

sys.path.insert(0, str(Path(__file__).parents[1]))  # for scenarios.py
import scenarios
from scenarios import Outcome, run


class Weather:
    @kernel_function(description="Get the current weather in a city.")
    def get_weather(self, city: Annotated[str, "Name of the city."]) -> str:
        return scenarios.get_weather(city)


class Person(BaseModel):
    name: str
    age: int


def client() -> AsyncOpenAI:
    return AsyncOpenAI(base_url=scenarios.BASE_URL, api_key=scenarios.API_KEY)


def service(model: str = scenarios.MODEL) -> OpenAIChatCompletion:
    return OpenAIChatCompletion(ai_model_id=model, async_client=client())


def settings(**more: Any) -> OpenAIChatPromptExecutionSettings:
    return OpenAIChatPromptExecutionSettings(temperature=0, **more)


def asked(question: str) -> ChatHistory:
    history = ChatHistory()
    history.add_user_message(question)
    return history


async def chat_text(question: str = scenarios.TEXT, **more: Any) -> Outcome:
    chat = service()
    answer = await chat.get_chat_message_content(asked(question), settings(**more))
    return told(chat, answer)


async def chat_stream() -> Outcome:
    chat = service()
    chunks = [
        chunk
        async for chunk in chat.get_streaming_chat_message_content(
            asked(scenarios.STREAM), settings()
        )
    ]
    whole = sum(chunks[1:], start=chunks[0])
    used = chunks[-1].metadata["usage"]
    return Outcome(
        answer=whole.content,
        streamed=[chunk.content for chunk in chunks if chunk.content],
        usage=scenarios.usage(used.prompt_tokens, used.completion_tokens),
    )


async def chat_memory() -> Outcome:
    chat = service()
    history = asked(scenarios.INTRODUCTION)
    history.add_message(await chat.get_chat_message_content(history, settings()))
    history.add_user_message(scenarios.RECALL)
    return told(chat, await chat.get_chat_message_content(history, settings()))


async def chat_weather(question: str) -> Outcome:
    chat = service()
    kernel = Kernel()
    kernel.add_plugin(Weather(), "weather")
    automatic = settings(function_choice_behavior=FunctionChoiceBehavior.Auto())
    answer = await chat.get_chat_message_content(asked(question), automatic, kernel=kernel)
    return told(chat, answer)


async def chat_errors() -> Outcome:
    chat = service(scenarios.UNKNOWN_MODEL)
    try:
        return told(chat, await chat.get_chat_message_content(asked(scenarios.TEXT), settings()))
    except KernelException as error:
        return Outcome(error=error)


def told(chat: OpenAIChatCompletion, answer: ChatMessageContent) -> Outcome:
    """The service counts the tokens of all its requests, except streamed ones."""
    return Outcome(
        answer.content, usage=scenarios.usage(chat.prompt_tokens, chat.completion_tokens)
    )


def responses_agent(model: str = scenarios.MODEL, **more: Any) -> OpenAIResponsesAgent:
    return OpenAIResponsesAgent(ai_model_id=model, client=client(), temperature=0, **more)


async def responses(*questions: str, **more: Any) -> Outcome:
    """Asks one after the other in one thread, which the server keeps."""
    agent = responses_agent(**more)
    thread = ResponsesAgentThread(client=agent.client)
    messages: list[ChatMessageContent] = []

    async def note(message: ChatMessageContent) -> None:
        messages.append(message)

    for question in questions:
        async for answer in agent.invoke(question, thread=thread, on_intermediate_message=note):
            messages.append(answer.message)
    used = [message.metadata["usage"] for message in messages if message.metadata.get("usage")]
    return Outcome(
        answer=messages[-1].content,
        usage=scenarios.usage(
            sum(one["input_tokens"] for one in used), sum(one["output_tokens"] for one in used)
        ),
    )


async def responses_stream() -> Outcome:
    """A streamed answer comes without its usage."""
    agent = responses_agent()
    pieces = [piece.message async for piece in agent.invoke_stream(scenarios.STREAM)]
    whole = sum(pieces[1:], start=pieces[0])
    return Outcome(whole.content, streamed=[piece.content for piece in pieces if piece.content])


async def responses_errors() -> Outcome:
    try:
        return await responses(scenarios.TEXT, model=scenarios.UNKNOWN_MODEL)
    except KernelException as error:
        return Outcome(error=error)


run(
    "semantic-kernel",
    "semantic-kernel",
    {
        "chat": {
            "text": chat_text,
            "stream": chat_stream,
            "memory": chat_memory,
            "tool": partial(chat_weather, scenarios.TOOL),
            "parallel": partial(chat_weather, scenarios.PARALLEL),
            "structured": partial(chat_text, scenarios.STRUCTURED, response_format=Person),
            "errors": chat_errors,
        },
        "responses": {
            "text": partial(responses, scenarios.TEXT),
            "stream": responses_stream,
            "memory": partial(responses, scenarios.INTRODUCTION, scenarios.RECALL),
            "tool": partial(responses, scenarios.TOOL, plugins=[Weather()]),
            "parallel": partial(responses, scenarios.PARALLEL, plugins=[Weather()]),
            "structured": partial(
                responses,
                scenarios.STRUCTURED,
                text=OpenAIResponsesAgent.configure_response_format(Person),
            ),
            "errors": responses_errors,
        },
    },
)
