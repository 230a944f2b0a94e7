"""Who decides or instructs, and did a process of ours send it?

Asked of an activity, for the workflow has no key. The look-up is made within this process first,
without a round trip to Temporal. While that runs the workflow sees no signal at all, so it is
tried once and not for long, and what was slow or failed is asked in the ordinary way. A look-up
that took so long that somebody may have withdrawn or rejected meanwhile is followed by a moment in
which the workflow hears of that.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import activity_options, failures
from workflows.local_first import local_first
from workflows.model.errors import RefusalCode
from workflows.model.plan import Ballot, Permit, Vote, permit_for
from workflows.model.ports import DirectoryPort, LookUpInput
from workflows.model.releases import judges_itself
from workflows.model.requests import Decision, Instruction, Person
from workflows.model.state import Refusal, RequestState

_AT_ONCE = timedelta(milliseconds=500)
#: Nobody withdraws within that time what is being looked up.
_UNHEARD_MS = 50
_MOMENT = timedelta(milliseconds=1)


async def who_decides(state: RequestState, decision: Decision) -> Person | None:
    """Look up who decides, and have the decision verified; ``None``: nobody can say."""
    groups = state.policy.approver_groups if state.policy else ()
    arg = LookUpInput(
        user_id=decision.approver_id,
        groups=groups,
        ballot=_ballot(state, decision) if judges_itself() else None,
    )
    return await _look_up(arg, "who decides")


async def refusal_of_sender(instruction: Instruction) -> Refusal | None:
    """Refuse an instruction that no process of ours has sent; Slack is not asked."""
    if not judges_itself():
        return None
    person = await _look_up(
        LookUpInput(user_id=instruction.user_id, instruction=instruction), "who sent it"
    )
    if person is None:
        return Refusal(code=RefusalCode.NOT_VERIFIED)
    return None if person.refused is None else Refusal(code=person.refused)


def permit_of(state: RequestState, person: Person) -> Permit | None:
    """Give the permit that came with the deciding vote; ``None`` where nobody has a key."""
    plan = state.plan
    if plan is None or not person.permit:
        return None
    return replace(permit_for(plan), seal=person.permit)


def _ballot(state: RequestState, decision: Decision) -> Ballot | None:
    plan = state.plan
    if plan is None or state.policy is None:
        return None
    return Ballot(
        plan=plan,
        policy=state.policy,
        plan_seal=state.plan_seal,
        decision=decision,
        votes=tuple(
            Vote(approver_id=one.approver_id, seal=one.vote) for one in state.approvals if one.vote
        ),
    )


async def _look_up(arg: LookUpInput, summary: str) -> Person | None:
    try:
        person = await local_first(
            DirectoryPort.look_up_person,
            arg,
            activity_options.look_up(summary),
            within=_AT_ONCE,
        )
    except ActivityError as error:
        if failures.is_cancellation(error):
            raise
        return None
    # As the activity says: the workflow's own clock is another one when its history is replayed.
    if person.took_ms > _UNHEARD_MS:
        await workflow.sleep(_MOMENT, summary="hear what came meanwhile")
    return person
