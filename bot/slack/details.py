"""What does somebody read who wants to know all of a request, and more than its card has room for?

Pure. What people typed, and the way to Temporal, where it stands too, are for those who may read
it. What a provider tells is printed as it comes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bot.slack.listings import fact
from bot.slack.mrkdwn import (
    Line,
    Reply,
    bullet_list,
    code,
    deciders,
    escape,
    link,
    person,
    reply,
    some,
)
from bot.slack.request_status import ago, kept_back, said
from workflows.model.markup import clock
from workflows.model.requests import ContainerPin, FactPlace
from workflows.model.state import RequestState, StepState, StepStatus
from workflows.model.words import capital, duration
from workflows.operations import catalog
from workflows.operations.standing import known, status_words, step_emoji, step_words, told_steps

#: Slack takes a hundred blocks in a view.
_MOST_BLOCKS = 100
_MOST_NAMED = 20


def view(state: RequestState, *, may_read: bool, now: datetime, temporal: str) -> dict[str, Any]:
    """Draw the view; nothing can be sent from it."""
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Details"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": show(state, may_read=may_read, now=now, temporal=temporal).blocks[:_MOST_BLOCKS],
    }


def show(state: RequestState, *, may_read: bool, now: datetime, temporal: str) -> Reply:
    """Say what is asked for, step by step, of what exactly, who decides, and by which rules."""
    target = f"{code(state.name_now)} on {code(state.container.host)}"
    what = f"{capital(catalog.words_of(state.operation))} {target}"
    asked = f"asked by {person(state.requester)}, {ago(now, state.requested_at)}"
    return reply(
        f"*{what}*\n{status_words(state)} · {asked} · {code(state.request_id)}",
        *(said(state) if may_read else [Line(kept_back(state))]),
        _steps(state),
        _container(state.pin),
        _deciders(state, now),
        _judged_by(state),
        link(temporal, "Open in Temporal") if may_read else "",
    )


def _steps(state: RequestState) -> str:
    rows = [_step(step, state) for step in told_steps(state)]
    return f"*Steps*\n{bullet_list(rows)}" if rows else ""


def _step(step: StepState, state: RequestState) -> str:
    if step.status is StepStatus.TODO:
        return known(step, state).plan.format(
            name=code(state.name_now),
            grace=_grace(state.grace_seconds),
            reference=code(state.reference),
        )
    note = f" · {escape(step.note)}" if step.note else ""
    return f"{step_emoji(step)} {step_words(step, state)}{note}"


def _grace(seconds: int) -> str:
    if not seconds:
        return "it is killed at once"
    return f"it gets {duration(timedelta(seconds=seconds))} to end by itself, then it is killed"


def _container(pin: ContainerPin | None) -> str:
    """Say which container exactly is meant, with its ids whole, and all that is told of it."""
    if pin is None:
        return ""
    told = pin.told(FactPlace.ITSELF, FactPlace.SEEN, FactPlace.LOOK, FactPlace.DETAILS)
    values = {one.value for one in told}
    dated = any(one.at is not None for one in pin.told(FactPlace.ITSELF))
    lines = [
        f"{code(pin.name)} was {pin.state} when it was looked at",
        f"id {code(pin.container_id)}",
        f"image {code(pin.image)}",
        f"image id {code(pin.image_id)}" if pin.image_id not in values else "",
        f"last start {code(pin.started_at)}" if pin.started_at and not dated else "",
        f"engine {code(pin.engine_id)}",
        *map(fact, told),
        *(f"a snapshot: {fact(one)}" for one in pin.told(FactPlace.SNAPSHOT)),
        *(f"after a stop it {fact(one)}" for one in pin.told(FactPlace.AFTERWARDS)),
        *(f"not in a snapshot: {fact(one)}" for one in pin.told(FactPlace.NOT_IN_SNAPSHOT)),
    ]
    return f"*The container*\n{bullet_list(line for line in lines if line)}"


def _deciders(state: RequestState, now: datetime) -> str:
    policy = state.policy
    if policy is None:
        return ""
    named = some(deciders(policy, state.requester), _MOST_NAMED)
    given = [
        f"{person(one.approver_id)} {'rejected' if one is state.rejection else 'approved'} at "
        f"{clock(one.decided_at, now)}"
        for one in state.decisions
    ]
    lines = [
        f"policy {code(policy.name)}: {policy.required_approvals} of {named}, never who asked",
        f"until {clock(state.expires_at, now)}" if state.expires_at is not None else "",
        *given,
    ]
    return f"*Who decides*\n{bullet_list(line for line in lines if line)}"


def _judged_by(state: RequestState) -> str:
    lines = [
        f"plan {code(state.plan_hash)}" if state.plan_hash else "",
        f"policy book {code(state.book_hash)}" if state.book_hash else "",
        f"workflow {code(state.workflow_id)}",
    ]
    return f"*What it is judged by*\n{bullet_list(line for line in lines if line)}"
