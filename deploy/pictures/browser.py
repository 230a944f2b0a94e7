"""How does a person use the local Slack in a browser, seen from a script?"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Locator, Page, async_playwright

from deploy.laptop.console import LaptopError

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: The browser runs as root in a throw-away profile, and calls nobody but the local Slack.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
_PATIENCE_MS = 20_000


class SlackWindow:
    """The page of the local Slack, which one person at a time looks at."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def reload(self) -> None:
        """Draw the channel as it is now."""
        await self.page.reload()
        await self.until_drawn()

    async def until_drawn(self) -> None:
        """Wait for the channel."""
        await self.page.locator("textarea.composer-input").first.wait_for()

    async def act_as(self, user_id: str) -> None:
        """Become somebody."""
        await self.page.locator(".actas select").select_option(user_id)

    async def type(self, text: str) -> None:
        """Type into the channel's composer, and send it."""
        composer = self.page.locator("textarea.composer-input").first
        await composer.fill(text)
        await composer.press("Enter")

    def message(self, *words: str) -> Locator:
        """Find the newest message that holds these words."""
        found = self.page.locator(".msg[data-ts]")
        for word in words:
            found = found.filter(has_text=word)
        return found.last

    async def press(self, message: Locator, label: str) -> None:
        """Press a button of a message."""
        await message.locator(".bk-button", has_text=label).click()


@asynccontextmanager
async def slack_window(url: str, *, scale: float = 1.0) -> AsyncIterator[SlackWindow]:
    """Open the local Slack in a headless browser.

    Raises:
        LaptopError: there is no browser on this machine.
    """
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        message = "there is no Chromium: install one (on Debian: apt-get install chromium)"
        raise LaptopError(message)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=list(_ARGUMENTS))
        page = await browser.new_page(
            viewport={"width": 980, "height": 1000}, device_scale_factor=scale
        )
        page.set_default_timeout(_PATIENCE_MS)
        window = SlackWindow(page)
        await page.goto(url)
        await window.until_drawn()
        try:
            yield window
        finally:
            await browser.close()
