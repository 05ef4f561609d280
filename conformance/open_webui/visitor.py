"""Someone in front of Open WebUI 0.12: what they click, type and read."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import ConsoleMessage, Error, Locator, Page, Request, expect

NAME, EMAIL, PASSWORD = "Ada", "ada@example.com", "correct horse battery staple"
PATIENCE = 120_000
"""Milliseconds that the page may take to show what is waited for."""

ANSWER_TIMEOUT = 300
"""Seconds until an answer must be complete."""

READING_PAUSE = 0.05
"""Seconds between two looks at a growing answer."""

WELCOME_FILM = "reading 'play'"
"""In an error of Open WebUI's own: who leaves the welcome page early, leaves its film behind."""

expect.set_options(timeout=PATIENCE)


class Visitor:
    """``faults`` are what a visitor should never meet: errors of the page's scripts, failed
    requests, and requests to anywhere but Open WebUI."""

    def __init__(self, page: Page, address: str) -> None:
        self._page = page
        self._address = address
        self.faults: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", self._script_failed)
        page.on("console", self._said)
        page.on("request", self._requested)

    def _script_failed(self, error: Error) -> None:
        if WELCOME_FILM not in error.message:
            self.faults.append(f"script error: {error.message}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"on the console: {message.text}")

    def _requested(self, request: Request) -> None:
        if request.url.startswith("http") and not request.url.startswith(self._address):
            self.faults.append(f"a request to {request.url}")

    async def sign_up(self) -> None:
        """Become the first user, who is the administrator."""
        await self._page.goto(self._address)
        await self._page.get_by_role("button", name="Get started").click()
        await self._page.get_by_placeholder("Enter Your Full Name").fill(NAME)
        await self._enter("Create Admin Account")
        await self._page.get_by_role("button", name="Okay, Let's Go!").click()

    async def sign_in(self) -> None:
        await self._page.goto(self._address)
        await self._enter("Sign in")

    async def _enter(self, button: str) -> None:
        await self._page.get_by_placeholder("Enter Your Email").fill(EMAIL)
        await self._page.get_by_placeholder("Enter Your Password").fill(PASSWORD)
        await self._page.get_by_role("button", name=button).click()
        await expect(self._composer).to_be_visible()

    async def upload_tool(self, name: str, source: Path) -> None:
        tool = {"id": name.lower(), "name": name, "content": source.read_text(encoding="utf-8")}
        answer = await self._page.request.post(
            f"{self._address}/api/v1/tools/create",
            data=tool | {"meta": {"description": name}, "access_grants": []},
        )
        await expect(answer).to_be_ok()

    async def models(self) -> list[str]:
        """What the selector offers."""
        await self._page.locator("#model-selector-model-button").click()
        offered = self._page.get_by_role("option")
        await expect(offered.first).to_be_visible()
        names = await offered.all_inner_texts()
        await self._page.keyboard.press("Escape")
        return [name.strip() for name in names]

    async def switch_on(self, tool: str) -> None:
        await self._page.get_by_role("button", name="Integrations").click()
        menu = self._page.get_by_role("menu")
        await menu.get_by_text("Tools").click()
        await menu.get_by_text(tool).click()
        await self._page.keyboard.press("Escape")

    async def send(self, text: str) -> None:
        await self._composer.fill(text)
        await self._page.keyboard.press("Enter")
        await expect(self._page.get_by_text("Generating...", exact=True)).to_be_attached()

    async def watch(self) -> list[str]:
        """What the answer reads, each time that it has changed, until it is complete."""
        readings: list[str] = []
        complete = self._page.get_by_text("Response complete", exact=True)
        async with asyncio.timeout(ANSWER_TIMEOUT):
            while True:
                over = await complete.count() > 0
                text = await self._answer.inner_text()
                if text and text not in readings[-1:]:
                    readings.append(text)
                if over:
                    return readings
                await asyncio.sleep(READING_PAUSE)

    async def ask(self, text: str) -> str:
        await self.send(text)
        return (await self.watch())[-1]

    async def stop(self) -> None:
        """Click Stop once the answer has begun."""
        await expect(self._answer).not_to_be_empty()
        await self._page.get_by_role("button", name="Stop").click()

    async def look_into_call(self, function: str) -> str:
        """The details of a tool call, unfolded."""
        await self._answer.get_by_text(f"View Result from {function}").click()
        details: str = await self._answer.inner_text()
        return details

    @property
    def _composer(self) -> Locator:
        return self._page.locator("#chat-input")

    @property
    def _answer(self) -> Locator:
        return self._page.locator("#response-content-container").last
