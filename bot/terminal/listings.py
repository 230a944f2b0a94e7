"""What do ``requests``, ``status``, ``list`` and ``inspect`` show at a terminal?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.temporal.errors import RequestSummary
from bot.temporal.hosts import HostStanding, engine_words, service_words
from bot.terminal.tables import ago, facts, moment, table, tamed
from bot.work_list import WorkPage
from workflows.model import words
from workflows.model.listing import ContainerList
from workflows.model.plan import SHOWN_DIGITS
from workflows.model.requests import ContainerPin, Fact, FactPlace, RecordedDecision
from workflows.model.state import RequestState, RequestStatus
from workflows.model.terminal import Terminal
from workflows.model.text import short_id
from workflows.operations import catalog, standing
from workflows.rules import Rule

_COLUMNS = ("NAME", "STATE", "SINCE", "PORTS", "COMPOSE", "SNAPSHOTS", "PROTECTED", "IMAGE")
#: So many people and groups of a rule are named.
_MOST_NAMED = 10


def requests(page: WorkPage, *, now: datetime) -> list[str]:
    """Show requests, a line each; one that no person rejected is told from those."""
    if not page.items:
        return ["No requests."]
    rows = [
        (
            item.summary.request_id,
            "refused" if item.is_refused else item.summary.status,
            item.summary.operation,
            item.summary.container,
            item.summary.host,
            item.summary.requester,
            ago(now, item.summary.started_at),
            _votes(item.state) if item.waits else "",
            moment(item.state.expires_at) if item.waits and item.state is not None else "",
        )
        for item in page.items
    ]
    header = ("ID", "STATUS", "OPERATION", "CONTAINER", "HOST", "REQUESTER", "ASKED", "VOTES")
    return [*table((*header, "EXPIRES"), rows), *_more(page.left)]


def _votes(state: RequestState | None) -> str:
    policy = state.policy if state is not None else None
    if state is None or policy is None:
        return ""
    return f"{len(state.approvals)} of {policy.required_approvals}"


def request(state: RequestState) -> list[str]:
    """Show one request: the facts, then its steps."""
    policy, snapshot = state.policy, state.snapshot
    needed = policy.required_approvals if policy else 0
    asked_for = f" (asked for as {state.container.name})" if state.renamed else ""
    pairs = (
        ("request", state.request_id),
        ("status", status_words(state)),
        ("operation", catalog.words_of(state.operation)),
        ("container", f"{state.name_now} on {state.container.host}{asked_for}"),
        ("requester", f"{state.requester}{_at(state.terminal)}"),
        ("reason", state.reason),
        ("asked", moment(state.requested_at)),
        ("expires", moment(state.expires_at) if state.status is RequestStatus.WAITING else ""),
        ("ended", moment(state.finished_at)),
        ("policy", policy.name if policy else ""),
        ("approvals", f"{len(state.approvals)} of {needed}" if needed else ""),
        *(("approved by", _by(decision)) for decision in state.approvals),
        ("rejected by", _by(state.rejection) if state.rejection else ""),
        ("cancelled by", f"{state.cancel_requested_by}{_at(state.cancel_terminal)}"),
        ("snapshot", snapshot.reference or short_id(snapshot.image_id) if snapshot else ""),
        ("was down", f"{state.down_seconds:.1f} s" if state.down_seconds else ""),
        ("cause", state.cause_text or (state.cause or "")),
        ("tries", str(state.attempts) if state.attempts else ""),
        ("next try", moment(state.next_try_at) if not state.closed else ""),
        ("card", state.card.permalink if state.card else ""),
    )
    steps = [
        (step.name.value, standing.step_words(step, state), step.note)
        for step in standing.told_steps(state)
    ]
    return [*facts(pairs), *(["", *table(("STEP", "HOW FAR", "NOTE"), steps)] if steps else [])]


def row(known: RequestSummary) -> list[str]:
    """Show what Temporal's list knows of a request, where nobody can tell more."""
    return [
        *facts(
            (
                ("request", known.request_id),
                ("status", known.status),
                ("operation", known.operation),
                ("container", f"{known.container} on {known.host}"),
                ("requester", known.requester),
                ("asked", moment(known.started_at)),
            )
        ),
        "",
        "No worker has answered in time, so no more is known now.",
    ]


def plan(state: RequestState) -> str:
    """Show somebody who typed only an id what that is, with the digits that its card shows."""
    exactly = f" ({short_id(state.pin.container_id)})" if state.pin is not None else ""
    digits = f", plan {state.plan_hash[:SHOWN_DIGITS]}" if state.plan_hash else ""
    return tamed(
        f"Request {state.request_id} is to {catalog.words_of(state.operation)} "
        f"{state.container.name}{exactly} on {state.container.host}, "
        f"as {state.requester} asked for{digits}."
    )


def status_words(state: RequestState) -> str:
    """Say where a request stands, for scripts first and for people after that."""
    return f"{state.status}: {standing.status_of(state).words}"


def containers(found: ContainerList) -> list[str]:
    """Show the containers of a host."""
    if not found.containers:
        of = f"{found.of} container{'' if found.of == 1 else 's'}"
        return [f"Of {of} none is like that." if found.of else "No containers."]
    rows = [
        (
            one.name,
            one.state,
            one.standing,
            one.ports,
            one.part_of,
            str(one.snapshots) if found.of else "",
            "yes" if one.protected else "no",
            one.image,
        )
        for one in found.containers
    ]
    shown = table(_COLUMNS, rows)
    return [*shown, *_more(found.total - len(found.containers))]


def container(host: str, pin: ContainerPin, rules: Sequence[Rule] | None = None) -> list[str]:
    """Show one container, and who may ask for what."""
    told = [_fact(fact) for fact in pin.told(FactPlace.SEEN, FactPlace.ITSELF, FactPlace.LOOK)]
    after = [f"it {_fact(fact)}" for fact in pin.told(FactPlace.AFTERWARDS)]
    left_out = [_fact(fact) for fact in pin.told(FactPlace.NOT_IN_SNAPSHOT)]
    return facts(
        (
            ("container", f"{pin.name} on {host}"),
            ("state", pin.state),
            ("id", short_id(pin.container_id)),
            ("image", f"{pin.image} ({short_id(pin.image_id)})"),
            ("last start", pin.started_at if pin.was_started else "never started"),
            ("about it", ", ".join(told)),
            ("after a stop", ", ".join(after)),
            ("not in a snapshot", ", ".join(left_out)),
            *((("rules", words.RULES_UNKNOWN),) if rules is None else map(_rule, rules)),
        )
    )


def _rule(rule: Rule) -> tuple[str, str]:
    kinds, policy = ", ".join(rule.kinds), rule.policy
    if policy is None:
        return "rule", words.BY_NO_POLICY.format(kinds=kinds)
    told = words.BY_POLICY.format(
        kinds=kinds,
        askers=_some((*policy.requester_groups, *policy.requesters)) or words.ALL_MEMBERS,
        needed=policy.required_approvals,
        deciders=_some((*policy.approver_groups, *policy.approvers)),
        policy=policy.name,
    )
    return "rule", told


def _some(people: Sequence[str]) -> str:
    more = f" and {len(people) - _MOST_NAMED} more" if len(people) > _MOST_NAMED else ""
    return ", ".join(people[:_MOST_NAMED]) + more


def _fact(fact: Fact) -> str:
    return " ".join(part for part in (fact.label, fact.value, moment(fact.at)) if part)


def hosts(standings: Sequence[HostStanding], *, now: datetime) -> list[str]:
    """Show the hosts, and who serves them."""
    rows = [
        (
            one.host,
            "yes" if one.is_default else "no",
            "; ".join(map(engine_words, one.engines)) or "no engine announced",
            service_words(one, now),
        )
        for one in standings
    ]
    return table(("HOST", "DEFAULT", "ENGINE", "SERVED"), rows)


def _by(decision: RecordedDecision) -> str:
    comment = f": {decision.comment}" if decision.comment else ""
    return f"{decision.approver_id}{_at(decision.terminal)}, {moment(decision.decided_at)}{comment}"


def _at(terminal: Terminal | None) -> str:
    return "" if terminal is None else f" {terminal.words}"


def _more(left_out: int) -> list[str]:
    return [f"… and {left_out} more."] if left_out > 0 else []
