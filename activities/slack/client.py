"""How is a method of Slack called, and what does its failure mean: again, later, or never?

Once, and not for long. The client's own retries repeat a message whose answer was lost, and sleep
where a worker could do something else: repeating is left to Temporal. One table leads from the
raw error to ours. Its message holds the method and Slack's own short code, never the body of an
answer, which may hold what people wrote. Only a refusal that blames the message or its place is
final: one that blames our token or our app holds as long as nobody mends that.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.models.blocks import Block
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.slack.health import APP_CODES, TOKEN_CODES, SlackHealth
from workflows.model.errors import ErrorType
from workflows.model.markup import sent_in_plain_words

Answer = dict[str, Any]
#: Much shorter than the heartbeat time-out of the activities, which beat between calls.
CALL_SECONDS = 7
#: What a broken connection raises. A lost answer is among them: the call may have taken effect.
_CONNECTION_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)
_CODE = re.compile(r"[a-z][a-z_0-9]{0,59}")
_DEFAULT_DELAY = 10.0
_LONGEST_DELAY = 600.0
#: Between two tries while Slack refuses our token: short at first, and never long.
_LONGEST_PATIENCE = 60.0
_TOO_MANY = 429
_FIRST_SERVER_ERROR = 500
_RATE_LIMITED = frozenset({"ratelimited", "rate_limited"})
#: Slack's own troubles, told with HTTP 200.
_PASSING = frozenset(
    {
        "external_channel_migrating",
        "fatal_error",
        "internal_error",
        "message_limit_exceeded",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
        "update_failed",
    }
)


class SlackClient(AsyncWebClient):
    """Slack's Web API; ``health`` knows whether Slack accepts our token."""

    def __init__(
        self,
        *,
        token: str,
        api_url: str,
        session: aiohttp.ClientSession,
        plain_markup: bool = False,
    ) -> None:
        super().__init__(token=token, base_url=api_url, session=session, retry_handlers=[])
        self.health = SlackHealth()
        self._plain_markup = plain_markup

    async def api_call(self, api_method: str, **how: Any) -> AsyncSlackResponse:  # noqa: ANN401 - Slack's own arguments
        """Call a method, and learn from the answer what Slack makes of our token."""
        if self._plain_markup and "json" in how:
            how["json"] = sent_in_plain_words(how["json"])
        try:
            answer = await super().api_call(api_method, **how)
        except SlackApiError as error:
            code = _slack_code(error)
            if code and code not in _PASSING | _RATE_LIMITED:
                self.health.answered(api_method, code)
            raise
        self.health.answered(api_method)
        return answer


def slack_client(
    token: str, api_url: str, session: aiohttp.ClientSession, *, plain_markup: bool = False
) -> SlackClient:
    """Make the client that all activities share; without ``session`` each call would open one."""
    return SlackClient(token=token, api_url=api_url, session=session, plain_markup=plain_markup)


async def call(method: Callable[..., Awaitable[Any]], name: str, **arguments: Any) -> Answer:  # noqa: ANN401 - Slack's own arguments
    """Call one method of Slack's Web API once.

    Raises:
        ApplicationError: it failed; the type says whether a repetition can help.
    """
    try:
        async with asyncio.timeout(CALL_SECONDS):
            return cast("Answer", (await method(**arguments)).data)
    except (SlackClientError, *_CONNECTION_ERRORS) as error:
        raise translate(error, name) from None


async def post(
    slack: AsyncWebClient, channel: str, text: str, blocks: Sequence[Block], **thread: str | bool
) -> Answer:
    """Post a message, below which no link unfolds; ``channel`` may be a person.

    ``thread`` are Slack's own arguments of a reply.

    Raises:
        ApplicationError: as :func:`call`.
    """
    return await call(
        slack.chat_postMessage,
        "chat.postMessage",
        channel=channel,
        text=text,
        blocks=blocks,
        unfurl_links=False,
        unfurl_media=False,
        **thread,
    )


def translate(error: Exception, method: str) -> ApplicationError:
    """Say in our own names what the failure of a call to ``method`` means."""
    if not isinstance(error, SlackApiError):
        return _unavailable(f"Slack did not answer {method}")
    status, code = _status(error), _slack_code(error)
    if status == _TOO_MANY or code in _RATE_LIMITED:
        return ApplicationError(
            f"Slack asks to slow down with {method}",
            type=ErrorType.SLACK_RATE_LIMITED,
            next_retry_delay=timedelta(seconds=_retry_after(error)),
        )
    if status >= _FIRST_SERVER_ERROR or code in _PASSING:
        return _unavailable(f"Slack failed at {method}: {code or status}")
    if not code:
        return _unavailable(f"Slack's answer to {method} cannot be read")
    message = f"Slack refuses {method}: {code}"
    if code in TOKEN_CODES or code in APP_CODES:
        return ApplicationError(
            message, code, type=ErrorType.SLACK_FORBIDDEN, next_retry_delay=_patience()
        )
    return ApplicationError(message, code, type=ErrorType.SLACK_REFUSED, non_retryable=True)


def refused_with(error: ApplicationError) -> str:
    """Give the short code with which Slack refused a call, or nothing when it was not refused."""
    refused = error.type in (ErrorType.SLACK_REFUSED, ErrorType.SLACK_FORBIDDEN) and error.details
    return str(error.details[0]) if refused else ""


def is_final(error: ApplicationError) -> bool:
    """Say whether Slack refused what was sent, or the place it was sent to, and not us."""
    return error.type == ErrorType.SLACK_REFUSED


def lacks_right(error: ApplicationError) -> bool:
    """Say whether the app, as it is set up, may not call this method at all."""
    return error.type == ErrorType.SLACK_FORBIDDEN and refused_with(error) in APP_CODES


def not_at_once() -> ApplicationError:
    """Say that what was asked for within a workflow task takes longer than that may wait."""
    return ApplicationError("not done at once", category=ApplicationErrorCategory.BENIGN)


def _patience() -> timedelta:
    """Say when to try again what was refused for our token's sake."""
    tries = activity.info().attempt if activity.in_activity() else 1
    return timedelta(seconds=min(2.0 ** min(tries - 1, 10), _LONGEST_PATIENCE))


def _slack_code(error: SlackApiError) -> str:
    """Give Slack's short code for an error, or nothing when the answer has none."""
    data = getattr(error.response, "data", None)
    code = data.get("error") if isinstance(data, Mapping) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def _unavailable(message: str) -> ApplicationError:
    return ApplicationError(message, type=ErrorType.SLACK_UNAVAILABLE)


def _status(error: SlackApiError) -> int:
    """Read the HTTP status; an answer that is no JSON comes as aiohttp's own response."""
    response = error.response
    return int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)


def _retry_after(error: SlackApiError) -> float:
    headers = getattr(error.response, "headers", None) or {}
    try:
        wanted = float(headers.get("Retry-After", _DEFAULT_DELAY))
    except ValueError:
        return _DEFAULT_DELAY
    return min(max(wanted, 1.0), _LONGEST_DELAY)
