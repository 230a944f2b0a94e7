"""Who can still decide about a request, and how many of them does it take?

Whoever has approved is not asked again, nor is whoever asked for it. They are mentioned, so that
Slack tells them.
"""

from __future__ import annotations

from activities.slack.mrkdwn import group, join_limited, person, typed_at
from workflows.model.state import RequestState

_MOST_PEOPLE = 20


def needed(state: RequestState) -> int:
    """Say how many approvals it takes in all."""
    return state.policy.required_approvals if state.policy else 1


def missing(state: RequestState) -> int:
    """Say how many are still missing."""
    return max(needed(state) - len(state.approvals), 1)


def who_can_still_decide(state: RequestState, most: int = _MOST_PEOPLE) -> str:
    """Name them: ``@bob or @carol``, ``2 of @bob, @carol, @dave``; ``""`` where nobody is known."""
    policy = state.policy
    if policy is None:
        return ""
    done = {state.requester, *(decision.approver_id for decision in state.approvals)}
    people = [person(user_id) for user_id in policy.approvers if user_id not in done]
    groups = [group(group_id) for group_id in policy.approver_groups]
    names = [*groups, *people]
    if not names:
        return ""
    still = missing(state)
    if still > 1 or len(names) > most:
        told = f"{still} of {join_limited(names, most)}"
    else:
        *others, last = names
        told = f"{', '.join(others)} or {last}" if others else last
    return f"{told} (not who asked)" if groups else told


def approvers(state: RequestState) -> str:
    """Name who has approved."""
    given = [person(d.approver_id) + typed_at(d.terminal) for d in state.approvals]
    return join_limited(given, _MOST_PEOPLE)


def approved_by(state: RequestState) -> str:
    """Say who approved, and whether that was enough; nothing when nobody did."""
    if not state.approvals:
        return ""
    if len(state.approvals) < needed(state):
        return f"{len(state.approvals)} of {needed(state)} approvals: {approvers(state)}"
    return f"approved by {approvers(state)}"
