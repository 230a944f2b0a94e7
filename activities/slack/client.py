"""How often, and for how long, is a method of Slack called?

Once. The client's own retries repeat a message whose answer was lost, and sleep where a worker
could do something else: repeating is left to Temporal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from slack_sdk.errors import SlackClientError

from activities.slack.slack_errors import CONNECTION_ERRORS, translate

#: Much shorter than the heartbeat time-out of the activities, which beat between calls.
CALL_SECONDS = 7

Answer = dict[str, Any]


async def call(method: Callable[..., Awaitable[Any]], name: str, **arguments: Any) -> Answer:  # noqa: ANN401 - Slack's own arguments
    """Call one method of Slack's Web API once.

    Raises:
        ApplicationError: it failed; the type says whether a repetition can help.
    """
    try:
        async with asyncio.timeout(CALL_SECONDS):
            return cast("Answer", (await method(**arguments)).data)
    except (SlackClientError, *CONNECTION_ERRORS) as error:
        raise translate(error, name) from None
