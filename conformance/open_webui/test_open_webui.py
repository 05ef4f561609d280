"""Open WebUI, the router with the model inside, and a browser: nothing is played."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from conformance import metrics
from conformance.open_webui.application import open_webui
from conformance.open_webui.chromium import chromium
from conformance.open_webui.visitor import Visitor
from conformance.session import Session
from conformance.target import Target, spawned

TOOL = Path(__file__).parent / "tool.py"

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def router() -> AsyncIterator[Target]:
    async with spawned("mlx", frozenset()) as target:
        yield target


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
async def address(router: Target, browser: Browser) -> AsyncIterator[str]:
    """Where Open WebUI is, its first user signed up and a tool uploaded."""
    async with open_webui(router.base_url) as address:
        page = await browser.new_page()
        administrator = Visitor(page, address)
        await administrator.sign_up()
        await administrator.upload_tool("Weather", TOOL)
        await page.close()
        assert administrator.faults == []
        yield address


@pytest.fixture
async def visitor(address: str, browser: Browser) -> AsyncIterator[Visitor]:
    page = await browser.new_page()
    visitor = Visitor(page, address)
    await visitor.sign_in()
    yield visitor
    await page.close()
    assert visitor.faults == []


async def test_the_selector_has_the_model(visitor: Visitor, router: Target) -> None:
    assert router.model in await visitor.models()


async def test_an_answer_grows_before_the_eyes(visitor: Visitor) -> None:
    await visitor.send("Count from 1 to 5.")
    readings = await visitor.watch()
    assert len(readings) >= 4
    assert all(readings[-1].startswith(reading) for reading in readings)
    assert readings[-1] == "1, 2, 3, 4, 5"


async def test_a_conversation_remembers(visitor: Visitor) -> None:
    await visitor.ask("My name is Alice.")
    assert "Alice" in await visitor.ask("What is my name?")


async def test_a_tool_is_called_and_its_result_used(visitor: Visitor) -> None:
    await visitor.switch_on("Weather")
    assert "21 degrees" in await visitor.ask("What is the weather in Paris?")
    details = await visitor.look_into_call("get_weather")
    assert "Paris" in details
    assert "sunny, 21 degrees" in details


async def test_stop_ends_the_work(visitor: Visitor, router: Target) -> None:
    await visitor.send("Write a long story about a cat.")
    await visitor.stop()
    await metrics.idle(Session(router), seconds=10)
