"""How does the bot call Slack, and does a failure mean that Slack refuses us?

Unlike the workers the bot repeats nothing by itself: people, or the next look, do.
"""

from __future__ import annotations

from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from workflows.model.markup import sent_in_plain_words

#: Slack's own troubles, told as if it refused.
_PASSING = frozenset(
    {
        *("ratelimited", "rate_limited", "fatal_error", "internal_error"),
        *("request_timeout", "service_unavailable", "team_added_to_org"),
    }
)


class PlainClient(AsyncWebClient):
    """A client for a Slack that draws no dates and no groups."""

    async def api_call(self, api_method: str, **how: Any) -> AsyncSlackResponse:  # noqa: ANN401 - Slack's own arguments
        """Call a method, with all of that in plain words."""
        if "json" in how:
            how["json"] = sent_in_plain_words(how["json"])
        return await super().api_call(api_method, **how)


def slack_client(
    token: str, api_url: str, session: aiohttp.ClientSession, *, plain_markup: bool = False
) -> AsyncWebClient:
    """Make a client that never repeats a call by itself: what was lost may have arrived."""
    kind = PlainClient if plain_markup else AsyncWebClient
    return kind(token=token, base_url=api_url, session=session, timeout=10, retry_handlers=[])


def refusal(error: SlackApiError) -> str:
    """Give Slack's short code for refusing us, or nothing when it has troubles of its own."""
    # An answer that is no JSON comes as aiohttp's own response.
    data = getattr(error.response, "data", error.response)
    code = data.get("error") if isinstance(data, dict) else None
    return code if isinstance(code, str) and code not in _PASSING else ""
