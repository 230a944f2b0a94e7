"""What does ``status`` show of a request, and what of it may not everybody read?

Pure. What people typed is shown to those who may read it, and to others only that it is there.
"""

from __future__ import annotations

from datetime import datetime

from bot.slack.mrkdwn import (
    Line,
    Reply,
    channel,
    code,
    escape,
    link,
    person,
    plain,
    reply,
)
from bot.slack.standing import summary_words, tries
from bot.temporal.errors import RequestSummary
from workflows.model.errors import RefusalCode
from workflows.model.state import Refusal, RequestState, RequestStatus, StepState
from workflows.model.words import refused
from workflows.operations import catalog
from workflows.operations.standing import status_words, step_emoji, step_words, told_steps

#: Refusals of which the detail tells more than the words do.
_DETAIL_ADDS = frozenset(
    {
        RefusalCode.BAD_REQUEST,
        RefusalCode.UNKNOWN_HOST,
        RefusalCode.AMBIGUOUS_CONTAINER,
        RefusalCode.UNUSABLE_STATE,
        RefusalCode.ALREADY_RUNNING,
    }
)
_COMMENT, _REASON = "a comment on its rejection", "a reason"
_APPROVED = "a comment on its approval"


def show(
    summary: RequestSummary,
    state: RequestState | None,
    *,
    now: datetime,
    ui: str,
    may_read: bool,
) -> Reply:
    """Show one request; without its ``state`` only what Temporal's list knows.

    Who may not read what people typed is told that there is something, and where it stands.
    """
    # Temporal shows all that people typed.
    is_open = may_read or (state is not None and not _typed(state))
    temporal = link(ui, "Open in Temporal") if is_open else ""
    if state is None:
        return reply(
            f"{summary_words(summary)} — {what_of(summary)}",
            f"{code(summary.request_id)} · asked by {person(summary.requester)}, "
            f"{ago(now, summary.started_at)}. Dockwarden has not "
            "answered in time, so no more is known now.",
            temporal,
        )
    card = link(state.card.permalink, "See its card") if state.card is not None else ""
    is_said = state.status is RequestStatus.SUCCEEDED
    what = "" if is_said else f"{catalog.words_of(state.operation)} "
    asked_for = f" (asked for as {code(state.container.name)})" if state.renamed else ""
    return reply(
        f"{status_words(state)} — {what}{code(state.name_now)}{asked_for} "
        f"on {code(state.container.host)}",
        tries(state),
        _facts(state, now),
        plain(state.cause_text),
        plain(_why_refused(state)),
        *(said(state) if may_read else ()),
        "" if may_read else kept_back(state),
        "\n".join(_step(step, state) for step in told_steps(state)),
        " · ".join(part for part in (card, temporal) if part),
    )


def ago(now: datetime, then: datetime) -> str:
    """Say how long ago something was."""
    seconds = (now - then).total_seconds()
    return "just now" if seconds < 1 else f"{_span(seconds)} ago"


def what_of(summary: RequestSummary) -> str:
    """Name what is asked for, and of which container."""
    operation = f"{escape(summary.operation)} " if summary.operation else ""
    return f"{operation}{code(summary.container)} on {code(summary.host)}"


def _facts(state: RequestState, now: datetime) -> str:
    needed = state.policy.required_approvals if state.policy is not None else 0
    facts = [
        code(state.request_id),
        f"asked by {person(state.requester)}{_typed_at(state)}, {ago(now, state.requested_at)}",
        f"approvals {len(state.approvals)} of {needed}" if needed else "",
    ]
    if state.status is RequestStatus.WAITING and state.expires_at is not None:
        facts.append(f"expires in {_span((state.expires_at - now).total_seconds())}")
    if state.approvals:
        facts.append("approved by " + ", ".join(person(d.approver_id) for d in state.approvals))
    if state.rejection is not None:
        facts.append(f"rejected by {person(state.rejection.approver_id)}")
    if state.snapshot is not None and state.snapshot.reference:
        facts.append(f"snapshot {code(state.snapshot.reference)}")
    return " · ".join(fact for fact in facts if fact)


def _typed_at(state: RequestState) -> str:
    """Say at which terminal it was asked for: that proves no person."""
    return "" if state.terminal is None else f" {escape(state.terminal.words)}"


def said(state: RequestState) -> list[Line]:
    """Quote all that people typed, each with who said it: first what was decided, then why asked.

    It is for those who may read it.
    """
    quotes = [
        (one.approver_id, "rejected it" if one is state.rejection else "approved it", one.comment)
        for one in reversed(state.decisions)
    ]
    quotes.append((state.requester, "asked", state.reason))
    return [
        line
        for user_id, did, text in quotes
        if text
        for line in (Line(f"{person(user_id)} {did}:"), plain(f"“{text}”"))
    ]


def _why_refused(state: RequestState) -> str:
    if state.refusal is None:
        return ""
    refusal, host, name = state.refusal, state.container.host, state.name_now
    told = refused_in_short(refusal, host=host, name=name, detail=refusal.detail)
    return f"Refused: {told}."


def kept_back(state: RequestState) -> str:
    """Say that there is something that not everybody may read, and where it stands."""
    typed = " and ".join(_typed(state))
    where = f"its own channel {channel(state.channel_id)}".strip()
    return (
        f"🔒 It has {typed}: shown in {where}, and to those who asked, decided or may decide."
        if typed
        else ""
    )


def _typed(state: RequestState) -> dict[str, str]:
    """Give what people typed, by what it is."""
    comment = state.rejection.comment if state.rejection is not None else ""
    approved = next((one.comment for one in state.approvals if one.comment), "")
    texts = {_COMMENT: comment, _APPROVED: approved, _REASON: state.reason}
    return {name: text for name, text in texts.items() if text}


def _step(step: StepState, state: RequestState) -> str:
    is_said = step.error is not None and step.note in state.cause_text
    note = f" · {escape(step.note)}" if step.note and not is_said else ""
    return f"{step_emoji(step)} {step_words(step, state)}{note}"


def refused_in_short(refusal: Refusal, *, host: str, name: str, detail: str) -> str:
    """Say what is wrong with what somebody asked for; the private notice said it in full."""
    adds = refusal.code in _DETAIL_ADDS and refusal.detail not in ("", host, name)
    told = refused(refusal.code, host=host, name=name, count=detail, detail=detail)
    return f"{told} ({detail})" if adds else told


def _span(seconds: float) -> str:
    """Write a duration in its largest whole unit."""
    whole = max(0, round(seconds))
    units = ((86400, "days", 2), (3600, "h", 1), (60, "min", 1))
    for length, name, least in units:
        if whole >= least * length:
            return f"{whole // length} {name}"
    return f"{whole} s"
