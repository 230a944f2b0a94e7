"""What does each reply in a card's thread say?

The thread is the log of a request: its last reply tells all that was done, and only what failed,
took long or needs somebody is told before. The channel sees a call for help, and a failure that
was put back; whoever was called is told when it is over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from slack_sdk.models.blocks import Block, ContextBlock, SectionBlock

from activities.slack.impact import afterwards, dependents_left, restarted_since
from activities.slack.mrkdwn import (
    code,
    mrkdwn,
    person,
    plain,
    safe,
    typed_at,
)
from activities.slack.needs_person import (
    how_it_is_left,
    how_to_help,
    mentions,
    needs_person_headline,
    needs_person_outcome,
    with_command,
)
from activities.slack.own_failures import LOOK, START
from activities.slack.status import (
    called,
    down_time,
    failure_summary,
    snapshot_line,
    step_line,
    timed_steps,
    where,
    why_not_done_in_full,
)
from activities.slack.voters import needed, who_can_still_decide
from workflows.model.markup import clock
from workflows.model.names import thread_block_id
from workflows.model.ports import ThreadEntry, ThreadKind
from workflows.model.requests import RecordedDecision
from workflows.model.state import RequestState, RequestStatus, StepState, StepStatus
from workflows.model.symbols import Symbol
from workflows.model.text import shows_nothing
from workflows.operations import catalog
from workflows.operations.standing import status_words

CHANNEL_ID_FORM = re.compile(r"[CG][A-Z0-9]{1,30}")
_COMMENT_LIMIT = 1000
_LONG = timedelta(seconds=30)
#: What tells all that there is to tell of a request.
LAST_WORDS = frozenset({ThreadKind.OUTCOME})
_CALLS_FOR_HELP = frozenset({ThreadKind.PAGE, ThreadKind.STUCK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One reply, ready to post; ``broadcast`` shows it in the channel as well."""

    text: str
    blocks: list[Block]
    broadcast: bool = False


def reply(state: RequestState, entry: ThreadEntry) -> Reply:
    """Write the reply of a thread entry. Its block id tells whether it was posted already."""
    text = _WORDS[entry.kind](state, entry)
    block_id = thread_block_id(state.request_id, entry.key)
    blocks: list[Block] = [SectionBlock(block_id=block_id, text=mrkdwn(text))]
    said = _said(state, entry)
    if not shows_nothing(said):
        comment = plain(f"“{said}”", _COMMENT_LIMIT)
        blocks.append(SectionBlock(block_id=f"{block_id}.comment", text=comment))
    return Reply(text=text, blocks=blocks, broadcast=_is_for_all(state, entry))


def is_told(state: RequestState, entry: ThreadEntry, *, closing: bool) -> bool:
    """Say whether an entry is a reply of its own: what goes well is told once, when it is over.

    ``closing`` says that the last word is told with it. The card shows the rest meanwhile.
    """
    match entry.kind:
        case ThreadKind.APPROVED:
            order, _ = _vote(state, entry)
            is_last = order is not None and order >= needed(state)
            return not is_last or not shows_nothing(entry.comment)
        case ThreadKind.STEP:
            return not closing and entry.step is not None and _is_news(entry.step)
        case ThreadKind.REJECTED | ThreadKind.CANCELLING | ThreadKind.RESTARTED:
            return not closing
        case _:
            return True


def reply_sent_directly(
    state: RequestState, entry: ThreadEntry, *, refused_with: str, command: str
) -> Reply:
    """Write a reply for people whom it does not reach in the channel, and say why."""
    written = reply(state, entry)
    channel = state.channel_id
    place = f"<#{channel}>" if CHANNEL_ID_FORM.fullmatch(channel) else "the channel of the request"
    text = (
        f"This comes to you directly: Slack does not take it in {place} ({code(refused_with)}). "
        f"{code(f'{command} status {state.request_id}')} shows how it stands."
    )
    why = ContextBlock(
        block_id=f"{thread_block_id(state.request_id, entry.key)}.direct", elements=[mrkdwn(text)]
    )
    return Reply(text=written.text, blocks=[*written.blocks, why])


def _is_news(step: StepState) -> bool:
    """Tell whether a step failed, or took so long that somebody waits for word of it."""
    if step.started_at is None or step.finished_at is None:
        return step.status is StepStatus.FAILED
    return step.status is StepStatus.FAILED or step.finished_at - step.started_at > _LONG


def _is_for_all(state: RequestState, entry: ThreadEntry) -> bool:
    """Tell whether the channel is to see it too: a call for help, or a failure put right unseen."""
    if entry.kind in _CALLS_FOR_HELP:
        return True
    is_failure = state.status is RequestStatus.PUT_BACK and state.cause is not None
    return entry.kind is ThreadKind.OUTCOME and is_failure and not state.paged


def _said(state: RequestState, entry: ThreadEntry) -> str:
    """Give what a person wrote; the last word about a rejection quotes why."""
    if entry.kind is ThreadKind.OUTCOME and state.rejection is not None:
        return state.rejection.comment
    return entry.comment


def _vote(state: RequestState, entry: ThreadEntry) -> tuple[int | None, RecordedDecision | None]:
    """Find an approval: which one it was, and where it was given."""
    return next(
        (one for one in enumerate(state.approvals, 1) if one[1].approver_id == entry.user_id),
        (None, None),
    )


def _approved(state: RequestState, entry: ThreadEntry) -> str:
    order, given = _vote(state, entry)
    count = f" ({order} of {needed(state)})" if order else ""
    where = typed_at(given.terminal if given else None)
    told = f"{Symbol.YES} {person(entry.user_id)} approved{count}{where}{_at(entry)}."
    now = who_can_still_decide(state) if state.status is RequestStatus.WAITING else ""
    return f"{told} Now {now}." if now else told


def _rejected(state: RequestState, entry: ThreadEntry) -> str:
    where = typed_at(state.rejection.terminal if state.rejection else None)
    return f"{Symbol.NO} {person(entry.user_id)} rejected this{where}{_at(entry)}."


def _reminder(state: RequestState, _: ThreadEntry) -> str:
    until = f" until {clock(state.expires_at)}" if state.expires_at else ""
    what = f"{catalog.words_of(state.operation)} {where(state)}"
    who = who_can_still_decide(state)
    return f"{Symbol.REMINDER} {who}: this waits for a decision{until}: {what}."


def _restarted(state: RequestState, _: ThreadEntry) -> str:
    had = f"{called(state)} had been started anew since the card was posted"
    return f"{Symbol.MIND} {had}. Same container: going on."


def _step(state: RequestState, entry: ThreadEntry) -> str:
    return (
        step_line(entry.step, state)
        if entry.step is not None
        else f"{Symbol.DOING} A step was begun."
    )


def _cancelling(state: RequestState, entry: ThreadEntry) -> str:
    by, where = person(entry.user_id), typed_at(state.cancel_terminal)
    told = f"{Symbol.ENDED_BY_PERSON} {by} cancelled this{where}."
    return f"{told} The step under way is finished first."


def _given_up(state: RequestState, entry: ThreadEntry) -> str:
    by = person(entry.user_id) + typed_at(state.stop_trying_terminal)
    told = f"{Symbol.ENDED_BY_PERSON} {by} told Dockwarden to stop trying{_at(entry)}."
    return f"{told} {how_it_is_left(state, where(state))}"


def _stuck(state: RequestState, _: ThreadEntry) -> str:
    host = safe(state.container.host)
    look = with_command(f"Look on {host} whether the container runs", LOOK, state)
    start = with_command("If it is down and meant to run, start it", START, state)
    what = f"{catalog.words_of(state.operation)} {where(state)}"
    return (
        f"{Symbol.NEEDS_PERSON} {mentions(state)} the request to {what} *is stuck in "
        "Dockwarden itself*: nothing of it goes on, and its buttons do nothing, until that is put "
        f"right.\n1. {look}\n2. {start}\n"
        "3. The log of the control worker, and Temporal's history, say what it stumbles over."
    )


def _page(state: RequestState, _: ThreadEntry) -> str:
    first = needs_person_headline(state, where(state), mentions(state))
    parts = (first, how_to_help(state), dependents_left(state), snapshot_line(state))
    return "\n".join(part for part in parts if part)


def _outcome(state: RequestState, _: ThreadEntry) -> str:
    """Tell how it ended: to whoever asked, and to all who were called for help."""
    people = mentions(state) if state.paged else person(state.requester)
    was_down = f", {down_time(state)}" if down_time(state) else ""
    how = status_words(state)
    if state.status is RequestStatus.NEEDS_PERSON and state.stop_trying_by:
        how = needs_person_outcome(state)
    lines = (
        f"{people} {how}: {where(state)}{was_down}.",
        timed_steps(state),
        why_not_done_in_full(state),
        failure_summary(state),
        dependents_left(state),
        snapshot_line(state),
        afterwards(state),
        restarted_since(state),
    )
    return "\n".join(line for line in lines if line)


def _at(entry: ThreadEntry) -> str:
    return f" at {clock(entry.at)}" if entry.at is not None else ""


_WORDS: dict[ThreadKind, Callable[[RequestState, ThreadEntry], str]] = {
    ThreadKind.APPROVED: _approved,
    ThreadKind.REJECTED: _rejected,
    ThreadKind.REMINDER: _reminder,
    ThreadKind.RESTARTED: _restarted,
    ThreadKind.STEP: _step,
    ThreadKind.CANCELLING: _cancelling,
    ThreadKind.GIVEN_UP: _given_up,
    ThreadKind.STUCK: _stuck,
    ThreadKind.PAGE: _page,
    ThreadKind.OUTCOME: _outcome,
}
