"""What exactly do people decide about, and what proves that they did?

The plan is all that an approver agrees to; its hash stands in each button and each decision, so
that nobody's yes counts for something else. A ballot holds what is needed to judge one decision
without believing the one who asks: the activity that looks the decider up verifies it, and gives
a permit with the vote that decides. A docker worker changes nothing without one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from workflows.model.requests import (
    ContainerPin,
    ContainerRef,
    Decision,
    LifecycleRequest,
    OperationSpec,
    Policy,
)
from workflows.model.seal import digest

#: What each seal is of: one made for one purpose serves no other.
START_SEAL = "start"
DECISION_SEAL = "decision"
INSTRUCTION_SEAL = "instruction"
POLICY_SEAL = "policy"
LOOK_SEAL = "look"
PLAN_SEAL = "plan"
VOTE_SEAL = "vote"
PERMIT_SEAL = "permit"

_NO_OPERATION = OperationSpec(kind="")
_PLAN = "plan"
_POLICY = "policy"
_PIN = "pin"
#: So many digits of a plan hash people read on a card.
SHOWN_DIGITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done to which container, by which policy; for one request alone.

    ``policy_digest`` is :func:`policy_digest` of the policy. ``asked_at`` tells two requests of
    one id apart, should somebody start one anew.
    """

    request_id: str
    asked_at: datetime
    team_id: str
    requester: str
    operation: OperationSpec
    container: ContainerRef
    pin: ContainerPin
    reference: str
    grace_seconds: int
    policy_digest: str

    @property
    def hash(self) -> str:
        """The SHA-256 that binds decisions to this plan."""
        return digest(_PLAN, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """An approval that counted; ``seal`` is of request id, plan hash and approver."""

    approver_id: str
    seal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """A decision, and what it is about; ``votes`` are the approvals that counted before it.

    ``plan_seal`` says that a control worker found the plan to be right: for a sealed start, on what
    the host's own worker saw, and by the policy of its own book.
    """

    plan: Plan
    policy: Policy
    plan_seal: str
    decision: Decision
    votes: tuple[Vote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """That people approved this plan for this container of this host; ``seal`` proves it.

    What is done under it must be of ``operation``, on the very pin of which ``pin_digest`` is, and
    with this grace and this name of a snapshot.
    """

    request_id: str
    host: str
    plan_hash: str
    container_id: str
    operation: OperationSpec = _NO_OPERATION
    pin_digest: str = ""
    reference: str = ""
    grace_seconds: int = 0
    seal: str = ""


def policy_digest(policy: Policy) -> str:
    """Identify a policy's exact content."""
    return digest(_POLICY, policy)


def start_parts(request: LifecycleRequest) -> tuple[object, ...]:
    """Give what the seal of a start is of: what is wanted, and none of the rules about it."""
    return (replace(request, policies=()),)


def vote_parts(request_id: str, plan_hash: str, approver_id: str) -> tuple[object, ...]:
    """Give what the seal of an approval that counts is of."""
    return (request_id, plan_hash, approver_id)


def permit_parts(permit: Permit) -> tuple[object, ...]:
    """Give what a permit's seal is of."""
    return (permit,)


def permit_for(plan: Plan) -> Permit:
    """Say what an approval of this plan permits; not sealed yet."""
    return Permit(
        request_id=plan.request_id,
        host=plan.container.host,
        plan_hash=plan.hash,
        container_id=plan.pin.container_id,
        operation=plan.operation,
        pin_digest=pin_digest(plan.pin),
        reference=plan.reference,
        grace_seconds=plan.grace_seconds,
    )


def pin_digest(pin: ContainerPin) -> str:
    """Identify a container exactly as it was seen."""
    return digest(_PIN, pin)


def look_parts(
    request_id: str,
    container: ContainerRef,
    pin: ContainerPin,
    selectors: Sequence[Mapping[str, str]],
    met: Sequence[bool],
) -> tuple[object, ...]:
    """Give what a docker worker seals of a look: what it saw by this name, for this request."""
    return (request_id, container, pin, tuple(selectors), tuple(met))


def policy_parts(
    request_id: str, container: ContainerRef, policy: Policy
) -> tuple[str, str, str, Policy]:
    """Give what a seal of the kind ``POLICY_SEAL`` is of: this policy covers this request."""
    return request_id, container.host, container.name, policy
