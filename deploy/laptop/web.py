"""How does the laptop speak HTTP with its own parts?"""

from __future__ import annotations

from typing import Any

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=15)


async def answers(url: str) -> bool:
    """Tell whether a GET is answered with 200."""
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(url) as response:
            return response.status == 200  # noqa: PLR2004 - OK
    except (aiohttp.ClientError, TimeoutError):
        return False


async def get_json(url: str) -> Any:  # noqa: ANN401 - JSON
    """Get a JSON document.

    Raises:
        aiohttp.ClientError: nobody answers, or with an error.
    """
    async with (
        aiohttp.ClientSession(timeout=_TIMEOUT, raise_for_status=True) as session,
        session.get(url) as response,
    ):
        return await response.json()


async def post_json(url: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Post a JSON document and give the answer.

    Raises:
        aiohttp.ClientError: nobody answers, or with an error.
    """
    async with (
        aiohttp.ClientSession(timeout=_TIMEOUT, raise_for_status=True) as session,
        session.post(url, json=body) as response,
    ):
        return await response.json()
