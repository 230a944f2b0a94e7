"""Which of the policies that a start input brings along are about what it asks for?

Anyone who reaches Temporal can start a request by hand, with policies that the bot would never
have sent along. The workflow itself judges by none that is not about this operation.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.rigs.workers import Workers
from workflows.model.errors import RefusalCode
from workflows.model.requests import ContainerState, LifecycleRequest, OperationSpec, Policy
from workflows.model.state import RequestStatus
from workflows.operations import catalog
from workflows.operations.operation import Operation

_DOWN, _UP = ContainerState.EXITED, ContainerState.RUNNING


def _request(workers: Workers, kind: str, *policies: tuple[str, ...]) -> LifecycleRequest:
    """Ask for an operation by hand; each policy is about these operations, and called so."""
    operation = catalog.find(kind)
    assert operation is not None
    request = workers.request(operation=OperationSpec(kind=kind, snapshot=kind == "snapshot"))
    return replace(
        request,
        policies=tuple(
            Policy(
                name=" ".join(operations) or "old",
                operations=operations,
                labels={},
                approvers=("UBOB",),
            )
            for operations in policies
        ),
    )


@pytest.mark.parametrize(
    ("kind", "policies", "found"),
    [
        # a policy of an earlier release, that means stop and snapshot
        ("start", [()], _DOWN),
        ("restart", [()], _UP),
        ("restart", [()], _DOWN),
        # one about something else
        ("start", [("restart",)], _DOWN),
        ("stop", [("start", "restart")], _UP),
        ("snapshot", [("stop",)], _UP),
        # to restart what is stopped is to start it, and the other way round it is not
        ("restart", [("restart",)], _DOWN),
        ("restart", [("start",)], _UP),
    ],
)
async def test_a_policy_about_something_else_allows_nothing(
    workers: Workers, kind: str, policies: list[tuple[str, ...]], found: ContainerState
) -> None:
    """However the request came to be: nobody is asked, and nothing is touched."""
    workers.docker.state = found

    state = await (await workers.start(_request(workers, kind, *policies))).result()

    assert state.status is RequestStatus.REJECTED
    assert state.refusal is not None
    assert state.refusal.code is RefusalCode.NO_POLICY
    assert [notice.user_id for notice in workers.slack.notices] == ["UALICE"]
    assert workers.slack.drawn == []
    assert workers.docker.calls == ["inspect_container"]


@pytest.mark.parametrize(
    ("kind", "policies", "found", "chosen"),
    [
        ("stop", [(), ("*",)], _UP, "old"),
        ("start", [(), ("start",), ("*",)], _DOWN, "start"),
        ("start", [(), ("*",)], _DOWN, "*"),
        ("restart", [("start",), ("restart",)], _UP, "restart"),
        ("restart", [("restart",), ("start",)], _DOWN, "start"),
        ("restart", [("stop",), ("*",)], _DOWN, "*"),
    ],
)
async def test_the_first_policy_about_it_decides(
    workers: Workers,
    kind: str,
    policies: list[tuple[str, ...]],
    found: ContainerState,
    chosen: str,
) -> None:
    """In the book's order, and by the kind as which it is asked for."""
    workers.docker.state = found

    request = await workers.start(_request(workers, kind, *policies))
    state = await request.until(RequestStatus.WAITING)

    assert state.policy is not None
    assert state.policy.name == chosen


@pytest.mark.parametrize("operation", catalog.OPERATIONS, ids=lambda one: one.kind)
async def test_a_policy_of_an_earlier_release_goes_on_meaning_what_it_meant(
    workers: Workers, operation: Operation
) -> None:
    """No upgrade lets people do what its policies were not written for."""
    workers.docker.state = _UP if operation.kind != "start" else _DOWN

    request = await workers.start(_request(workers, operation.kind, ()))

    if operation.must_be_named:
        assert (await request.result()).status is RequestStatus.REJECTED
    else:
        await request.until(RequestStatus.WAITING)
