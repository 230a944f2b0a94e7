"""Does Slack accept our token now, and whom does a refusal of Slack blame?

A code that blames the token, its scopes or the app says nothing about the message: it is tried
again until an operator has mended that. Any other code blames what was sent or where it was sent
to, and trying the same again is in vain.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)
_LOG_EVERY_SECONDS = 60.0
#: No call with this token is accepted.
TOKEN_CODES = frozenset(
    {
        "account_inactive",
        "app_not_installed",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_auth",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "team_disabled",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
        "user_removed_from_team",
    }
)
#: This method is not open to the app as it is set up; others may be.
APP_CODES = frozenset(
    {
        "access_denied",
        "accesslimited",
        "app_missing_action_url",
        "deprecated_endpoint",
        "messages_tab_disabled",
        "method_deprecated",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
    }
)
#: Dockwarden works without these, only a little less well.
_DISPENSABLE = frozenset(
    {
        "chat.delete",
        "chat.getPermalink",
        "conversations.history",
        "conversations.open",
        "conversations.replies",
    }
)


class SlackHealth:
    """What Slack makes of our token, as its latest answers show.

    Args:
        clock: counts seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused: dict[str, str] = {}
        self._logged_at: float | None = None

    @property
    def refused(self) -> str:
        """The code by which Slack refuses us now; ``""`` when the last call was accepted."""
        return next(reversed(self._refused.values()), "")

    def answered(self, method: str, code: str = "") -> None:
        """Learn from an answer of Slack; ``code`` is that of a refusal."""
        if code in TOKEN_CODES or (code in APP_CODES and method not in _DISPENSABLE):
            self._refused.pop(method, None)
            self._refused[method] = code
            self._log_refusal(method, code)
            return
        was_refused = bool(self._refused)
        self._refused = {
            other: kept
            for other, kept in self._refused.items()
            if other != method and kept in APP_CODES
        }
        if was_refused and not self._refused:
            self._logged_at = None
            _log.info("Slack accepts the calls again")

    def _log_refusal(self, method: str, code: str) -> None:
        now = self._clock()
        if self._logged_at is not None and now - self._logged_at < _LOG_EVERY_SECONDS:
            return
        self._logged_at = now
        _log.error(
            "Slack refuses our token or our app at %s: %s; what people are to be told waits "
            "until that is put right",
            method,
            code,
        )
