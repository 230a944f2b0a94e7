"""Which pictures does the README show? ``python -m deploy.pictures`` takes them anew.

A laptop is started, alice asks and bob approves in a headless browser, and the card is pictured
before and after. Nothing in them is drawn by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from deploy.laptop.console import LaptopError, say, warn
from deploy.laptop.slack_server import USERS
from deploy.laptop.stack import Options, running
from deploy.pictures.browser import slack_window

_HERE = Path(__file__).parent
_COMMAND = '/container stop web-1 snapshot reason="CVE-2026-1, rebuild needed"'
#: Pictures for screens with many points stay sharp, and small enough for a page.
_SCALE = 1.5


async def take(options: Options) -> None:
    """Take both pictures."""
    async with running(options) as laptop, slack_window(laptop.slack, scale=_SCALE) as window:
        await window.act_as(USERS["alice"])
        await window.type(_COMMAND)
        card = window.message("Approval needed")
        await card.screenshot(path=_HERE / "waiting.png")
        await window.act_as(USERS["bob"])
        await window.press(card, "Approve")
        card = window.message("Stopped and snapshotted in")
        await card.locator(".thread-summary", has_text="1 reply").wait_for()
        await card.screenshot(path=_HERE / "done.png")
    say(f"took waiting.png and done.png in {_HERE}")


def main() -> int:
    """Take the pictures; give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.pictures")
    parser.add_argument("--docker-host", metavar="URL", help="the Docker engine to use")
    docker_host: str | None = parser.parse_args().docker_host
    with tempfile.TemporaryDirectory(prefix="dockwarden-pictures-") as state:
        options = Options(state=Path(state), docker_host=docker_host, containers=("web-1",))
        try:
            asyncio.run(take(options))
        except LaptopError as problem:
            warn(str(problem))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
