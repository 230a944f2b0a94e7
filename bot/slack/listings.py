"""What do ``list`` and ``inspect`` show to the one who asked?

Pure. Environment values and command lines never get here: the worker does not send them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import accumulate

from bot.slack.mrkdwn import (
    Reply,
    answer_to,
    bullet_list,
    code,
    deciders,
    escape,
    group,
    person,
    reply,
    some,
)
from bot.slack.request_status import refused_in_short
from workflows.model.errors import RefusalCode
from workflows.model.listing import EVERY, UNHEALTHY, ContainerList, ContainerSummary, Wanted
from workflows.model.markup import clock
from workflows.model.ports import Inspection
from workflows.model.refusal_details import either, meant
from workflows.model.requests import ContainerPin, ContainerState, Fact, FactPlace
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
#: Refusals of a look of which the host is the trouble, so that others are worth naming.
_OF_HOSTS = frozenset({RefusalCode.UNKNOWN_HOST, RefusalCode.HOST_AWAY, RefusalCode.HOST_BUSY})
_MANY_HOSTS = 10
#: What is told of a container began on any day.
_ANOTHER_DAY = datetime.min.replace(tzinfo=UTC)
#: Slack refuses messages above some 13,000 characters.
_LIST_LENGTH = 8000


def container_list(
    host: str,
    containers: ContainerList,
    *,
    asked: str = "",
    wanted: Wanted = EVERY,
    hosts: Sequence[str] = (),
) -> Reply:
    """Show the containers of a host that are wanted, one a line, and which hosts there are."""
    rows = _that_fit([_row(one) for one in containers.containers])
    left_out = containers.total - len(rows)
    more = f"… and {left_out} more. Fewer: `list web-*`, `list stopped`." if left_out > 0 else ""
    return reply(
        answer_to(asked, _how_many(host, containers, wanted)),
        "\n".join(rows),
        more,
        _hosts(hosts) if len(hosts) > 1 else "",
    )


def _how_many(host: str, containers: ContainerList, wanted: Wanted) -> str:
    where, total = f"on {code(host)}", containers.total
    if wanted and not containers.of:
        return (
            f"all containers {where}, for its worker is of an earlier release and chooses none "
            f"({total})"
        )
    if not wanted:
        return f"{total} container{_s(total)} {where}" if total else f"no containers {where}"
    if total:
        return f"{total} of {containers.of} containers {where}"
    every = f"{containers.of} container{_s(containers.of)}"
    return f"of {every} {where} none is like that; `list` shows them all."


def _row(one: ContainerSummary) -> str:
    parts = (
        f"{_light(one.state)} {code(one.name)}",
        escape(one.standing.replace(UNHEALTHY, f"*{UNHEALTHY}*")) or str(one.state),
        code(one.part_of) if one.part_of else "",
        f"ports {code(one.ports)}" if one.ports else "",
        f"{one.snapshots} snapshot{_s(one.snapshots)}" if one.snapshots else "",
        "🔒 protected" if one.protected else "",
    )
    return " · ".join(part for part in parts if part)


def container(
    host: str,
    inspection: Inspection,
    rules: Sequence[Rule] | None = None,
    *,
    asked: str = "",
) -> Reply:
    """Show one container, with what its provider tells of it, and who may ask for what."""
    pin = inspection.pin
    left_out = [fact(one) for one in pin.told(FactPlace.NOT_IN_SNAPSHOT)]
    itself, container_id = _facts(pin, FactPlace.ITSELF), code(short_id(pin.container_id))
    lines = [
        *(fact(one) for one in pin.told(FactPlace.SEEN)),
        itself or _last_start(pin),
        *(f"after a stop it {fact(one)}" for one in pin.told(FactPlace.AFTERWARDS)),
        _facts(pin, FactPlace.LOOK),
        f"not in a snapshot: {', '.join(left_out)}" if left_out else "",
        *([RULES_UNKNOWN] if rules is None else map(_rule, rules)),
        f"image {code(pin.image)} ({code(short_id(pin.image_id))}) · id {container_id}",
    ]
    title = f"{_light(pin.state)} {code(pin.name)} on {code(host)} · {pin.state}"
    return reply(answer_to(asked, title), bullet_list(line for line in lines if line))


def _facts(pin: ContainerPin, place: FactPlace) -> str:
    return " · ".join(fact(one) for one in pin.told(place))


def fact(told: Fact) -> str:
    """Write what a provider tells, as it comes."""
    at = clock(told.at, _ANOTHER_DAY) if told.at else ""
    value = code(told.value) if told.value else ""
    return " ".join(part for part in (escape(told.label), value, at) if part)


def _last_start(pin: ContainerPin) -> str:
    """Say since when it runs, of a pin of an earlier release or of another provider."""
    if not pin.started_at:
        return ""
    if not pin.was_started:
        return "never started"
    try:
        at = clock(datetime.fromisoformat(pin.started_at), _ANOTHER_DAY)
    except ValueError:
        at = code(pin.started_at)
    return f"last start {at}"


def _rule(rule: Rule) -> str:
    kinds, policy = ", ".join(map(code, rule.kinds)), rule.policy
    if policy is None:
        return BY_NO_POLICY.format(kinds=kinds)
    askers = (*map(group, policy.requester_groups), *map(person, policy.requesters))
    return BY_POLICY.format(
        kinds=kinds,
        askers=some(askers, _MOST_NAMED) or ALL_MEMBERS,
        needed=policy.required_approvals,
        deciders=some(deciders(policy), _MOST_NAMED),
        policy=code(policy.name),
    )


def look_refused(
    refusal: Refusal, *, host: str, name: str, asked: str = "", hosts: Sequence[str] = ()
) -> Reply:
    """Say why there is nothing to show, what was probably meant, and which hosts there are."""
    names = tuple(map(code, meant(refusal)))
    detail = "" if names else escape(refusal.detail)
    told = refused_in_short(
        replace(refusal, detail=detail), host=code(host), name=code(name), detail=detail
    )
    words = f"{told}. Did you mean {either(names)}?" if names else f"{told}."
    if refusal.code is RefusalCode.UNKNOWN_CONTAINER:
        words += f" {code(f'list on {host}')} shows all."
    of_hosts = refusal.code in _OF_HOSTS
    return reply(f"⚠️ {answer_to(asked, words)}", _hosts(hosts) if of_hosts else "")


def unanswered(words: str, *, asked: str, hosts: Sequence[str]) -> Reply:
    """Say that nobody has answered a look; a slow answer names its question before all."""
    return reply(f"⚠️ {answer_to(asked, words)}", _hosts(hosts) if hosts else "")


def _hosts(hosts: Sequence[str]) -> str:
    if not hosts:
        return "`list hosts` shows which hosts there are."
    more = f" and {len(hosts) - _MANY_HOSTS} more" if len(hosts) > _MANY_HOSTS else ""
    return f"Hosts: {', '.join(map(code, hosts[:_MANY_HOSTS]))}{more}"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _light(state: ContainerState) -> str:
    """Show at a glance whether a container is up; one that crashes and restarts is."""
    return "🟢" if state.is_up else "⚪"


def _that_fit(rows: Sequence[str]) -> list[str]:
    """Keep as many rows as Slack takes in one message."""
    lengths = accumulate(len(row) + 1 for row in rows)
    return [row for row, length in zip(rows, lengths, strict=True) if length <= _LIST_LENGTH]
