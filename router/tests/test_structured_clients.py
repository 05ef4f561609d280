"""Typed answers in the frameworks that lean on them hardest, from the real model."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import httpx
import openai
import pydantic
import pytest
from langchain_openai import ChatOpenAI
from pydantic_ai import Agent, NativeOutput, ToolOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from router.tests.conftest import MODEL, Server


class Weather(pydantic.BaseModel):
    """The weather in a city."""

    city: str = pydantic.Field(max_length=20)
    condition: Literal["sunny", "rainy", "cloudy"]
    degrees: int = pydantic.Field(ge=-40, le=50)


QUESTION = "It is sunny in Paris, 21 degrees. Describe the weather."


@pytest.mark.parametrize(
    ("method", "question"),
    [
        ("json_schema", QUESTION),
        ("function_calling", QUESTION),
        (
            # The schema is for the caller to describe here, and only JSON is promised.
            "json_mode",
            'Repeat exactly: {"city": "Paris", "condition": "sunny", "degrees": 21}',
        ),
    ],
)
def test_langchain_with_structured_output(
    real: Server, method: Literal["json_schema", "function_calling", "json_mode"], question: str
) -> None:
    with httpx.Client() as http:
        chat = ChatOpenAI(
            base_url=f"{real.url}/v1",
            api_key=pydantic.SecretStr("unused"),
            model=MODEL,
            temperature=0,
            max_retries=0,
            timeout=60,
            http_client=http,
        )
        structured = chat.with_structured_output(Weather, method=method)
        assert isinstance(structured.invoke(question), Weather)


@pytest.mark.parametrize("output", [ToolOutput, NativeOutput], ids=["tool", "native"])
def test_pydantic_ai_output_type(real: Server, output: Any) -> None:
    async def answer() -> object:
        async with openai.AsyncOpenAI(base_url=f"{real.url}/v1", api_key="unused") as client:
            model = OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=client))
            agent = Agent(model, output_type=output(Weather), model_settings={"temperature": 0})
            return (await agent.run(QUESTION)).output

    assert isinstance(asyncio.run(answer()), Weather)
