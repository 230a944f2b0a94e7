"""How is Temporal reached, and what becomes of a call that fails or takes too long?

It is reached by Temporal's own standard: the variables ``TEMPORAL_ADDRESS``,
``TEMPORAL_NAMESPACE``, ``TEMPORAL_API_KEY``, ``TEMPORAL_TLS…``, or a profile in Temporal's
configuration file. Each call for a person goes through :func:`bounded`.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RetryConfig, RPCError, RPCStatusCode

from bot.settings import ConfigurationError
from bot.temporal.conversion import DATA_CONVERTER
from bot.temporal.errors import (
    RequestStuckError,
    TemporalCall,
    TemporalMisconfiguredError,
    TemporalUnavailableError,
)
from workflows.model import names
from workflows.model.state import RequestState

_log = logging.getLogger(__name__)

T = TypeVar("T")
DEFAULT_ADDRESS = "localhost:7233"
#: What a call may take while Slack waits for the answer.
BUDGET = timedelta(seconds=2)
#: What a question may take whose answer is only nice to have.
SHORT = timedelta(milliseconds=700)
#: People wait for the answer, so a call gives up early; they are told, and can repeat it.
_QUICK = RetryConfig(initial_interval_millis=100, max_elapsed_time_millis=1200, max_retries=4)
_REFUSED = frozenset(
    {
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.UNAUTHENTICATED,
        RPCStatusCode.UNIMPLEMENTED,
        RPCStatusCode.FAILED_PRECONDITION,
    }
)
#: How the server refuses a question to a workflow at which the workers fail, again and again.
_FAILED_TASK = "Workflow Task in failed state"
_IN_TIME_UNKNOWN = frozenset({RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED})


def connection() -> ClientConnectConfig:
    """Read where Temporal is.

    Raises:
        ConfigurationError: the configuration is unusable.
    """
    try:
        config = ClientConfig.load_client_connect_config()
    except Exception as error:
        message = f"the connection to Temporal: {_unusable(error)}"
        raise ConfigurationError(message) from error
    config.setdefault("target_host", DEFAULT_ADDRESS)
    return config


def _unusable(error: Exception) -> str:
    """Say what is wrong in our own words: a library's may show a line of a file with a secret."""
    if isinstance(error, OSError):
        return f"{error.filename} cannot be read ({type(error).__name__})"
    if line := re.search(r"TOML parse error at line (\d+)", str(error)):
        return f"its configuration file (TEMPORAL_CONFIG_FILE) is not TOML, see line {line[1]}"
    if re.fullmatch(r"Profile '.*' not found", str(error)):
        return "TEMPORAL_PROFILE names no profile of the configuration file"
    if both := re.search(r"both (TEMPORAL_[A-Z_]+) and (TEMPORAL_[A-Z_]+)", str(error)):
        return f"{both[1]} and {both[2]} are both set; keep one"
    return (
        "a TEMPORAL_… variable, or the configuration file, holds what it does not take; "
        "deploy/env.example names the variables"
    )


def log_in_our_way() -> None:
    """Have the SDK's core write into our log, in our form, and not its own beside it.

    That each of its calls is repeated while Temporal is away it says for each poller and each
    minute, with the raw error; the worker says it once.
    """
    away = "WARN" if _log.isEnabledFor(logging.DEBUG) else "ERROR"
    levels = TelemetryFilter(core_level="WARN", other_level="ERROR").formatted()
    forwarding = LogForwardingConfig(
        logger=logging.getLogger("temporalio.core"),
        append_target_to_name=False,
        prepend_target_on_message=False,
    )
    logs = LoggingConfig(filter=f"{levels},temporalio_client::retry={away}", forwarding=forwarding)
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=logs)))


async def connect_lazily() -> Client:
    """Give a client that connects at its first call: a bot can say that Temporal is down."""
    config = connection()
    try:
        return await Client.connect(
            **config, lazy=True, retry_config=_QUICK, data_converter=DATA_CONVERTER
        )
    except (ValueError, RuntimeError) as error:
        message = f"{config['target_host']} is no usable address of Temporal: {error}"
        raise ConfigurationError(message) from error


async def connect_patiently(stop: asyncio.Event, *, first_wait: float = 1.0) -> Client | None:
    """Connect as soon as Temporal is there; ``None`` when ``stop`` was set before."""
    config = connection()
    wait = first_wait
    while not stop.is_set():
        try:
            return await Client.connect(**config, data_converter=DATA_CONVERTER)
        except ValueError as error:
            message = f"{config['target_host']} is no usable address of Temporal: {error}"
            raise ConfigurationError(message) from error
        except RuntimeError as error:
            address = config["target_host"]
            _log.warning("waiting for Temporal; next try in %g s", wait, extra={"address": address})
            _log.debug("Temporal cannot be reached", extra={"why": str(error)})
        try:
            await asyncio.wait_for(stop.wait(), wait)
        except TimeoutError:
            wait = min(2 * wait, 15.0)
    return None


async def bounded(call: TemporalCall, answer: Awaitable[T], within: timedelta) -> T:
    """Await the answer to a call for so long; ``NOT_FOUND`` is left to the caller.

    Raises:
        TemporalUnavailableError: there was no answer, or none in time.
        TemporalMisconfiguredError: Temporal refuses such calls for good.
    """
    try:
        async with asyncio.timeout(within.total_seconds()):
            return await answer
    except TimeoutError as error:
        raise TemporalUnavailableError(call, maybe_done=True) from error
    except RPCError as error:
        if is_missing(error):
            raise
        if error.status in _REFUSED or error.status is RPCStatusCode.NOT_FOUND:
            raise TemporalMisconfiguredError(error.message) from error
        maybe_done = error.status in _IN_TIME_UNKNOWN
        raise TemporalUnavailableError(call, maybe_done=maybe_done) from error
    except RuntimeError as error:
        # The SDK's way to say that the first connection failed.
        raise TemporalUnavailableError(call, maybe_done=False) from error


def is_missing(error: RPCError) -> bool:
    """Tell a workflow that is over or never was from a namespace that is missing."""
    return error.status is RPCStatusCode.NOT_FOUND and "namespace" not in error.message.lower()


async def state_of(
    handle: WorkflowHandle[object, object], within: timedelta
) -> RequestState | None:
    """Ask a workflow where it stands; ``None`` when nobody can answer now.

    Raises:
        RequestStuckError: the workers fail at this workflow.
        TemporalMisconfiguredError: Temporal refuses such calls for good.
    """
    try:
        return await bounded(
            TemporalCall.READ,
            handle.query(names.STATE_QUERY, result_type=RequestState, rpc_timeout=within),
            within,
        )
    except TemporalMisconfiguredError as error:
        cause = error.__cause__
        if not isinstance(cause, RPCError) or cause.status is not RPCStatusCode.FAILED_PRECONDITION:
            raise
        # The server says by the same status that no worker has asked for work for a while.
        if _FAILED_TASK not in error.detail:
            return None
        raise RequestStuckError(handle.id) from error
    except (
        TemporalUnavailableError,
        WorkflowQueryFailedError,
        WorkflowQueryRejectedError,
        RPCError,
    ):
        return None
