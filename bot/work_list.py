"""Which requests are there, where does each stand, and which of them wait for the one who asks?

For whatever door. The order is that of a work list: where a container may be down, what is worked
on, what waits for the one who asks, what waits for others. What has not been answered in time is
not said: such a request is shown as Temporal's list knows it, and waits for nobody in particular.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.commands.parser import Selection
from bot.service import Actor, Service
from bot.temporal.errors import RequestSummary
from workflows.model.plan import policy_digest
from workflows.model.state import RequestState, RequestStatus

#: So many open requests are asked where they stand, and put in order.
_SORTED = 60
#: About so many policies it is asked whether somebody decides by them, for so many seconds.
_MOST_POLICIES = 4
_POLICIES_WITHIN = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One request; ``is_yours`` says for sure that it waits for the one who asks."""

    summary: RequestSummary
    state: RequestState | None = None
    is_yours: bool = False

    @property
    def waits(self) -> bool:
        """Whether it waits for a decision."""
        status = self.state.status if self.state is not None else self.summary.status
        return status == RequestStatus.WAITING and self.summary.open

    @property
    def is_refused(self) -> bool:
        """Whether it is known that the rules, and no person, said no to it."""
        return (
            self.state is not None
            and self.state.refusal is not None
            and self.state.rejection is None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPage:
    """One page of a list: ``yours`` counts those on all pages that wait for the one who asks."""

    items: tuple[Item, ...]
    total: int
    number: int = 1
    left: int = 0
    yours: int = 0


async def page_of(
    service: Service, actor: Actor, selection: Selection | None, *, number: int, size: int
) -> WorkPage:
    """Give one page, the first of which has the number 1."""
    is_open = selection in (None, Selection.WAITING)
    end = number * size
    most = max(end, _SORTED) if is_open else end
    listed = await service.list(selection, user_id=actor.user_id, most=most)
    items, yours = [Item(summary=row) for row in listed.rows], 0
    if is_open:
        items = await _in_order(service, actor, items)
        yours = sum(item.is_yours for item in items)
    shown = items[end - size : end]
    unknown = [item.summary for item in shown if item.state is None]
    states = await service.states(unknown[:_SORTED]) if not is_open or end > _SORTED else {}
    return WorkPage(
        items=tuple(_with_state(item, states) for item in shown),
        total=listed.total,
        number=number,
        left=max(0, listed.total - end),
        yours=yours,
    )


async def _in_order(service: Service, actor: Actor, items: Sequence[Item]) -> list[Item]:
    """Put what waits in order: first for the one who asks, then by the time that is left."""
    first = items[:_SORTED]
    states = await service.states([item.summary for item in first])
    known = [_with_state(item, states) for item in first]
    # What has ended since the list was made is no work any more.
    known = [item for item in known if item.state is None or not item.state.closed]
    mine = await _that_wait_for(service, actor, [item.state for item in known if item.waits])
    told = [
        Item(
            summary=item.summary,
            state=item.state,
            is_yours=item.waits and item.summary.request_id in mine,
        )
        for item in known
    ]
    begun = [item for item in told if not item.waits]
    return [*begun, *sorted((i for i in told if i.waits), key=_urgency), *items[_SORTED:]]


def _urgency(item: Item) -> tuple[bool, float]:
    ends = item.state.expires_at if item.state is not None else None
    return not item.is_yours, ends.timestamp() if ends is not None else float("inf")


async def _that_wait_for(
    service: Service, actor: Actor, states: Sequence[RequestState | None]
) -> set[str]:
    """Say which requests somebody could decide about now; who is not known to is left out.

    Who could decide is asked once for each policy, not for each request. At a terminal the person
    is only a claim, so nothing is asked.
    """
    if actor.terminal is not None:
        return set()
    possible = [state for state in states if state is not None and _may_concern(state, actor)]
    asked: dict[str, RequestState] = {}
    for state in possible:
        asked.setdefault(_policy_of(state), state)
    answers = await _answers(service, actor, dict(list(asked.items())[:_MOST_POLICIES]))
    return {state.request_id for state in possible if _policy_of(state) in answers}


async def _answers(service: Service, actor: Actor, asked: Mapping[str, RequestState]) -> set[str]:
    tasks = {
        asyncio.create_task(service.could_decide(actor, state)): policy
        for policy, state in asked.items()
    }
    if not tasks:
        return set()
    done, late = await asyncio.wait(tasks, timeout=_POLICIES_WITHIN)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return {tasks[task] for task in done if task.exception() is None and task.result()}


def _may_concern(state: RequestState, actor: Actor) -> bool:
    """Rule out what needs no look-up: one's own, and what one has approved already."""
    return (
        state.policy is not None
        and state.team_id == actor.team_id
        and state.requester != actor.user_id
        and not state.cancel_requested_by
        and all(one.approver_id != actor.user_id for one in state.approvals)
    )


def _policy_of(state: RequestState) -> str:
    return policy_digest(state.policy) if state.policy is not None else ""


def _with_state(item: Item, states: Mapping[str, RequestState]) -> Item:
    state = states.get(item.summary.request_id)
    return item if state is None else Item(summary=item.summary, state=state)
