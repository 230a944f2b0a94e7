"""Does anything but Docker's own folder know Docker, or is a hypervisor served like it?

The same workflows, activity names and queues; another provider behind them, whose ids, states and
facts are its own. What people see of it is drawn by the product.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest
from slack_sdk.models.blocks import Block
from temporalio.client import Client

from activities.slack.card import card
from activities.slack.mrkdwn import Links
from activities.slack.thread import reply
from bot.slack import listings
from bot.terminal import listings as terminal, objects
from tests.fakes.fake_docker import failure
from tests.fakes.fake_machines import FakeMachines
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.host_query import HostQueryInput, HostQueryResult
from workflows.model import names
from workflows.model.errors import ErrorType
from workflows.model.requests import OperationSpec
from workflows.model.state import RequestStatus

_DOCKERS_WORDS: Final = re.compile(
    r"docker|podman|compose|container engine|restart policy|--rm|journalctl|systemctl", re.I
)
_LINKS: Final = Links(temporal_ui="http://127.0.0.1:8233", namespace="default")


class MachineWorkers(Workers):
    """The worker of a hypervisor in place of a docker worker."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.machines = FakeMachines(self.docker.name)
        self.hypervisor = self.machines.hypervisor

    @property
    def host_activities(self) -> list[object]:
        """What the worker of the hypervisor serves."""
        return self.machines.activities

    def seen(self) -> str:
        """Draw all that Slack was told of the requests: cards, threads and notices."""
        now = datetime.now(UTC)
        drawn = [_text_of(card(s, _LINKS, now)[1]) for s in self.slack.drawn]
        last = self.slack.drawn[-1]
        replies = [reply(last, entry).text for entry in self.slack.thread]
        return "\n".join([*drawn, *replies])


@pytest.fixture(name="machines")
async def _machines(client: Client) -> AsyncIterator[MachineWorkers]:
    async with MachineWorkers(client) as workers:
        yield workers


async def _approved(machines: MachineWorkers, kind: str, *, snapshot: bool) -> RequestUnderTest:
    (policy,) = machines.request().policies
    return await machines.approved(
        operation=OperationSpec(kind=kind, snapshot=snapshot),
        policies=(replace(policy, operations=("*",)),),
    )


def _text_of(blocks: list[Block]) -> str:
    return json.dumps([block.to_dict() for block in blocks], ensure_ascii=False)


def _assert_no_word_of_docker(told: str) -> None:
    found = _DOCKERS_WORDS.search(told)
    assert found is None, told[max(0, found.start() - 200) : found.end() + 200]


async def test_a_machine_is_stopped_with_a_snapshot(machines: MachineWorkers) -> None:
    """Shut down after an approval, its disk kept under its name; the card tells its own facts."""
    under_test = await _approved(machines, "stop", snapshot=True)
    state = await under_test.result()

    assert state.status is RequestStatus.SUCCEEDED
    assert machines.hypervisor.verbs == ["stop", "snapshot"]
    assert machines.hypervisor.machine.state == "SHUTOFF"
    (made,) = machines.hypervisor.made.values()
    assert (made.request_id, made.name) == (state.request_id, state.reference)
    told = machines.seen()
    assert "2 vCPUs · memory `4 GiB`" in told
    assert "without disk `vdb`" in told
    assert machines.hypervisor.machine.machine_id in told
    _assert_no_word_of_docker(told)


async def test_a_machine_is_started_again_after_its_snapshot(machines: MachineWorkers) -> None:
    """What ran is running again, and proven."""
    state = await (await _approved(machines, "snapshot", snapshot=True)).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert machines.hypervisor.verbs == ["stop", "snapshot", "start"]
    assert machines.hypervisor.machine.state == "RUNNING"
    _assert_no_word_of_docker(machines.seen())


async def test_a_machine_is_put_back_when_its_snapshot_fails(machines: MachineWorkers) -> None:
    """It runs again, nothing is left of the snapshot, and the card says so."""
    machines.hypervisor.faults["snapshot"] = [failure(ErrorType.DISK_FULL)]
    state = await (await _approved(machines, "snapshot", snapshot=True)).result()

    assert machines.hypervisor.fired == ["snapshot"]
    assert (state.status, state.cause) == (RequestStatus.PUT_BACK, ErrorType.DISK_FULL)
    assert machines.hypervisor.verbs == ["stop", "snapshot", "start"]
    assert machines.hypervisor.machine.state == "RUNNING"
    assert not machines.hypervisor.made
    _assert_no_word_of_docker(machines.seen())


async def test_a_machine_that_rests_is_started(machines: MachineWorkers) -> None:
    """Its start is a step of its own, approved by whoever may."""
    machines.hypervisor.machine.state = "CRASHED"
    state = await (await _approved(machines, "start", snapshot=False)).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert machines.hypervisor.verbs == ["start"]
    assert machines.hypervisor.machine.state == "RUNNING"
    _assert_no_word_of_docker(machines.seen())


async def test_a_machine_is_restarted(machines: MachineWorkers) -> None:
    """Known steps do for it what they do for a container."""
    state = await (await _approved(machines, "restart", snapshot=False)).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert machines.hypervisor.verbs == ["stop", "start"]
    _assert_no_word_of_docker(machines.seen())


@pytest.mark.parametrize("error", [ErrorType.ENGINE_UNAVAILABLE, ErrorType.NOT_RUNNING])
async def test_people_are_called_for_a_machine_in_its_own_words(
    machines: MachineWorkers, error: ErrorType
) -> None:
    """When it cannot be put back, what to run is what its hypervisor understands."""
    machines.hypervisor.faults["snapshot"] = [failure(ErrorType.DISK_FULL)]
    machines.hypervisor.faults["start"] = [failure(error, {"state": "exited"}) for _ in range(3)]
    under_test = await _approved(machines, "snapshot", snapshot=True)
    await under_test.until(RequestStatus.NEEDS_PERSON, within=30)
    state = await under_test.result()

    assert state.status is RequestStatus.PUT_BACK
    assert machines.hypervisor.machine.state == "RUNNING"
    told = machines.seen()
    _assert_no_word_of_docker(told)
    if error is ErrorType.NOT_RUNNING:
        assert f"virsh start {machines.hypervisor.machine.machine_id}" in told


async def test_machines_are_listed_and_looked_at(machines: MachineWorkers) -> None:
    """A look shows its facts and nothing that it has not."""

    async def look(name: str = "") -> HostQueryResult:
        return await machines.client.execute_workflow(
            names.HOST_QUERY_WORKFLOW,
            HostQueryInput(host=machines.machines.name, name=name),
            id=f"look/{machines.machines.name}/{name}",
            task_queue=names.CONTROL_TASK_QUEUE,
            result_type=HostQueryResult,
        )

    everything, one = await look(), await look("web-1")

    assert everything.containers is not None
    assert one.inspection is not None
    several, single = (
        listings.container_list("vms", everything.containers).text,
        listings.container("vms", one.inspection).text,
    )
    pin = one.inspection.pin
    at_a_terminal = "\n".join(terminal.container("vms", pin))
    for_scripts = json.dumps(objects.container("vms", pin)["container"]["facts"])
    told = f"{several}\n{single}\n{at_a_terminal}\n{for_scripts}"
    assert f"id `{machines.hypervisor.machine.machine_id}`" in told
    assert "console `spice`" in told
    assert "2 vCPUs, memory 4 GiB, console spice" in at_a_terminal
    assert '"label": "memory", "value": "4 GiB", "place": "seen"' in for_scripts
    _assert_no_word_of_docker(told)


def test_an_operation_of_a_long_id_has_a_workflow_id() -> None:
    """Of a cloud's resource the id may be longer than Temporal takes; of two it is never one."""
    ids = [f"/subscriptions/{'s' * 300}/virtualMachines/{n}" for n in (1, 2)]
    locks = {names.operation_workflow_id("h" * 63, one) for one in ids}

    assert len(locks) == 2
    assert all(len(lock) <= 255 for lock in locks)
