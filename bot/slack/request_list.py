"""What does ``requests`` show to the one who asked, and what can be pressed there?

Pure. A list of what is open is a work list: its first word says what is the matter, and what waits
for the one who asks can be decided here. A button carries what that of the card does: an address,
with the plan that is shown, and never an authority.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.commands.parser import Selection
from bot.service import Actor
from bot.slack.mrkdwn import Button, Line, Reply, code, escape, link, person, plain, reply
from bot.slack.readers import is_own_channel
from bot.slack.request_status import ago, refused_in_short, what_of
from bot.slack.standing import summary_words
from bot.work_list import Item, WorkPage
from workflows.model.names import ActionId, RequestAddress, button_value
from workflows.model.state import RequestState, RequestStatus, StepStatus
from workflows.model.text import cut_off, one_line, short_id, shorten, shows_nothing
from workflows.model.words import duration
from workflows.operations import catalog
from workflows.operations.standing import (
    known,
    status_words,
    step_words,
    will_be_put_back,
)

#: So many requests stand on a page: each may take three blocks, and Slack takes fifty.
PAGE_SIZE = 10
_TITLES = {
    None: "Open requests",
    Selection.WAITING: "Requests waiting for approval",
    Selection.MINE: "Your requests",
    Selection.RECENT: "Requests of the last seven days, as far as they are kept",
}
_YOURS, _OTHERS = "*Waiting for you*", "*Waiting*"
_REASON_LENGTH = 150


def show(
    page: WorkPage,
    selection: Selection | None,
    *,
    actor: Actor,
    channel_id: str,
    now: datetime,
    command: str,
) -> Reply:
    """Show one page."""
    title, first = _TITLES[selection], (page.number - 1) * PAGE_SIZE + 1
    if not page.items:
        return reply(f"*{title}*: none{f' on page {page.number}' if page.number > 1 else ''}.")
    last = first + len(page.items) - 1
    count = (
        f"{page.total}" if len(page.items) == page.total else f"{first} to {last} of {page.total}"
    )
    yours = f" · {_times(page.yours)} for you" if page.yours else ""
    lines: list[Line | None] = [Line(f"*{title}* ({count}){yours}")]
    is_work = selection in (None, Selection.WAITING)
    heading = ""
    for item in page.items:
        wanted = (_YOURS if item.is_yours else _OTHERS) if is_work and item.waits else ""
        if wanted != heading:
            lines.append(Line(heading := wanted))
        lines.extend(_row(item, actor=actor, channel_id=channel_id, now=now))
    if page.left:
        words = " ".join(filter(None, (command, "requests", selection, str(page.number + 1))))
        lines.append(Line(f"… and {page.left} more: {code(words)}"))
    return reply(*lines)


def _times(number: int) -> str:
    return "1 waits" if number == 1 else f"{number} wait"


def _row(item: Item, *, actor: Actor, channel_id: str, now: datetime) -> Sequence[Line | None]:
    summary, state = item.summary, item.state
    asked = f"{person(summary.requester)}, {ago(now, summary.started_at)}"
    if state is None:
        shown = f"{summary_words(summary)} · {what_of(summary)} · {asked} · "
        return [Line(f"{shown}{code(summary.request_id)}")]
    what = f"{catalog.words_of(state.operation)} {code(state.name_now)} on "
    where = link(state.card.permalink, "card") if state.card is not None else ""
    parts = (
        _standing(state, now),
        f"{what}{code(state.container.host)}",
        asked,
        _votes(state),
        where or code(state.request_id),
    )
    line = " · ".join(part for part in parts if part)
    if item.is_yours and not _is_shown_whole(state):
        line += " · ⚠️ its card says more than fits here: read it before you approve"
    buttons = _buttons(state) if item.is_yours else ()
    reason = _reason(state, may_read=item.is_yours or _concerns(state, actor, channel_id))
    if reason is None:
        return [Line(line, buttons=buttons)]
    return [Line(line), Line(reason.content, plain=True, buttons=buttons)]


def _standing(state: RequestState, now: datetime) -> str:
    """Say first what is the matter with it."""
    if state.status is RequestStatus.WAITING and not state.cancel_requested_by:
        if state.expires_at is None:
            return "⏳"
        return f"⏳ {duration(state.expires_at - now)} left"
    refusal, container = state.refusal, state.container
    if refusal is not None and state.rejection is None:
        told = refused_in_short(
            refusal,
            host=code(container.host),
            name=code(state.name_now),
            detail=escape(refusal.detail),
        )
        return f"{status_words(state)}: {told}"
    doing = next((one for one in state.steps if one.status is StepStatus.RUNNING), None)
    if state.status is RequestStatus.RUNNING and doing is not None:
        since = ""
        if doing.started_at is not None:
            since = f" for {duration(now - doing.started_at)}"
        return f"{status_words(state)}: {step_words(doing, state).removesuffix(' …')}{since}"
    return status_words(state)


def _votes(state: RequestState) -> str:
    if state.status is not RequestStatus.WAITING or state.policy is None:
        return ""
    return f"{len(state.approvals)} of {state.policy.required_approvals}"


def _reason(state: RequestState, *, may_read: bool) -> Line | None:
    if not may_read or shows_nothing(state.reason):
        return None
    return plain(f"“{cut_off(one_line(state.reason), _REASON_LENGTH)}”")


def _concerns(state: RequestState, actor: Actor, channel_id: str) -> bool:
    """Say of what needs no look-up whether somebody may read what was typed."""
    if actor.team_id != state.team_id:
        return False
    people = {state.requester, *(one.approver_id for one in state.decisions)}
    return actor.user_id in people or is_own_channel(state, channel_id)


def _buttons(state: RequestState) -> tuple[Button, ...]:
    """Let it be decided here; where its card warns of something, it can only be rejected here."""
    name, host = state.name_now, state.container.host
    means = f"{catalog.words_of(state.operation)} {name} on {host}"
    value = button_value(
        RequestAddress(
            request_id=state.request_id,
            host=host,
            container=state.container.name,
            plan_hash=state.plan_hash,
        )
    )
    reject = Button(
        action_id=ActionId.REJECT,
        value=value,
        label="Reject…",
        means=f"Reject… {means}",
        style="danger",
    )
    if not _is_shown_whole(state):
        return (reject,)
    approve = Button(
        action_id=ActionId.APPROVE,
        value=value,
        label="Approve",
        means=f"Approve {means}",
        style="primary",
        question=_question(state),
    )
    return (approve, reject)


def _is_shown_whole(state: RequestState) -> bool:
    """Whether nothing stands on the card that whoever approves must have read."""
    others = state.dependents
    return (
        state.shows_its_plan
        and not state.cautions
        and not (others.found or others.more or others.unseen)
    )


def _question(state: RequestState) -> str:
    """Say what an approval leads to."""
    exactly = f" ({short_id(state.pin.container_id)})" if state.pin is not None else ""
    target = f"{shorten(state.name_now, 60)}{exactly} on {shorten(state.container.host, 40)}"
    steps = ", ".join(known(step, state).to_do.lower() for step in state.steps)
    what = "that" if len(state.steps) == 1 else "a step"
    return (
        f"Dockwarden will work on {target}: {steps or catalog.words_of(state.operation)}. "
        f"If {what} fails, it {will_be_put_back(state)}."
    )
