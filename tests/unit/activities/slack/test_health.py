"""Does an operator hear that Slack refuses us, often enough and not too often?"""

from __future__ import annotations

import logging

import pytest

from activities.slack.health import APP_CODES, TOKEN_CODES, SlackHealth


class Clock:
    """A clock that stands still until it is told to go."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now


def test_a_code_blames_the_token_or_the_app_and_not_both() -> None:
    """Each code is in one table."""
    assert not TOKEN_CODES & APP_CODES


def test_it_is_logged_once_a_minute_as_long_as_it_lasts(caplog: pytest.LogCaptureFixture) -> None:
    """A day of refusals is no flood, and it is not forgotten either."""
    clock = Clock()
    health = SlackHealth(clock)
    with caplog.at_level(logging.ERROR):
        for _ in range(120):
            health.answered("chat.update", "token_revoked")
            clock.now += 1
    assert len(caplog.records) == 2
    assert "chat.update: token_revoked" in caplog.records[0].getMessage()


def test_a_refusal_after_an_accepted_call_is_logged_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A second trouble within the minute is another one."""
    health = SlackHealth(Clock())
    with caplog.at_level(logging.ERROR):
        for code in ("token_expired", "", "token_revoked"):
            health.answered("chat.update", code)
    assert len(caplog.records) == 2


def test_the_latest_code_is_told() -> None:
    """An expired token that is then revoked is revoked."""
    health = SlackHealth()
    health.answered("chat.update", "token_expired")
    health.answered("users.info", "token_revoked")
    assert health.refused == "token_revoked"
    health.answered("chat.update", "token_expired")
    assert health.refused == "token_expired"


def test_any_accepted_call_acquits_the_token_but_not_a_missing_right() -> None:
    """A right is missing until the very method that lacked it is accepted."""
    health = SlackHealth()
    health.answered("users.info", "missing_scope")
    health.answered("chat.update", "token_expired")
    health.answered("chat.postMessage")
    assert health.refused == "missing_scope"
    health.answered("users.info", "user_not_found")
    assert health.refused == ""
