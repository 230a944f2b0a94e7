"""How is one command of a terminal run, from its arguments to its exit status?"""

from __future__ import annotations

import argparse
import asyncio

from bot.commands.parser import Command
from bot.commands.tokens import CommandError
from bot.secrets import Problems, variable
from bot.service import Actor, Service
from bot.settings import Settings
from bot.temporal import client as temporal
from bot.temporal.errors import BotError
from bot.temporal.requests import RequestClient
from bot.terminal import arguments, errors, exits
from bot.terminal.door import Door, Wishes
from bot.terminal.exits import Exit
from bot.terminal.screen import Screen
from bot.terminal.who import this_terminal

#: What each missing thing is called where it is typed, and an example of it.
_CLAIMS = {
    "user": ("--as", "the Slack user who you are, like U024BE7LH"),
    "team": ("--team", "the Slack workspace, like T024BE7LD"),
    "channel": ("--channel", "the channel where the card is posted, like C012AB3CD"),
}


def needs(settings: Settings, options: argparse.Namespace) -> Problems:
    """Say what is missing for a command: never a Slack token."""
    wanted: tuple[str, ...] = ()
    if options.command in arguments.GROUPS["decide"]:
        wanted = ("user", "team")
    elif options.command == "request":
        wanted = ("user", "team", "channel")
    elif options.command == "requests" and options.selection == "mine":
        wanted = ("user",)
    return {field: _missing(field) for field in wanted if not _claim(settings, options, field)}


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Run one command, and give its exit status."""
    screen = Screen(as_json=options.json)
    try:
        command = arguments.read(options, default_host=settings.default_host)
    except CommandError as error:
        words = f"{error.problem} Right would be, for example: {error.example}"
        return screen.end(Exit.USAGE, (), error=words)
    running = _Run(settings, options, screen)
    try:
        return asyncio.run(running.carry_out(command))
    except KeyboardInterrupt:
        return screen.end(Exit.INTERRUPTED, (), error=running.what_goes_on())


class _Run:
    """One command, and what is known of it when somebody interrupts."""

    def __init__(self, settings: Settings, options: argparse.Namespace, screen: Screen) -> None:
        self._settings = settings
        self._options = options
        self._screen = screen
        self._door: Door | None = None

    async def carry_out(self, command: Command) -> Exit:
        settings, options = self._settings, self._options
        client = await temporal.connect_lazily()
        service = Service(RequestClient(client, keys=settings.seal_keys))
        actor = Actor(
            user_id=_claim(settings, options, "user"),
            team_id=_claim(settings, options, "team"),
            terminal=this_terminal(),
        )
        within = getattr(options, "within", None)
        wishes = Wishes(
            default_host=settings.default_host,
            channel=_claim(settings, options, "channel"),
            wait=getattr(options, "wait", False) or within is not None,
            within=within,
        )
        self._door = Door(service, actor, self._screen, wishes)
        try:
            return await self._door.run(command)
        except BotError as error:
            return self._screen.end(exits.of_error(error), (), error=errors.failure(error))

    def what_goes_on(self) -> str:
        request_id = self._door.goes_on if self._door is not None else ""
        if not request_id:
            return "Interrupted. Whether anything was recorded is not known: see the requests."
        return (
            f"Interrupted here; request {request_id} goes on. `dockwarden status {request_id}` "
            f"shows it, and `dockwarden cancel {request_id}` cancels it."
        )


def _claim(settings: Settings, options: argparse.Namespace, field: str) -> str:
    """Give what was typed, or else what is set."""
    return getattr(options, field, None) or str(getattr(settings, field))


def _missing(field: str) -> str:
    flag, words = _CLAIMS[field]
    return f"{flag} is missing: give it, or set {variable(field)}, to {words}"
