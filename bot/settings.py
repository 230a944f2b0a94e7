"""What is set, and is it enough for the command that is to start?

The only file that reads the environment. Every setting is ``DOCKWARDEN_…``; what is secret of them
stands in ``bot/secrets.py``. The connection to Temporal has its own standard: ``TEMPORAL_…``, see
``bot/temporal/client.py``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from bot.secrets import (
    PREFIX,
    Problems,
    Secrets,
    missing,
    problems_of_seal_key,
    variable,
    with_files,
)
from bot.setting_words import takes
from workflows.model.names import HOST_NAME
from workflows.model.timing import MAX_GRACE_SECONDS, TIMING

_LONGEST_STOP = TIMING.stop_attempt(MAX_GRACE_SECONDS)
#: Secrets of which the mode says which one is needed.
_BY_MODE = frozenset({"slack_app_token", "slack_signing_secret"})


class ConfigurationError(Exception):
    """The program cannot start as it is set up; the message says what to do."""


class SlackMode(StrEnum):
    """How Slack reaches the bot."""

    SOCKET = "socket"
    HTTP = "http"


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """Which log lines are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Settings(Secrets):
    """All settings; a command requires only those that it needs."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True
    )

    slack_mode: SlackMode = Field(
        default=SlackMode.SOCKET,
        description="socket: the bot calls Slack, no open port; http: Slack calls the bot.",
    )
    slack_api_url: str = Field(
        default="https://slack.com/api/",
        description="Address of Slack's Web API.",
        pattern="^https?://",
    )
    plain_markup: bool = Field(
        default=False,
        description="true for a Slack that draws no dates and no groups: they are then words.",
    )
    command: str = Field(
        default="/container",
        description="The slash command, as the Slack app declares it.",
        pattern=r"^/[^\s/]{1,31}$",
    )
    socket_ping_seconds: int = Field(
        default=5,
        description="How often the bot asks a Slack socket whether it lives.",
        ge=1,
        le=60,
    )
    http_port: int = Field(
        default=3000, description="Port for Slack's calls (http mode).", ge=0, le=65535
    )
    listen: str = Field(
        default="127.0.0.1",
        description="Address on which ports are opened; 0.0.0.0 for all, as containers need it.",
    )
    commands_per_person: int = Field(
        default=60,
        description="How many commands a person may give in a minute, a third at once; 0: any.",
        ge=0,
    )
    clicks_per_request: int = Field(
        default=5,
        description="How often a person may click on one request in a minute; 0: any.",
        ge=0,
    )
    clicks_per_person: int = Field(
        default=120,
        description="How often a person may click in a minute, on all requests; 0: any.",
        ge=0,
    )
    policies: Path = Field(
        default=Path("policies.toml"),
        description="The policy book: who may decide about what (control worker).",
    )
    default_host: str = Field(
        default="local",
        description="The Docker host that a command means when it names none (bot).",
    )
    team: str = Field(
        default="",
        description="The Slack workspace of what is typed at a terminal, T….",
        pattern="^([TE][A-Z0-9]{1,30})?$",
    )
    channel: str = Field(
        default="",
        description="Where the card of a request is posted that was typed at a terminal, C….",
        pattern="^([CG][A-Z0-9]{1,30})?$",
    )
    user: str = Field(
        default="",
        description="The Slack user who somebody at a terminal says to be, U…, without --as.",
        pattern="^([UW][A-Z0-9]{1,30})?$",
    )
    host: str = Field(
        default="local", description="The name of the Docker host that a worker serves."
    )
    docker_host: str = Field(
        default="unix:///var/run/docker.sock", description="Address of the Docker engine (worker)."
    )
    protected: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Names of containers that are never touched, comma-separated, with * and ?.",
    )
    snapshots_per_container: int = Field(
        default=20,
        description="How many snapshots of one container are kept before more are refused; 0: any.",
        ge=0,
    )
    min_free_mb: int = Field(
        default=1000,
        description="Free space that a snapshot must leave on the engine's disk, in MB; 0: any.",
        ge=0,
    )
    data_root: Path | None = Field(
        default=None,
        description="A directory on that disk as the worker sees it; empty: the engine's own.",
    )
    stops_at_once: int = Field(
        default=64,
        description="How many containers of a host are stopped, and how many copied, at once.",
        ge=1,
        le=500,
    )
    open_requests: int = Field(
        default=10,
        description="How many requests of one person may wait at once (control worker); 0: any.",
        ge=0,
    )
    temporal_ui_url: str = Field(
        default="", description="Address of Temporal's web UI, for links on cards; empty: no links."
    )
    shutdown_seconds: int = Field(
        default=_LONGEST_STOP + 30,
        description="How long a worker may finish its work at SIGTERM; longer than any stop.",
        gt=_LONGEST_STOP,
    )
    log_format: LogFormat = Field(
        default=LogFormat.TEXT, description="text or json, one event a line."
    )
    log_level: LogLevel = Field(default=LogLevel.INFO, description="debug, info, warning or error.")
    health_port: int = Field(
        default=0, description="Port of /livez and /readyz; 0: none.", ge=0, le=65535
    )

    @property
    def has_book(self) -> bool:
        """Whether somebody has named a policy book, as a control worker needs one."""
        return "policies" in self.model_fields_set

    @property
    def log_is_set(self) -> bool:
        """Whether somebody has chosen how much is logged."""
        return "log_level" in self.model_fields_set

    @field_validator("protected", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("host", "default_host")
    @classmethod
    def _is_host_name(cls, value: str) -> str:
        if not HOST_NAME.fullmatch(value):
            raise ValueError("takes small letters, digits, dots and hyphens")
        return value

    @field_validator("temporal_ui_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("takes an address that begins with http:// or https://")
        return value.rstrip("/")


def load(required: Callable[[Settings], Problems] | None = None) -> Settings:
    """Read the environment.

    ``required`` says what a command cannot do without. It is asked however much else is wrong,
    so that nobody has to start five times to find five mistakes.

    Raises:
        ConfigurationError: something cannot be; the message names each variable, what it takes
            and what to do, and never what it holds: that may be a secret in the wrong place.
    """
    TIMING.check()
    problems: Problems = {}
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            field = str(problem["loc"][0])
            words = takes(field, Settings.model_fields[field], variable(field))
            problems[field] = f"{variable(field)}: {words}"
        # With these left out, what else is wrong shows.
        settings = Settings(**{field: Settings.model_fields[field].default for field in problems})
    settings, unreadable = with_files(settings)
    problems |= unreadable | problems_of_seal_key(settings)
    if required is not None:
        needed = required(settings)
        # Which secret is needed is not known while the mode is none.
        unknown = _BY_MODE if "slack_mode" in problems else frozenset()
        problems = {f: words for f, words in needed.items() if f not in unknown} | problems
    if problems:
        raise ConfigurationError("\n".join([*problems.values(), *unknown_variables()]))
    return settings


def unknown_variables() -> list[str]:
    """Describe the ``DOCKWARDEN_…`` variables that mean nothing; mostly typing errors."""
    known = [variable(field) for field in Settings.model_fields]
    unknown = sorted(
        name
        for name in os.environ  # noqa: TID251 - this is the file that reads the environment
        if name.startswith(PREFIX) and name not in known
    )
    hints = {name: get_close_matches(name, known, n=1) for name in unknown}
    return [
        f"{name} is not a setting" + (f"; did you mean {hint[0]}?" if hint else "")
        for name, hint in hints.items()
    ]


def needs_of_bot(settings: Settings) -> Problems:
    """Say what is missing for a bot to serve."""
    return {
        **_missing_bot_token(settings),
        **missing(
            settings,
            "slack_app_token",
            when=settings.slack_mode is SlackMode.SOCKET,
            needed="the app-level token (xapp-…) with the scope connections:write",
        ),
        **missing(
            settings,
            "slack_signing_secret",
            when=settings.slack_mode is SlackMode.HTTP,
            needed="the signing secret: without it forged calls could not be told apart",
        ),
    }


def needs_of_worker(settings: Settings, *, serve: frozenset[str]) -> Problems:
    """Say what is missing for a worker to serve this."""
    return {
        **(_missing_bot_token(settings) if "control" in serve else {}),
        **(_unreadable_data_root(settings) if "docker" in serve else {}),
    }


def _missing_bot_token(settings: Settings) -> Problems:
    return missing(settings, "slack_bot_token", when=True, needed="the bot token (xoxb-…)")


def _unreadable_data_root(settings: Settings) -> Problems:
    root = settings.data_root
    if root is None or (root.is_absolute() and root.is_dir()):
        return {}
    name = variable("data_root")
    words = f"{name}: {root} is no directory here: name one on the disk of the Docker engine"
    return {"data_root": words}
