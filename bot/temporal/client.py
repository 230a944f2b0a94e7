"""How is Temporal reached?

By Temporal's own standard: the variables ``TEMPORAL_ADDRESS``, ``TEMPORAL_NAMESPACE``,
``TEMPORAL_API_KEY``, ``TEMPORAL_TLS…``, or a profile in Temporal's configuration file.
"""

from __future__ import annotations

import asyncio
import logging

from temporalio.client import Client
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import RetryConfig

from bot.temporal.errors import StartUpError

DEFAULT_ADDRESS = "localhost:7233"
#: People wait for the answer, so a call gives up early; they are told, and can repeat it.
_QUICK = RetryConfig(initial_interval_millis=100, max_elapsed_time_millis=1200, max_retries=4)
_log = logging.getLogger(__name__)


def connection() -> ClientConnectConfig:
    """Read where Temporal is.

    Raises:
        StartUpError: the configuration is unusable.
    """
    try:
        config = ClientConfig.load_client_connect_config()
    except Exception as error:
        message = f"the configuration of the connection to Temporal is unusable: {error}"
        raise StartUpError(message) from error
    config.setdefault("target_host", DEFAULT_ADDRESS)
    return config


async def connect_lazily() -> Client:
    """Give a client that connects at its first call: a bot can say that Temporal is down."""
    config = connection()
    try:
        return await Client.connect(**config, lazy=True, retry_config=_QUICK)
    except (ValueError, RuntimeError) as error:
        message = f"{config['target_host']} is no usable address of Temporal: {error}"
        raise StartUpError(message) from error


async def connect_patiently(stop: asyncio.Event, *, first_wait: float = 1.0) -> Client | None:
    """Connect as soon as Temporal is there; ``None`` when ``stop`` was set before."""
    config = connection()
    wait = first_wait
    while not stop.is_set():
        try:
            return await Client.connect(**config)
        except ValueError as error:
            message = f"{config['target_host']} is no usable address of Temporal: {error}"
            raise StartUpError(message) from error
        except RuntimeError as error:
            _log.warning(
                "waiting for Temporal", extra={"address": config["target_host"], "why": str(error)}
            )
        try:
            await asyncio.wait_for(stop.wait(), wait)
        except TimeoutError:
            wait = min(2 * wait, 15.0)
    return None
