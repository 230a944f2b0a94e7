"""How is somebody told what to do on a host, with the command that does it?

Words name only what a command is for. The command itself was written by the container's provider
when it was pinned; where the provider has none, the words stand alone.
"""

from __future__ import annotations

from typing import NamedTuple

from activities.slack.mrkdwn import code, safe
from workflows.model.advice import CommandName, command_of
from workflows.model.state import RequestState
from workflows.operations import catalog
from workflows.operations.facts import was_paused

#: What stands for a command of the provider's; a word list writes others the same way.
LOOK = "{look}"
START = "{start}"
STOP = "{stop}"
PAUSE = "{pause}"
UNPAUSE = "{unpause}"
#: So begins the sentence that is about the command alone.
_ABOUT_IT = ". This shows"


class Do(NamedTuple):
    """One thing to do on the host: what, and the command that helps, if there is one."""

    words: str
    command: str = ""


def fill(text: str, state: RequestState) -> str:
    """Put the host, and the container's name, into words of this list."""
    bare = catalog.without_snapshot(state.operation).kind
    named = {"{host}": safe(state.container.host), "{name}": code(state.name_now)}
    for gap, value in {"{without}": bare, **named}.items():
        text = text.replace(gap, value)
    return text


def with_command(words: str, command: str, state: RequestState) -> str:
    """Add what to run to what to do, where the provider of the container says it."""
    words, line = fill(words, state), _filled(command, state)
    return f"{words}: {code(line)}" if line else f"{words.partition(_ABOUT_IT)[0]}."


def _filled(command: str, state: RequestState) -> str:
    """Put in the provider's own commands; nothing comes of it when one of them is missing."""
    if was_paused(state):
        command = command.replace(START, f"{START} && {PAUSE}")
    for name in CommandName:
        gap = f"{{{name}}}"
        if gap in command:
            known = command_of(state.pin, name)
            if not known:
                return ""
            command = command.replace(gap, known)
    return command
