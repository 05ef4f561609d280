"""The tool loop of each client, in the shapes that they were recorded sending."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pydantic
import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic_ai import Agent, ToolOutput
from pydantic_ai.models.openai import OpenAIResponsesModel, OpenAIResponsesModelSettings
from pydantic_ai.providers.openai import OpenAIProvider

from router.tests.conftest import MODEL, Server
from router.tests.responses import WEATHER, asked, created, events, output_text
from router.tests.scripts import call, script

Body = dict[str, Any]

TEXT: Body = {"type": "input_text", "text": "Weather in Paris?"}
QUESTION: Body = {"role": "user", "content": [TEXT]}
STRING: Body = {"role": "user", "content": "Weather in Paris?"}


def returned(made: Body) -> Body:
    return {"type": "function_call_output", "call_id": made["call_id"], "output": "sunny"}


def bare(made: Body) -> Body:
    return {key: made[key] for key in ("type", "call_id", "name", "arguments")}


# --- those that go on from the response before ---


def agent_framework(made: Body) -> Body:
    head = {"include": ["reasoning.encrypted_content"], "instructions": "Be kind."}
    return {"first": head, "question": {"type": "message", **QUESTION}, "input": [returned(made)]}


def langchain(made: Body) -> Body:
    return {"question": {"type": "message", **STRING}, "input": [returned(made)]}


def semantic_kernel(made: Body) -> Body:
    head: Body = {"instructions": "Be kind.", "metadata": {}, "previous_response_id": None}
    head |= {"store": True, "text": {}}
    return {"first": head, "question": QUESTION, "input": [QUESTION, returned(made)]}


def strands(made: Body) -> Body:
    return {
        "first": {"store": True},
        "question": QUESTION,
        "input": [QUESTION, bare(made), returned(made)],
    }


@pytest.mark.parametrize("shape", [agent_framework, langchain, semantic_kernel, strands])
@pytest.mark.parametrize("stream", [True, False])
def test_going_on(scripted: Server, shape: Callable[[Body], Body], stream: bool) -> None:
    def answer(input: object, **fields: Any) -> Body:
        fields |= {"tools": [WEATHER]}
        if not stream:
            return created(scripted, input, **fields)
        body: Body = events(scripted, input, **fields)[-1]["response"]
        return body

    unknown = {"type": "function_call", "call_id": "", "name": "", "arguments": ""}
    sent = shape(unknown)
    first = answer([sent["question"]], **sent.get("first", {}))
    [made] = first["output"]
    head = sent.get("first", {}) | {"previous_response_id": first["id"]}
    last = answer(shape(made)["input"], **head)
    assert output_text(last) == "The result is: sunny"

    listed = scripted.http.get(f"/v1/responses/{last['id']}/input_items?order=asc").json()["data"]
    kinds = ["message", "function_call", "function_call_output"]
    assert [item["type"] for item in listed] == kinds
    assert listed[1] == made


# --- those that send all of it, and want nothing kept ---


def openai_agents(made: Body) -> list[Body]:
    return [STRING, made, returned(made)]


def pydantic_ai(made: Body) -> list[Body]:
    return [STRING, bare(made), returned(made)]


def stateless_strands(made: Body) -> list[Body]:
    return [QUESTION, bare(made), returned(made)]


def langchain_with_everything(made: Body) -> list[Body]:
    system = {"role": "system", "content": "Be kind.", "type": "message"}
    return [system, {**STRING, "type": "message"}, made, returned(made)]


def agent_framework_without_a_store(made: Body) -> list[Body]:
    asking = {"type": "message", **QUESTION}
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "status": "in_progress"}
    return [asking, thought, made, returned(made)]


@pytest.mark.parametrize(
    "shape",
    [
        openai_agents,
        pydantic_ai,
        stateless_strands,
        langchain_with_everything,
        agent_framework_without_a_store,
    ],
)
def test_everything_again(scripted: Server, shape: Callable[[Body], list[Body]]) -> None:
    fields = {"tools": [WEATHER], "store": False, "include": ["reasoning.encrypted_content"]}
    [made] = created(scripted, "Weather in Paris?", **fields)["output"]
    assert output_text(created(scripted, shape(made), **fields)) == "The result is: sunny"


def test_codex(scripted: Server) -> None:
    """Its developer's messages, its tools, those it sends unasked, its labels."""
    parameters = {"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"]}
    run = {"type": "function", "name": "exec_command", "strict": False, "parameters": parameters}
    agents = {"type": "namespace", "name": "multi_agent_v1", "description": "", "tools": [run]}
    developer = {"type": "message", "id": "msg_1", "role": "developer"}
    request = {
        "tools": [run, agents, {"type": "web_search", "external_web_access": False}],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"summary": "auto"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "01a2",
        "client_metadata": {"thread_id": "01a2", "x-codex-turn-metadata": "{}"},
    }
    story: list[Body] = [
        {**developer, "content": [{"type": "input_text", "text": "You are a coding agent."}]},
        {"type": "message", "id": "msg_2", **QUESTION},
    ]
    [made] = events(scripted, story, **request)[-1]["response"]["output"]
    assert made["name"] == "exec_command"
    assert json.loads(made["arguments"]).keys() == {"cmd"}
    response = asked(scripted, [*story, made, returned(made)], **request)
    assert output_text(response.json()) == "The result is: sunny"
    assert response.headers["warning"] == '299 - "ignored tools of type namespace, web_search"'


def test_references_stand_for_what_is_kept(scripted: Server) -> None:
    """The Vercel AI SDK sends the ids of what it was sent, and no previous response."""
    first = created(scripted, [STRING], tools=[WEATHER])
    [made] = first["output"]
    story = [STRING, {"type": "item_reference", "id": made["id"]}, returned(made)]
    assert output_text(created(scripted, story, tools=[WEATHER])) == "The result is: sunny"
    error = asked(scripted, [{"type": "item_reference", "id": "fc_0"}, STRING]).json()["error"]
    assert (error["param"], "fc_0" in error["message"]) == ("input", True)


# --- the clients themselves ---


@tool
def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"sunny in {city}"


@pytest.mark.parametrize("going_on", [True, False])
@pytest.mark.parametrize("stream", [True, False])
def test_langchain(scripted: Server, going_on: bool, stream: bool) -> None:
    with httpx.Client() as http:
        chat = ChatOpenAI(
            base_url=f"{scripted.url}/v1",
            api_key=pydantic.SecretStr("unused"),
            model=MODEL,
            use_responses_api=True,
            use_previous_response_id=going_on,
            streaming=stream,
            http_client=http,
        ).bind_tools([get_weather])
        question = HumanMessage(script(f"Wait. {call('get_weather', city='Oslo')}"))
        made = chat.invoke([question])
        assert isinstance(made, AIMessage)
        [asked_for] = made.tool_calls
        assert (made.text, asked_for["args"]) == ("Wait.", {"city": "Oslo"})
        result = ToolMessage("sunny", tool_call_id=asked_for["id"])
        assert chat.invoke([question, made, result]).text == "The result is: sunny"


@pytest.mark.parametrize("going_on", [True, False])
def test_pydantic_ai(scripted: Server, going_on: bool) -> None:
    class Weather(pydantic.BaseModel):
        city: str

    async def answer() -> object:
        settings = OpenAIResponsesModelSettings()
        if going_on:
            settings["openai_previous_response_id"] = "auto"
        async with openai.AsyncOpenAI(base_url=f"{scripted.url}/v1", api_key="unused") as client:
            model = OpenAIResponsesModel(MODEL, provider=OpenAIProvider(openai_client=client))
            agent = Agent(model, output_type=ToolOutput(Weather), model_settings=settings)
            first = await agent.run("Weather?")
            await agent.run("And now?", message_history=first.all_messages())
            return first.output

    assert isinstance(asyncio.run(answer()), Weather)


def test_typed_answers_of_the_sdk(scripted: Server) -> None:
    class Weather(pydantic.BaseModel):
        city: str
        degrees: int

    client = scripted.client()
    parsed = client.responses.parse(model=MODEL, input="Weather?", text_format=Weather)
    assert isinstance(parsed.output_parsed, Weather)
    with client.responses.stream(model=MODEL, input="Weather?", text_format=Weather) as stream:
        assert isinstance(stream.get_final_response().output_parsed, Weather)
    tools: Any = [openai.pydantic_function_tool(Weather)]
    made = client.responses.parse(model=MODEL, input="Weather?", tools=tools)
    [answer] = made.output
    assert answer.type == "function_call"
    assert isinstance(answer.parsed_arguments, Weather)
