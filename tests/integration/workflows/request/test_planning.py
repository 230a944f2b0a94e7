"""What is let in, and what is refused before anybody is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

from activities.temporal.hosts import Hosts
from tests.fakes.fake_docker import failure
from tests.rigs.workers import Workers
from workflows.host_query import HostQueryInput, HostQueryResult
from workflows.model import names
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.hosts import Announcement
from workflows.model.names import engine_workflow_id
from workflows.model.requests import LifecycleRequest, OperationSpec, Policy
from workflows.model.state import Refusal, RequestStatus


def _policies(request: LifecycleRequest, **changes: Any) -> LifecycleRequest:
    return replace(request, policies=(replace(request.policies[0], **changes),))


async def _refused(workers: Workers, request: LifecycleRequest) -> RefusalCode:
    state = await (await workers.start(request)).result()
    assert state.status is RequestStatus.REJECTED
    assert state.refusal is not None
    assert [(n.user_id, n.refusal) for n in workers.slack.notices] == [("UALICE", state.refusal)]
    assert workers.slack.drawn == []
    return state.refusal.code


@pytest.mark.parametrize(
    "code",
    [
        RefusalCode.UNKNOWN_CONTAINER,
        RefusalCode.AMBIGUOUS_CONTAINER,
        RefusalCode.AUTO_REMOVE,
        RefusalCode.PROTECTED,
        RefusalCode.OWN_CONTAINER,
        RefusalCode.SNAPSHOT_QUOTA,
        RefusalCode.DISK_FULL,
        RefusalCode.ORCHESTRATED,
    ],
)
async def test_what_the_host_refuses_is_told_in_private(
    workers: Workers, code: RefusalCode
) -> None:
    """A container that must not be touched never reaches a card."""
    workers.docker.faults["inspect_container"] = [failure(code)]

    assert await _refused(workers, workers.request()) is code


async def test_unreachable_engine_is_said_within_seconds(workers: Workers) -> None:
    """An engine that does not answer is named as such."""
    workers.docker.faults["inspect_container"] = [
        failure(ErrorType.ENGINE_UNAVAILABLE, retry=True) for _ in range(3)
    ]

    assert await _refused(workers, workers.request()) is RefusalCode.ENGINE_UNREACHABLE


async def test_host_that_nobody_serves_is_said_within_seconds(workers: Workers) -> None:
    """A host without a live worker is an unknown host."""
    request = workers.request()
    nowhere = replace(request.container, host="nowhere")

    assert await _refused(workers, replace(request, container=nowhere)) is RefusalCode.UNKNOWN_HOST


async def test_a_host_that_may_have_been_meant_is_named(workers: Workers) -> None:
    """Who mistypes a host is told of the one like it; who names a known one, that it is away."""
    engine = f"E{workers.docker.name}"
    await Hosts(workers.client).claim(Announcement(host="edge-one", engine_id=engine))
    request = workers.request()

    async def refusal(host: str) -> Refusal | None:
        container = replace(request.container, host=host)
        state = await (await workers.start(replace(request, container=container))).result()
        return state.refusal

    mistyped = Refusal(code=RefusalCode.UNKNOWN_HOST, detail="did you mean edge-one?")
    assert await refusal("egde-one") == mistyped
    assert await refusal("edge-one") == Refusal(code=RefusalCode.HOST_AWAY, detail="edge-one")
    await workers.client.get_workflow_handle(engine_workflow_id(engine)).terminate()


async def test_labels_pick_the_policy(workers: Workers) -> None:
    """The first policy whose labels the container carries is the one that counts."""
    workers.docker.labels = {"tier": "web"}
    base = workers.request().policies[0]
    policies = (
        replace(base, name="db", labels={"tier": "db"}),
        replace(base, name="web", labels={"tier": "web"}),
        replace(base, name="rest"),
    )
    under_test = await workers.start(workers.request(policies=policies))

    state = await under_test.until(RequestStatus.WAITING)

    assert state.policy is not None
    assert state.policy.name == "web"
    assert state.policy_hash


async def test_request_without_a_policy_is_refused(workers: Workers) -> None:
    """What no policy covers is not allowed."""
    request = _policies(workers.request(), labels={"tier": "db"})

    assert await _refused(workers, request) is RefusalCode.NO_POLICY


@pytest.mark.parametrize("nothing", ["  ", "\u200b\u2060", "\u2800", "\u3164", "\u115f\u0301"])
async def test_missing_reason_is_refused_where_the_policy_wants_one(
    workers: Workers, nothing: str
) -> None:
    """A policy may want a reason; what shows nothing is none."""
    request = _policies(workers.request(reason=nothing), reason_required=True)

    assert await _refused(workers, request) is RefusalCode.REASON_REQUIRED


@pytest.mark.parametrize(
    ("approvers", "needed"),
    [
        (("UALICE",), 1),  # only the requester
        (("UALICE", "UBOB"), 2),  # not enough without the requester
    ],
)
async def test_request_that_nobody_could_approve_is_refused(
    workers: Workers, approvers: tuple[str, ...], needed: int
) -> None:
    """No card is posted that can only expire."""
    request = _policies(workers.request(), approvers=approvers, required_approvals=needed)

    assert await _refused(workers, request) is RefusalCode.NO_ELIGIBLE_APPROVER


async def test_group_without_other_members_is_refused(workers: Workers) -> None:
    """A group of which only the requester is a member decides nothing."""
    workers.slack.groups["SOPS"] = {"UALICE"}
    request = _policies(workers.request(), approvers=(), approver_groups=("SOPS",))

    assert await _refused(workers, request) is RefusalCode.NO_ELIGIBLE_APPROVER


async def test_taken_reference_is_refused_when_planning(workers: Workers) -> None:
    """An existing tag is never overwritten."""
    spec = OperationSpec(kind="stop", snapshot=True, snapshot_ref="team/web:1")
    workers.docker.taken = {"team/web:1"}

    assert await _refused(workers, workers.request(operation=spec)) is RefusalCode.REFERENCE_TAKEN


async def test_card_that_slack_refuses_ends_the_request(workers: Workers) -> None:
    """Without a card nobody could decide, so the requester is told and nothing waits."""
    workers.slack.publish_faults = [failure(ErrorType.SLACK_REFUSED)]

    assert await _refused(workers, workers.request()) is RefusalCode.CARD_NOT_POSTED


async def test_second_request_for_the_same_container_is_not_started(workers: Workers) -> None:
    """One open request per container."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)

    with pytest.raises(WorkflowAlreadyStartedError):
        await workers.start(workers.request())


async def test_a_book_that_does_not_answer_refuses(workers: Workers) -> None:
    """The request ends in words: it neither waits for ever, nor counts as cancelled."""
    workers.policies.seconds = 6

    state = await (await workers.start(workers.request())).result()

    assert state.refusal is not None
    assert state.refusal.code is RefusalCode.RULES_UNKNOWN
    assert state.status is RequestStatus.REJECTED
    assert workers.docker.calls == []


def _without(request: dict[str, Any], field: str) -> dict[str, Any]:
    return {key: value for key, value in request.items() if key != field}


MALFORMED = [
    # a word; nothing; a list; a missing field; a wrong type; a hostile name; no approver
    lambda _: "stop web-1",
    lambda _: None,
    lambda _: [1, 2],
    lambda r: _without(r, "requester"),
    lambda r: {**r, "operation": "stop"},
    lambda r: {**r, "request_id": "../../x"},
    lambda r: {**r, "container": {**r["container"], "name": "../images/x"}},
    lambda r: {**r, "operation": {"kind": "stop", "grace_seconds": 0}},
    lambda r: {**r, "operation": {"kind": "stop", "snapshot": True, "snapshot_ref": "UPPER:x y"}},
    lambda r: {**r, "operation": {"kind": "explode"}},
    lambda r: {**r, "policies": [{**r["policies"][0], "approvers": []}]},
    lambda r: {**r, "policies": [{**r["policies"][0], "required_approvals": 0}]},
]


@pytest.mark.parametrize("spoil", MALFORMED)
async def test_malformed_start_input_fails_the_workflow(workers: Workers, spoil: Any) -> None:
    """Who starts a workflow with nonsense gets a failed workflow, never one that hangs."""
    converter = workers.client.data_converter.payload_converter
    good = converter.from_payload(converter.to_payload(workers.request()), dict[str, Any])
    handle = await workers.client.start_workflow(
        names.REQUEST_WORKFLOW,
        spoil(good),
        id=names.request_workflow_id(workers.docker.name, "web-1"),
        task_queue=names.CONTROL_TASK_QUEUE,
    )

    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()

    assert isinstance(caught.value.cause, ApplicationError)
    assert caught.value.cause.type == ErrorType.BAD_INPUT
    assert workers.docker.calls == []


async def test_look_answers_without_a_request(workers: Workers) -> None:
    """People look at a host and at a container; a host that nobody serves is named."""

    async def look(host: str, name: str = "") -> HostQueryResult:
        return await workers.client.execute_workflow(
            names.HOST_QUERY_WORKFLOW,
            HostQueryInput(host=host, name=name),
            id=f"look/{host}/{workers.docker.name}",
            task_queue=names.CONTROL_TASK_QUEUE,
            result_type=HostQueryResult,
        )

    everything = await look(workers.docker.name)
    one = await look(workers.docker.name, "web-1")
    unknown = await look(workers.docker.name, "web-9")
    nowhere = await look("nowhere")

    assert everything.containers is not None
    assert [c.name for c in everything.containers.containers] == ["web-1"]
    assert one.inspection is not None
    assert one.inspection.pin.name == "web-1"
    assert unknown.refusal is not None
    assert unknown.refusal.code is RefusalCode.UNKNOWN_CONTAINER
    assert nowhere.refusal is not None
    assert nowhere.refusal.code is RefusalCode.UNKNOWN_HOST


def test_policy_type_has_no_shared_default() -> None:
    """A policy without labels matches every container, so it must be said, not forgotten."""
    with pytest.raises(TypeError):
        Policy(name="x")  # type: ignore[call-arg]  # that is the point
