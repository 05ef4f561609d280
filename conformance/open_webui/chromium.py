"""The machine's Chromium, without a window."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator

from playwright.async_api import Browser, async_playwright

NAMES = (
    *("chromium", "chromium-browser", "google-chrome"),
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Raises FileNotFoundError, which says what to install, where there is none."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_installed(), args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


def _installed() -> str:
    names = [os.environ.get("CHROMIUM", ""), *NAMES]
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        raise FileNotFoundError(
            "there is no Chromium: `apt-get install chromium`, `brew install --cask chromium`, "
            "or set CHROMIUM to the path of yours"
        )
    return found
