"""Have the workers the seal key of this process, so that they take what it sends?"""

from __future__ import annotations

import logging

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.client import Client

from bot.temporal.errors import BotError
from bot.temporal.hosts import Hosts
from bot.temporal.presence import pollers, who_is_there
from workflows.model.names import CONTROL_TASK_QUEUE
from workflows.model.seal import SealKeys
from workflows.model.seal_fit import CONTROL_WORKER, MISFIT, docker_worker, misfits

_log = logging.getLogger(__name__)

_NO_KEY = (
    "not set: whoever can write to Temporal's namespace can do with every host what Dockwarden can "
    "(docs/security.md)"
)


async def how_seals_fit(client: Client, keys: SealKeys, *, default: str) -> list[tuple[bool, str]]:
    """Say in lines, each right or wrong, whether the workers have the same key, or none either.

    ``default`` is a host that is looked at even if nobody has announced it.
    """
    try:
        wrong = await _misfits(client, keys, default)
    except BotError as error:
        return [(False, f"cannot be compared: {error}")]
    fits = f"{keys.fingerprint}, and no worker has another one" if keys else _NO_KEY
    return [(False, words) for words in wrong] or [(True, fits)]


async def warn_of_misfits(client: Client, keys: SealKeys, *, default: str) -> None:
    """Say in the log whose keys do not fit; that Temporal is away is said elsewhere."""
    try:
        wrong = await _misfits(client, keys, default)
    except BotError:
        return
    for words in wrong:
        _log.warning(MISFIT, words)


async def _misfits(client: Client, keys: SealKeys, default: str) -> tuple[str, ...]:
    kind = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
    control = who_is_there(await pollers(client, CONTROL_TASK_QUEUE, kind))
    standings = await Hosts(client).standings(default=default)
    docker = {docker_worker(one.host): one.identities for one in standings}
    return misfits(keys.fingerprint, {CONTROL_WORKER: control, **docker})
