"""What do the settings accept, and does ``deploy/env.example`` say the same?"""

from __future__ import annotations

import difflib
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from bot import settings
from bot.secrets import variable
from bot.setting_words import takes
from bot.settings import ConfigurationError, Settings, SlackMode
from workflows.model.names import HOST_NAME
from workflows.model.timing import MAX_GRACE_SECONDS, TIMING

ENV_EXAMPLE = Path(__file__).parents[3] / "deploy" / "env.example"
_SECRET = 8 * "s3cr"
_HEAD = """\
# All settings of Dockwarden, with their defaults. Uncomment what you change.
# Each secret can be given itself, or by the name of a file that holds it.
# The connection to Temporal has Temporal's own variables: TEMPORAL_ADDRESS (localhost:7233),
# TEMPORAL_NAMESPACE (default), TEMPORAL_API_KEY, TEMPORAL_TLS, and its configuration file.
"""


def _rendered() -> str:
    lines = [_HEAD]
    for name, field in Settings.model_fields.items():
        default = field.default
        assert default is not PydanticUndefined, f"{name} has no default"
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        elif isinstance(default, tuple):
            default = ",".join(default)
        elif isinstance(default, bool):
            default = str(default).lower()
        shown = "" if default is None else str(default)
        lines.append(f"# {field.description}\n#{variable(name)}={shown}\n")
    return "\n".join(lines)


def test_env_example_matches_the_code() -> None:
    """The documented settings, their defaults and their meaning are those of the code."""
    expected, found = _rendered(), ENV_EXAMPLE.read_text(encoding="utf-8")

    difference = difflib.unified_diff(found.splitlines(), expected.splitlines(), lineterm="")
    assert found == expected, "deploy/env.example should be:\n" + "\n".join(difference)


def test_nothing_set_loads_with_defaults() -> None:
    """Nothing is required before a command asks for it."""
    loaded = settings.load()

    assert loaded.slack_mode is SlackMode.SOCKET
    assert loaded.command == "/container"
    assert loaded.default_host == loaded.host == "local"
    assert loaded.protected == ()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        # a number that is none
        ("DOCKWARDEN_HTTP_PORT", "many", "DOCKWARDEN_HTTP_PORT: "),
        # a port that cannot be
        ("DOCKWARDEN_HEALTH_PORT", "70000", "DOCKWARDEN_HEALTH_PORT: "),
        # another word than the two possible
        ("DOCKWARDEN_SLACK_MODE", "webhook", "takes socket or http, for example"),
        # a host name with an underscore
        ("DOCKWARDEN_HOST", "web_1", "DOCKWARDEN_HOST: takes small letters"),
        # a drain that would kill a stop
        ("DOCKWARDEN_SHUTDOWN_SECONDS", "30", "DOCKWARDEN_SHUTDOWN_SECONDS: "),
        # a command without its slash
        ("DOCKWARDEN_COMMAND", "container", "DOCKWARDEN_COMMAND: "),
        # an address without a scheme
        ("DOCKWARDEN_TEMPORAL_UI_URL", "temporal:8080", "DOCKWARDEN_TEMPORAL_UI_URL: "),
        # a secret file that is not there
        ("DOCKWARDEN_SLACK_BOT_TOKEN_FILE", "/nowhere", "DOCKWARDEN_SLACK_BOT_TOKEN_FILE: "),
    ],
)
def test_a_bad_value_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    """An impossible value is refused by the name of its variable."""
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError) as refused:
        settings.load()

    assert says in str(refused.value)


def test_all_bad_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to start five times to find five mistakes."""
    monkeypatch.setenv("DOCKWARDEN_HTTP_PORT", "x")
    monkeypatch.setenv("DOCKWARDEN_LOG_LEVEL", "loud")

    with pytest.raises(ConfigurationError) as refused:
        settings.load()

    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize(
    "secret", ["slack_bot_token", "slack_app_token", "slack_signing_secret", "seal_key"]
)
def test_a_secret_comes_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, secret: str
) -> None:
    """Each secret can be read from a file; the line end behind it does not count."""
    file = tmp_path / "secret"
    file.write_text(f"{_SECRET}\n")
    monkeypatch.setenv(f"{variable(secret)}_FILE", str(file))

    assert getattr(settings.load(), secret).get_secret_value() == _SECRET


def test_a_secret_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two sources for one secret are a mistake, and its value is not in the message."""
    file = tmp_path / "secret"
    file.write_text("from-file")
    monkeypatch.setenv("DOCKWARDEN_SLACK_BOT_TOKEN", "xoxb-value")
    monkeypatch.setenv("DOCKWARDEN_SLACK_BOT_TOKEN_FILE", str(file))

    with pytest.raises(ConfigurationError) as refused:
        settings.load()

    assert "keep one" in str(refused.value)
    assert "xoxb-value" not in str(refused.value)
    assert "from-file" not in str(refused.value)


def test_an_empty_secret_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty file is a mistake, not an empty secret."""
    file = tmp_path / "secret"
    file.write_text("\n")
    monkeypatch.setenv("DOCKWARDEN_SLACK_APP_TOKEN_FILE", str(file))

    with pytest.raises(ConfigurationError, match="is empty"):
        settings.load()


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        # nothing at all: both tokens of socket mode
        ({}, ["DOCKWARDEN_SLACK_BOT_TOKEN", "DOCKWARDEN_SLACK_APP_TOKEN"]),
        # http mode asks for the signing secret instead of the app-level token
        (
            {"DOCKWARDEN_SLACK_MODE": "http", "DOCKWARDEN_SLACK_BOT_TOKEN": "xoxb-1"},
            ["DOCKWARDEN_SLACK_SIGNING_SECRET"],
        ),
        # the two tokens were swapped
        (
            {
                "DOCKWARDEN_SLACK_BOT_TOKEN": "xapp-1",
                "DOCKWARDEN_SLACK_APP_TOKEN": "xoxb-1",
            },
            [
                "DOCKWARDEN_SLACK_BOT_TOKEN begins with xapp-, so it is the app-level token; it",
                "DOCKWARDEN_SLACK_APP_TOKEN begins with xoxb-, so it is the bot token; it and DOC",
            ],
        ),
        # one token in two places
        (
            {"DOCKWARDEN_SLACK_BOT_TOKEN": "xoxb-1", "DOCKWARDEN_SLACK_APP_TOKEN": "xoxb-1"},
            ["DOCKWARDEN_SLACK_APP_TOKEN begins with xoxb-, so it is the bot token: set it to"],
        ),
        # the token of a person
        (
            {"DOCKWARDEN_SLACK_BOT_TOKEN": "xoxp-1", "DOCKWARDEN_SLACK_APP_TOKEN": "xapp-1"},
            ["DOCKWARDEN_SLACK_BOT_TOKEN holds another kind of token: set it to the bot token"],
        ),
        # a signing secret of spaces would let nobody in, or everybody
        (
            {
                "DOCKWARDEN_SLACK_MODE": "http",
                "DOCKWARDEN_SLACK_BOT_TOKEN": "xoxb-1",
                "DOCKWARDEN_SLACK_SIGNING_SECRET": "  ",
            },
            ["DOCKWARDEN_SLACK_SIGNING_SECRET"],
        ),
    ],
)
def test_the_bot_says_what_it_misses(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], missing: list[str]
) -> None:
    """A bot that could not serve names all that is missing, and no value."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError) as refused:
        settings.load(settings.needs_of_bot)

    lines = str(refused.value).splitlines()
    assert len(lines) == len(missing)
    assert all(line.startswith(start) for line, start in zip(lines, missing, strict=True))
    assert "xoxb-1" not in str(refused.value)


def test_only_a_control_worker_needs_slack() -> None:
    """A worker beside an engine needs no Slack token."""
    settings.load(partial(settings.needs_of_worker, serve=frozenset({"docker"})))
    with pytest.raises(ConfigurationError, match="DOCKWARDEN_SLACK_BOT_TOKEN is missing"):
        settings.load(partial(settings.needs_of_worker, serve=frozenset({"control"})))


def test_the_drain_is_longer_than_any_stop() -> None:
    """A worker that is asked to end lets a running stop finish."""
    longest = TIMING.stop_attempt(MAX_GRACE_SECONDS)

    assert settings.load().shutdown_seconds > longest


def test_protected_names_are_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protected names are separated by commas; spaces and empty parts do not count."""
    monkeypatch.setenv("DOCKWARDEN_PROTECTED", "temporal*, postgres,,")

    assert settings.load().protected == ("temporal*", "postgres")


def test_a_misspelt_variable_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that means nothing is named with the one that was probably meant."""
    monkeypatch.setenv("DOCKWARDEN_SLACK_BOT_TOKN", "xoxb-1")

    assert settings.unknown_variables() == [
        "DOCKWARDEN_SLACK_BOT_TOKN is not a setting; did you mean DOCKWARDEN_SLACK_BOT_TOKEN?"
    ]


def test_settings_never_show_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Printed settings hold no secret."""
    monkeypatch.setenv("DOCKWARDEN_SLACK_BOT_TOKEN", "xoxb-value")

    assert "xoxb-value" not in repr(settings.load())


@pytest.mark.parametrize("root", ["/nowhere", "relative"])
def test_a_data_root_that_cannot_be_read_is_no_limit_in_silence(
    monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    """A docker worker does not start with it; a control worker has no use for it."""
    monkeypatch.setenv("DOCKWARDEN_DATA_ROOT", root)
    monkeypatch.setenv("DOCKWARDEN_SLACK_BOT_TOKEN", "xoxb-1")

    settings.load(partial(settings.needs_of_worker, serve=frozenset({"control"})))
    with pytest.raises(ConfigurationError, match=f"DATA_ROOT: {root} is no directory"):
        settings.load(partial(settings.needs_of_worker, serve=frozenset({"docker"})))


_NOT_TEXT = [
    field
    for field, info in Settings.model_fields.items()
    if info.annotation is int or field in ("slack_mode", "log_format", "log_level")
]
_WITH_A_FORM = ["slack_api_url", "command", "default_host", "host", "temporal_ui_url"]


_WRONG = [
    (field, value)
    for field in (*_NOT_TEXT, *_WITH_A_FORM)
    for value in ("xoxb-1234-secret", "-1", "1.5", "9e99", " x y ")
    # A host may be called so.
    if field not in ("host", "default_host") or not HOST_NAME.fullmatch(value)
]


@pytest.mark.parametrize(("field", "value"), _WRONG)
def test_what_a_setting_takes_is_told_in_our_own_words(
    monkeypatch: pytest.MonkeyPatch, field: str, value: str
) -> None:
    """With an example that is right, without a library's words, and never with what it holds."""
    name = variable(field)
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError) as refused:
        settings.load()

    said = str(refused.value)
    assert said.startswith(f"{name}: takes ")
    assert "secret" not in said
    assert not any(word in said for word in ("Input", "should", "valid", "String", "pattern"))
    monkeypatch.setenv(name, said.rpartition(f"{name}=")[2])
    settings.load()


def test_a_secret_in_place_of_its_file_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who mixes the two up gets the secret into no log."""
    monkeypatch.setenv("DOCKWARDEN_SLACK_SIGNING_SECRET_FILE", "0123456789abcdef")

    with pytest.raises(ConfigurationError) as refused:
        settings.load()

    assert "DOCKWARDEN_SLACK_SIGNING_SECRET_FILE: the file" in str(refused.value)
    assert "0123456789abcdef" not in str(refused.value)


def test_everything_is_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Wrong values, a file that is not there, what is missing and what is misspelt."""
    monkeypatch.setenv("DOCKWARDEN_HTTP_PORT", "many")
    monkeypatch.setenv("DOCKWARDEN_SLACK_APP_TOKEN_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("DOCKWARDEN_SLACK_BOT_TOKN", "xoxb-1")

    with pytest.raises(ConfigurationError) as refused:
        settings.load(settings.needs_of_bot)

    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == [
        "DOCKWARDEN_SLACK_BOT_TOKEN is missing",
        "DOCKWARDEN_SLACK_APP_TOKEN_FILE",
        "DOCKWARDEN_HTTP_PORT",
        "DOCKWARDEN_SLACK_BOT_TOKN is not a setting; did you mean DOCKWARDEN_SLACK_BOT_TOKEN?",
    ]


def test_an_unknown_mode_misses_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of two secrets is needed is not guessed at."""
    monkeypatch.setenv("DOCKWARDEN_SLACK_MODE", "webhook")
    monkeypatch.setenv("DOCKWARDEN_SLACK_BOT_TOKEN", "xoxb-1")

    with pytest.raises(ConfigurationError) as refused:
        settings.load(settings.needs_of_bot)

    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("http_port", "a whole number from 0 to 65535, for example X=3000"),
        ("open_requests", "a whole number of at least 0, for example X=10"),
        ("shutdown_seconds", "a whole number of at least 661, for example X=690"),
        ("log_level", "debug, info, warning or error, for example X=info"),
        ("host", "small letters, digits, dots and hyphens, with a letter or digit at both ends"),
    ],
)
def test_the_words_follow_the_limits(field: str, words: str) -> None:
    """A limit stands in one place, and the words are made from it."""
    assert takes(field, Settings.model_fields[field], "X").startswith(f"takes {words}")
