"""Which hosts does the bot know, and who serves them, as a real Temporal tells it?"""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from temporalio.client import Client

from activities.temporal.hosts import Hosts as Announcer
from bot.temporal.errors import LookUnansweredError
from bot.temporal.hosts import Hosts
from bot.temporal.requests import RequestClient
from bot.temporal.seals import warn_of_misfits
from tests.rigs.waiting import eventually
from tests.rigs.workers import Workers
from workflows.model.hosts import Announcement
from workflows.model.names import ENGINE_WORKFLOW, engine_workflow_id
from workflows.model.seal import SealKeys


async def _announce(client: Client, host: str) -> str:
    """Announce an engine of this host, and wait until lists name it."""
    engine = f"E-{uuid.uuid4().hex}"
    told = Announcement(host=host, engine_id=engine, engine_version="24.0", version="1.2.3")
    await Announcer(client).claim(told)

    async def is_listed() -> bool:
        standings = await Hosts(client).standings(default="local")
        return any(one.host == host for one in standings)

    await eventually(is_listed)
    return engine


async def test_hosts_are_told_with_who_serves_them(workers: Workers) -> None:
    """One that is served, one that nobody serves, and the default one although it is unknown."""
    served, silent = workers.docker.name, f"s{uuid.uuid4().hex[:8]}"
    engines = [await _announce(workers.client, host) for host in (served, silent)]

    async def told() -> bool:
        found = await Hosts(workers.client).standings(default="nobody")
        return next(one for one in found if one.host == served).takes_commits

    await eventually(told)
    standings = await Hosts(workers.client).standings(default="nobody")

    by_host = {one.host: one for one in standings}
    assert by_host[served].engines[0].version == "1.2.3"
    assert len(by_host[served].workers) == 1
    assert by_host[served].takes_stops
    assert by_host[served].last_asked is not None
    assert by_host[silent].engines[0].engine_id == engines[1]
    assert (by_host[silent].workers, by_host[silent].last_asked) == ((), None)
    assert by_host["nobody"].is_default
    assert by_host["nobody"].engines == ()
    for engine in engines:
        await workers.client.get_workflow_handle(engine_workflow_id(engine)).terminate()


async def test_what_is_no_record_of_an_engine_is_left_out(workers: Workers) -> None:
    """A workflow that somebody made by hand names no host that could break a list."""
    client = workers.client
    ids = ("engine/by hand", f"engine/{uuid.uuid4().hex}")
    for workflow_id in ids:
        await client.start_workflow(
            ENGINE_WORKFLOW,
            id=workflow_id,
            task_queue="nowhere",
            memo={"announcement": {"host": "a\n<!channel>", "engine_id": "x"}},
        )
    await _announce(client, "known")
    standings = await Hosts(client).standings(default="local")
    assert not any("channel" in one.host or one.host == "?" for one in standings)
    for workflow_id in ids:
        await client.get_workflow_handle(workflow_id).terminate()


@pytest.mark.fault
async def test_a_look_that_is_not_answered_names_the_host_like_it(
    requests: RequestClient, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No worker took the question up; a host of nearly that name is known."""
    monkeypatch.setattr("bot.temporal.looks.LOOK", timedelta(seconds=2))
    await _announce(workers.client, "frankfurt")
    with pytest.raises(LookUnansweredError) as unanswered:
        await requests.look("frankfrut")
    assert unanswered.value.near == "frankfurt"


async def test_who_has_no_seal_key_is_named_when_a_bot_starts(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    """By the part that it is of, and once however many of its processes there are."""
    host = workers.docker.name

    async def said() -> bool:
        caplog.clear()
        await warn_of_misfits(workers.client, SealKeys(("k" * 32,)), default=host)
        return f"the docker worker of {host} has no seal key" in caplog.text

    await eventually(said)
    assert caplog.text.count("the control worker has no seal key") == 1
