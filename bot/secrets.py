"""What is secret, where does it come from, and is it what its name says?

Each secret can also come from a file (``DOCKWARDEN_…_FILE``). No message shows what one holds: it
may be another secret in the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from workflows.model.seal import MAX_KEYS, MIN_KEY_LENGTH, SealKeys

PREFIX = "DOCKWARDEN_"
#: What is wrong, by setting: each is told once.
Problems = dict[str, str]
_SECRETS = ("slack_bot_token", "slack_app_token", "slack_signing_secret", "seal_key")
#: How a secret looks that was put in another one's place.
_MISTAKEN: dict[str, Callable[[str], bool]] = {
    "slack_bot_token": lambda secret: secret.startswith(("xapp-", "xoxp-")),
    "slack_app_token": lambda secret: secret.startswith("xox"),
    "slack_signing_secret": lambda secret: secret.startswith(("xox", "xapp-")),
}


#: How a token begins, which setting it is for, and what people call it.
_KINDS = {
    "xoxb-": ("slack_bot_token", "the bot token"),
    "xapp-": ("slack_app_token", "the app-level token"),
}

_S = TypeVar("_S", bound="Secrets")


class Secrets(BaseSettings):
    """The settings that nobody but the program may read."""

    slack_bot_token: SecretStr = Field(
        default=SecretStr(""), description="Bot token of the Slack app, xoxb-… (bot and worker)."
    )
    slack_bot_token_file: Path | None = Field(
        default=None, description="A file with the bot token."
    )
    slack_app_token: SecretStr = Field(
        default=SecretStr(""),
        description="App-level token with connections:write, xapp-… (socket mode).",
    )
    slack_app_token_file: Path | None = Field(
        default=None, description="A file with the app-level token."
    )
    slack_signing_secret: SecretStr = Field(
        default=SecretStr(""), description="Signing secret of the Slack app (http mode)."
    )
    slack_signing_secret_file: Path | None = Field(
        default=None, description="A file with the signing secret."
    )
    seal_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key by which bot, terminals and workers know each other; two while rotating.",
    )
    seal_key_file: Path | None = Field(default=None, description="A file with the seal key.")

    @property
    def seal_keys(self) -> SealKeys:
        """The keys: the first one seals, each of them verifies."""
        return SealKeys(tuple(re.findall(r"[^\s,]+", self.seal_key.get_secret_value())))


def variable(field: str) -> str:
    """Name the environment variable of a field."""
    return PREFIX + field.upper()


def mistaken(settings: Secrets, field: str) -> str:
    """Say what a secret is instead of what its name says; nothing when it may be right."""
    secret: str = getattr(settings, field).get_secret_value()
    if not _MISTAKEN[field](secret):
        return ""
    begins = next((begins for begins in _KINDS if secret.startswith(begins)), "")
    if not begins:
        return f"{variable(field)} holds another kind of token"
    other, kind = _KINDS[begins]
    swapped = _MISTAKEN[other](getattr(settings, other).get_secret_value())
    words = f"{variable(field)} begins with {begins}, so it is {kind}"
    return f"{words}; it and {variable(other)} are swapped" if swapped else words


def missing(settings: Secrets, field: str, *, when: bool, needed: str) -> Problems:
    """Say that a secret is missing, or is another one, if it is needed at all."""
    secret: str = getattr(settings, field).get_secret_value()
    if not when:
        return {}
    if not secret.strip():
        words = f"{variable(field)} is missing: set it, or {variable(field)}_FILE, to {needed}"
        return {field: words}
    mistake = mistaken(settings, field)
    return {field: f"{mistake}: set it to {needed}"} if mistake else {}


def problems_of_seal_key(settings: Secrets) -> Problems:
    """Say what is wrong with the seal key; none at all is not wrong."""
    keys, name = settings.seal_keys.keys, variable("seal_key")
    takes = f"takes one key of at least {MIN_KEY_LENGTH} characters"
    if len(keys) > MAX_KEYS:
        return {
            "seal_key": f"{name} holds {len(keys)} keys: it {takes}, or while one is replaced the "
            "new one and the old one behind it"
        }
    if any(len(key) < MIN_KEY_LENGTH for key in keys):
        return {
            "seal_key": f"{name} holds a key that can be guessed: it {takes}, for example what "
            "`openssl rand -hex 32` prints"
        }
    return {}


def with_files(settings: _S) -> tuple[_S, Problems]:
    """Read the secrets that come from files."""
    found: dict[str, SecretStr] = {}
    problems: Problems = {}
    for field in _SECRETS:
        path: Path | None = getattr(settings, f"{field}_file")
        if path is None:
            continue
        name = variable(field)
        if getattr(settings, field).get_secret_value():
            problems[field] = f"{name} and {name}_FILE are both set; keep one"
            continue
        try:
            secret = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            # It may hold the secret itself, and not the name of its file.
            why = type(error).__name__
            problems[field] = f"{name}_FILE: the file that it names cannot be read ({why})"
            continue
        found[field] = SecretStr(secret)
        if not secret:
            problems[field] = f"{name}_FILE: the file that it names is empty"
    return settings.model_copy(update=found), problems
