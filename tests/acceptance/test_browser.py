"""Can people do it all in a browser: ask, approve, reject, and read what became of it?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from deploy.laptop.console import LaptopError
from deploy.laptop.slack_server import USERS
from deploy.pictures.browser import SlackWindow, slack_window
from tests.rigs.laptop import LaptopProcess
from tests.rigs.people import People

# Each starts a laptop, a host or a browser of its own.
pytestmark = pytest.mark.slow

#: What a person would have seen stays here after a run; git leaves it out.
_ARTEFACTS = Path(__file__).parents[1] / "artefacts"

# The patience of a window holds for what is done in it, not for what is expected of it.
expect.set_options(timeout=20_000)


@pytest.fixture(name="window")
async def _window(laptop: LaptopProcess) -> AsyncIterator[SlackWindow]:
    """A browser before the laptop's Slack."""
    _ARTEFACTS.mkdir(exist_ok=True)
    async with slack_window(laptop.ready["slack"]) as window:
        yield window


async def test_asking_approving_and_reading(people: People, window: SlackWindow) -> None:
    """Alice types the command, bob presses Approve, and the card and its thread tell the result."""
    container = people.engine.run(name="page-1")
    await window.act_as(USERS["alice"])
    await window.type('/container stop page-1 snapshot reason="seen in a browser"')
    card = window.message("Approval needed", "page-1")
    await expect(card).to_contain_text("“seen in a browser”")
    await expect(card.locator(".bk-button")).to_have_text(
        ["Approve", "Approve with a comment…", "Reject…", "Details", "Withdraw"]
    )

    await window.press(card, "Approve")
    refused = window.message("only visible to you", "takes another person to decide")
    await expect(refused).to_be_visible()
    assert people.engine.state(container) == "running"

    await window.act_as(USERS["bob"])
    await window.press(card, "Approve")
    done = window.message("Stopped and snapshotted in", "page-1")
    await expect(done).to_contain_text("approved by @Bob")
    await expect(done.locator(".bk-button")).to_have_text(["Start it again…"])
    assert people.engine.state(container) == "exited"

    await done.locator(".thread-summary", has_text="1 reply").click()
    for line in (
        "✓ Snapshot taken in",
        "@Alice ✅ Stopped and snapshotted",
    ):
        await expect(window.page.locator(".msg", has_text=line).last).to_be_visible()
    await window.page.screenshot(path=_ARTEFACTS / "approved.png")


async def test_rejecting_in_the_form(people: People, window: SlackWindow) -> None:
    """Bob presses Reject, the form asks why, and the reason stands on the card."""
    container = people.engine.run(name="page-2")
    await window.act_as(USERS["alice"])
    await window.type("/container snapshot page-2")
    await window.act_as(USERS["bob"])
    await window.press(window.message("Approval needed", "page-2"), "Reject")
    form = window.page.locator(".modal")
    await expect(form).to_contain_text("page-2 on local")
    await form.locator(".modal-btn.primary").click()
    await expect(form).to_contain_text("Write a reason")
    await form.locator("input, textarea").first.fill("not before Monday")
    await window.page.screenshot(path=_ARTEFACTS / "form.png")
    await form.locator(".modal-btn.primary").click()
    rejected = window.message("Rejected by @Bob", "page-2")
    await expect(rejected).to_contain_text("Why it was rejected: not before Monday")
    await expect(rejected.locator(".bk-button")).to_have_count(0)
    await window.page.screenshot(path=_ARTEFACTS / "rejected.png")
    assert people.engine.state(container) == "running"


async def test_a_mistake_is_shown_where_it_is(people: People, window: SlackWindow) -> None:
    """A typing error is answered in private, with the wrong word marked and a right example."""
    container = people.engine.run(name="page-3")
    await window.act_as(USERS["alice"])
    await window.type("/container stop page-3 snapshoot")
    answer = window.message("only visible to you", "→snapshoot←")
    await expect(answer).to_contain_text("Did you mean snapshot?")
    assert people.engine.state(container) == "running"


async def test_without_a_browser_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Chromium gets the command that installs it, not a skipped test."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LaptopError, match="apt-get install chromium"):
        async with slack_window("http://127.0.0.1:1"):
            pass
