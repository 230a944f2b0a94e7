"""What do ``list``, ``inspect``, ``requests`` and ``status`` show to the one who asked?

Pure. Environment values and command lines never get here: the worker does not send them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate

from bot.slack.mrkdwn import (
    Line,
    Reply,
    bullet_list,
    channel,
    code,
    escape,
    group,
    link,
    person,
    plain,
    reply,
)
from bot.slack.standing import summary_words, tries
from bot.temporal.errors import RequestSummary
from bot.temporal.visibility import RequestPage
from workflows.model.errors import RefusalCode
from workflows.model.ports import ContainerList, Inspection
from workflows.model.requests import ContainerState, Fact, FactPlace
from workflows.model.state import Refusal, RequestState, RequestStatus, StepState
from workflows.model.text import short_id
from workflows.model.words import (
    ALL_MEMBERS,
    BY_NO_POLICY,
    BY_POLICY,
    RULES_UNKNOWN,
    refused,
)
from workflows.operations import catalog
from workflows.operations.standing import (
    status_words,
    step_emoji,
    step_words,
)
from workflows.rules import Rule

#: So many people and groups of a rule are named.
_MOST_NAMED = 10
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
#: Refusals of a look that have a way on.
_TRY = {
    RefusalCode.UNKNOWN_HOST: "; `list hosts` shows those that are known",
    RefusalCode.UNKNOWN_CONTAINER: "; `list` shows all",
}
_COMMENT, _REASON = "a comment on its rejection", "a reason"
#: Slack refuses messages above some 13,000 characters.
_LIST_LENGTH = 8000


def request_list(title: str, page: RequestPage, *, now: datetime) -> Reply:
    """Show requests, one a line."""
    if not page.rows:
        return reply(f"*{title}*: none.")
    lines = [
        f"{summary_words(row)} · {code(row.request_id)} · {_what(row)} · "
        f"{person(row.requester)}, {ago(now, row.started_at)}"
        for row in page.rows
    ]
    left_out = page.total - len(page.rows)
    more = f"… and {left_out} more." if left_out > 0 else ""
    return reply(f"*{title}* ({page.total})", bullet_list(lines), more)


def request_status(
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
            f"{summary_words(summary)} — {_what(summary)}",
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
        _why(state, may_read=may_read),
        "" if may_read else _kept_back(state),
        "\n".join(_step(step, state) for step in state.steps),
        " · ".join(part for part in (card, temporal) if part),
    )


def container_list(host: str, containers: ContainerList) -> Reply:
    """Show the containers of a host, one a line."""
    rows = [
        f"{_light(one.state)} {code(one.name)} · {code(one.image)} · "
        f"{one.state}{' · protected' if one.protected else ''}"
        for one in containers.containers
    ]
    if not rows:
        return reply(f"There are no containers on {code(host)}.")
    rows = _that_fit(rows)
    left_out = containers.total - len(rows)
    more = f"… and {left_out} more." if left_out > 0 else ""
    return reply(f"*Containers on* {code(host)} ({containers.total})", "\n".join(rows), more)


def container(host: str, inspection: Inspection, rules: Sequence[Rule] | None = None) -> Reply:
    """Show one container, with what its provider tells of it, and who may ask for what."""
    pin = inspection.pin
    left_out = [_fact(fact) for fact in pin.told(FactPlace.NOT_IN_SNAPSHOT)]
    lines = [
        f"id {code(short_id(pin.container_id))}",
        f"image {code(pin.image)} ({code(short_id(pin.image_id))})",
        f"last start {code(_moment(pin.started_at))}" if pin.started_at else "",
        *(_fact(fact) for fact in pin.told(FactPlace.SEEN, FactPlace.LOOK)),
        f"not in a snapshot: {', '.join(left_out)}" if left_out else "",
        *([RULES_UNKNOWN] if rules is None else map(_rule, rules)),
    ]
    return reply(
        f"{_light(pin.state)} {code(pin.name)} on {code(host)} · {pin.state}",
        bullet_list(line for line in lines if line),
    )


def _fact(fact: Fact) -> str:
    at = code(f"{fact.at.astimezone(UTC):%d %b %H:%M} UTC") if fact.at else ""
    value = code(fact.value) if fact.value else ""
    return " ".join(part for part in (escape(fact.label), value, at) if part)


def _rule(rule: Rule) -> str:
    kinds, policy = ", ".join(map(code, rule.kinds)), rule.policy
    if policy is None:
        return BY_NO_POLICY.format(kinds=kinds)
    askers = (*map(group, policy.requester_groups), *map(person, policy.requesters))
    deciders = (*map(group, policy.approver_groups), *map(person, policy.approvers))
    return BY_POLICY.format(
        kinds=kinds,
        askers=_some(askers) or ALL_MEMBERS,
        needed=policy.required_approvals,
        deciders=_some(deciders),
        policy=code(policy.name),
    )


def _some(people: Sequence[str]) -> str:
    more = f" and {len(people) - _MOST_NAMED} more" if len(people) > _MOST_NAMED else ""
    return ", ".join(people[:_MOST_NAMED]) + more


def look_refused(refusal: Refusal, *, host: str, name: str) -> Reply:
    """Say why a host cannot be looked at."""
    told = _refused(refusal, host=code(host), name=code(name), detail=escape(refusal.detail))
    return reply(f"⚠️ Nothing to show: {told}{_TRY.get(refusal.code, '')}.")


def ago(now: datetime, then: datetime) -> str:
    """Say how long ago something was."""
    seconds = (now - then).total_seconds()
    return "just now" if seconds < 1 else f"{_span(seconds)} ago"


def _light(state: ContainerState) -> str:
    """Show at a glance whether a container is up; one that crashes and restarts is."""
    return "🟢" if state.is_up else "⚪"


def _what(summary: RequestSummary) -> str:
    operation = f"{escape(summary.operation)} " if summary.operation else ""
    return f"{operation}{code(summary.container)} on {code(summary.host)}"


def _that_fit(rows: Sequence[str]) -> list[str]:
    """Keep as many rows as Slack takes in one message."""
    lengths = accumulate(len(row) + 1 for row in rows)
    return [row for row, length in zip(rows, lengths, strict=True) if length <= _LIST_LENGTH]


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


def _why(state: RequestState, *, may_read: bool) -> Line | None:
    typed = _typed(state) if may_read else {}
    words = [
        state.cause_text,
        f"Rejected: {typed[_COMMENT]}" if _COMMENT in typed else "",
        _why_refused(state),
        f"Reason: {typed[_REASON]}" if _REASON in typed else "",
    ]
    text = "\n".join(part for part in words if part)
    return plain(text) if text else None


def _why_refused(state: RequestState) -> str:
    if state.refusal is None:
        return ""
    host, name = state.container.host, state.name_now
    return f"Refused: {_refused(state.refusal, host=host, name=name, detail=state.refusal.detail)}."


def _refused(refusal: Refusal, *, host: str, name: str, detail: str) -> str:
    """Say what is wrong with what somebody asked for; the private notice said it in full."""
    adds = refusal.code in _DETAIL_ADDS and refusal.detail not in ("", host, name)
    told = refused(refusal.code, host=host, name=name, count=detail, detail=detail)
    return f"{told} ({detail})" if adds else told


def _kept_back(state: RequestState) -> str:
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
    texts = {_COMMENT: comment, _REASON: state.reason}
    return {name: text for name, text in texts.items() if text}


def _step(step: StepState, state: RequestState) -> str:
    is_said = step.error is not None and step.note in state.cause_text
    note = f" · {escape(step.note)}" if step.note and not is_said else ""
    return f"{step_emoji(step)} {step_words(step, state)}{note}"


def _span(seconds: float) -> str:
    """Write a duration in its largest whole unit."""
    whole = max(0, round(seconds))
    units = ((86400, "days", 2), (3600, "h", 1), (60, "min", 1))
    for length, name, least in units:
        if whole >= least * length:
            return f"{whole // length} {name}"
    return f"{whole} s"


def _moment(text: str) -> str:
    """Write an engine's time without its nanoseconds; one that is none stays as it is."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return text
