"""Is a start input a request that can be worked on?

Anyone who reaches Temporal can start a workflow, so nothing is taken for granted. A bad input
must fail the workflow: left to the SDK, it would be retried as a bug and hang for ever.
"""

from __future__ import annotations

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from workflows.model.continued import ContinuedRequest
from workflows.model.errors import ErrorType
from workflows.model.image_reference import complete_reference, reference_problem
from workflows.model.names import CONTAINER_NAME, HOST_NAME, REQUEST_ID_FORM, request_workflow_id
from workflows.model.requests import (
    MAX_EXPIRY_SECONDS,
    MAX_POLICIES,
    MAX_TEXT_LENGTH,
    LifecycleRequest,
    Policy,
)
from workflows.model.timing import MAX_GRACE_SECONDS, MIN_GRACE_SECONDS
from workflows.operations import catalog


def validate_request(raw: RawValue | None) -> ContinuedRequest:
    """Read a start input; ``None`` stands for none, or for more than one.

    Raises:
        ApplicationError: it is no request, or one with an impossible field; the message names it.
    """
    if raw is None:
        raise _bad_input("the start input is not a request: one input is needed")
    try:
        request: ContinuedRequest = workflow.payload_converter().from_payload(
            raw.payload, ContinuedRequest
        )
        problems = problems_of(request)
    except Exception as error:
        message = "the start input is not a request: a field is missing or of another type"
        raise _bad_input(message) from error
    if problems:
        raise _bad_input("the request cannot be worked on: " + "; ".join(problems))
    return request


def problems_of(request: LifecycleRequest) -> list[str]:
    """Say what keeps a start input from being worked on."""
    operation, container = request.operation, request.container
    grace, known = operation.grace_seconds, catalog.find(operation.kind)
    rules = {
        "request_id takes 12 hexadecimal digits": REQUEST_ID_FORM.fullmatch(request.request_id),
        "container.host is no host name": HOST_NAME.fullmatch(container.host),
        "container.name is no container name": CONTAINER_NAME.fullmatch(container.name),
        "the workflow id does not name this container": (
            workflow.info().workflow_id == request_workflow_id(container.host, container.name)
        ),
        "requester, team_id and channel_id are needed": (
            request.requester and request.team_id and request.channel_id
        ),
        f"grace_seconds takes {MIN_GRACE_SECONDS} to {MAX_GRACE_SECONDS}": (
            grace is None or MIN_GRACE_SECONDS <= grace <= MAX_GRACE_SECONDS
        ),
        "operation.kind is none that this release knows": known is not None,
        f"an operation of the kind {operation.kind} makes a snapshot": (
            operation.snapshot or known is None or not known.always_snapshots
        ),
        "snapshot_ref is no image reference": not operation.snapshot_ref
        or not reference_problem(
            complete_reference(operation.snapshot_ref, container.name, request.request_id)
        ),
        f"reason takes up to {MAX_TEXT_LENGTH} characters": (
            len(request.reason) <= MAX_TEXT_LENGTH
        ),
        "terminal takes the name of a host and of a user": (
            request.terminal is None or request.terminal.is_named
        ),
        f"policies takes up to {MAX_POLICIES}": len(request.policies) <= MAX_POLICIES,
        "a policy has no approver, or an impossible number": all(
            _is_usable(policy) for policy in request.policies
        ),
    }
    return [rule for rule, holds in rules.items() if not holds]


def _is_usable(policy: Policy) -> bool:
    return bool(
        (policy.approvers or policy.approver_groups)
        and policy.required_approvals >= 1
        and 1 <= policy.expires_after_seconds <= MAX_EXPIRY_SECONDS
    )


def _bad_input(message: str) -> ApplicationError:
    return ApplicationError(message, type=ErrorType.BAD_INPUT, non_retryable=True)
