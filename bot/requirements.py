"""What must be set for each command of the program?"""

from __future__ import annotations

from collections.abc import Callable

from bot.settings import Settings, SlackMode, variable
from bot.temporal.errors import StartUpError


def require_for_bot(settings: Settings) -> None:
    """Refuse to start a bot that could not serve.

    Raises:
        StartUpError: something is missing; all of it is named.
    """
    _refuse(
        [
            *_missing_bot_token(settings),
            *_missing(
                settings,
                "slack_app_token",
                when=settings.slack_mode is SlackMode.SOCKET,
                needed="the app-level token (xapp-…) with the scope connections:write",
            ),
            *_missing(
                settings,
                "slack_signing_secret",
                when=settings.slack_mode is SlackMode.HTTP,
                needed="the signing secret: without it forged calls could not be told apart",
            ),
        ]
    )


def require_for_worker(settings: Settings, *, serves_control: bool, serves_docker: bool) -> None:
    """Refuse to start a worker that could not serve.

    Raises:
        StartUpError: something is missing; all of it is named.
    """
    _refuse(
        [
            *(_missing_bot_token(settings) if serves_control else []),
            *(_unreadable_data_root(settings) if serves_docker else []),
        ]
    )


def _missing_bot_token(settings: Settings) -> list[str]:
    return _missing(settings, "slack_bot_token", when=True, needed="the bot token (xoxb-…)")


def _unreadable_data_root(settings: Settings) -> list[str]:
    root = settings.data_root
    if root is None or (root.is_absolute() and root.is_dir()):
        return []
    name = variable("data_root")
    return [f"{name}: {root} is no directory here: name one on the disk of the Docker engine"]


_MISTAKEN: dict[str, Callable[[str], bool]] = {
    "slack_bot_token": lambda secret: secret.startswith(("xapp-", "xoxp-")),
    "slack_app_token": lambda secret: secret.startswith("xox"),
    "slack_signing_secret": lambda secret: secret.startswith(("xox", "xapp-")),
}


def _missing(settings: Settings, field: str, *, when: bool, needed: str) -> list[str]:
    secret: str = getattr(settings, field).get_secret_value()
    if not when:
        return []
    if not secret.strip():
        return [f"{variable(field)} is missing: set it, or {variable(field)}_FILE, to {needed}"]
    if _MISTAKEN[field](secret):
        return [f"{variable(field)} holds another kind of token: set it to {needed}"]
    return []


def _refuse(problems: list[str]) -> None:
    if problems:
        raise StartUpError("\n".join(problems))
