"""What do ``list`` and ``inspect`` show to the one who asked?

Pure. Environment values and command lines never get here: the worker does not send them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate

from bot.slack.mrkdwn import (
    Reply,
    bullet_list,
    code,
    escape,
    group,
    person,
    reply,
)
from bot.slack.request_status import refused_in_short
from workflows.model.errors import RefusalCode
from workflows.model.ports import ContainerList, Inspection
from workflows.model.requests import ContainerState, Fact, FactPlace
from workflows.model.state import Refusal
from workflows.model.text import short_id
from workflows.model.words import (
    ALL_MEMBERS,
    BY_NO_POLICY,
    BY_POLICY,
    RULES_UNKNOWN,
)
from workflows.rules import Rule

#: So many people and groups of a rule are named.
_MOST_NAMED = 10
#: Refusals of a look that have a way on.
_TRY = {
    RefusalCode.UNKNOWN_HOST: "; `list hosts` shows those that are known",
    RefusalCode.UNKNOWN_CONTAINER: "; `list` shows all",
}
#: Slack refuses messages above some 13,000 characters.
_LIST_LENGTH = 8000


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
    told = refused_in_short(
        refusal, host=code(host), name=code(name), detail=escape(refusal.detail)
    )
    return reply(f"⚠️ Nothing to show: {told}{_TRY.get(refusal.code, '')}.")


def _light(state: ContainerState) -> str:
    """Show at a glance whether a container is up; one that crashes and restarts is."""
    return "🟢" if state.is_up else "⚪"


def _that_fit(rows: Sequence[str]) -> list[str]:
    """Keep as many rows as Slack takes in one message."""
    lengths = accumulate(len(row) + 1 for row in rows)
    return [row for row, length in zip(rows, lengths, strict=True) if length <= _LIST_LENGTH]


def _moment(text: str) -> str:
    """Write an engine's time without its nanoseconds; one that is none stays as it is."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return text
