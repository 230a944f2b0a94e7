"""What does a request mean for its container and for those around it, before and after?

Nothing here can be read off a step's state. Before the approval it is what approving means: what
will happen, what is better known first, who else is hit. After it: whether the container stays
down, where it is reached, and what mends those that live in it. Dockwarden changes nothing but
the container that was approved; it was measured that who uses its network or its IPC
space runs on without it, and a start does not mend that, and that who uses its process space ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from activities.slack.mrkdwn import code, join_limited, provider_fact, safe
from workflows.model.dependents import Dependent, Fate
from workflows.model.errors import ErrorType
from workflows.model.requests import FactPlace
from workflows.model.state import (
    Caution,
    CautionCode,
    PortMove,
    RequestState,
    RequestStatus,
    StepState,
)
from workflows.model.timing import MAX_GRACE_SECONDS
from workflows.model.words import duration
from workflows.operations import catalog
from workflows.operations.facts import was_down
from workflows.operations.standing import known, seen_down

_MOST_CAUTIONS = 5
_MOST_LEFT_OUT = 12
_DETAIL_LIMIT = 80
_LONGEST = "the longest that Dockwarden waits"
#: What can be done and undone, but is better known first; each begins a line of its own.
CAUTIONS = {
    CautionCode.HEALTH_UNKNOWN: "Its health may not be known when Dockwarden stops waiting for it: "
    "then it is told as up, health not known yet",
    CautionCode.PORTS_CHANGE: "Each start chooses its ports of the host anew, and what reaches it "
    "there then needs the new ones",
    CautionCode.MEMORY_LOST: "A stop empties what it keeps in memory alone, for good",
    CautionCode.ASKED_AS_START: "It is stopped already: to restart it is to start it, and is asked "
    "for and judged as that",
    CautionCode.REFERENCE_OUTSIDE: "It names the snapshot {detail}, which is outside "
    "`dockwarden/*`: whoever runs that image on this host gets this container's content",
}
_MOST_PORTS = 10
_PORT_LENGTH = 20
#: A restart policy for which the engine, when it is restarted, starts even what people stopped;
#: the others leave that alone, as measured with Docker 20.10, with live-restore and without.
_ALWAYS = "always"
_NEVER = ("", "no")
_MOST_NAMED = 4
_NAME_LENGTH = 40
#: Who uses this one ends when its owner does.
_PROCESSES = "process space"
_TOLD = frozenset({RequestStatus.SUCCEEDED, RequestStatus.PUT_BACK, RequestStatus.NEEDS_PERSON})


def plan_lines(state: RequestState) -> str:
    """Say what will happen after the approval, step by step, and how long a stop holds."""
    lines = [f"{n}. {_plan(state, step)}" for n, step in enumerate(state.steps, start=1)]
    until = stays_down(state)
    return "\n".join([*lines, *([f"It then stays down {until}"] if until else [])])


def plan_sentence(state: RequestState) -> str:
    """Say in few words what will happen, for the dialog that asks whether one is sure."""
    words = [known(step, state).to_do.lower() for step in state.steps]
    return ", ".join(words) or catalog.words_of(state.operation)


def left_out_of_snapshot(state: RequestState) -> str:
    """List what a snapshot of this container leaves out."""
    if not catalog.makes_image(state.operation) or state.pin is None:
        return ""
    left_out = [provider_fact(fact) for fact in state.pin.told(FactPlace.NOT_IN_SNAPSHOT)]
    return f"⚠️ Not in the snapshot: {join_limited(left_out, _MOST_LEFT_OUT)}" if left_out else ""


def caution_lines(state: RequestState) -> str:
    """Say what people should know before they approve, one a line."""
    left_out = len(state.cautions) - _MOST_CAUTIONS
    stays_done = catalog.stays_done(state.operation)
    return "\n".join(
        [
            *([f"⚠️ {stays_done}."] if stays_done else []),
            *(_caution(caution) for caution in state.cautions[:_MOST_CAUTIONS]),
            *([f"⚠️ And {left_out} more."] if left_out > 0 else []),
        ]
    )


def _caution(caution: Caution) -> str:
    words = CAUTIONS[caution.code]
    if "{detail}" in words:
        return f"⚠️ {words.format(detail=code(caution.detail, _DETAIL_LIMIT))}."
    detail = f" ({safe(caution.detail, _DETAIL_LIMIT)})" if caution.detail else ""
    return f"⚠️ {words}{detail}."


def _plan(state: RequestState, step: StepState) -> str:
    return known(step, state).plan.format(
        name=code(state.container.name), grace=_grace(state), reference=code(state.reference, 340)
    )


def _grace(state: RequestState) -> str:
    """Say how long it may take to end, and where that differs from its own limit, why."""
    gets = duration(timedelta(seconds=state.grace_seconds))
    own = state.pin.stop_timeout_seconds if state.pin else None
    if state.operation.grace_seconds is not None:
        own = None
    if own == 0:
        return (
            "it gets no time, but is told to end and killed in the same moment, for its own stop "
            "time-out is 0"
        )
    beyond = own is not None and not 0 < own <= MAX_GRACE_SECONDS
    if own is not None and beyond and state.grace_seconds == MAX_GRACE_SECONDS:
        limit = duration(timedelta(seconds=own)) if own > 0 else "none"
        return f"its own limit is {limit}, and it gets {gets}, {_LONGEST}; then it is killed"
    return f"it gets {gets} to end by itself, then it is killed"


def stays_down(state: RequestState) -> str:
    """Say until when a container that is stopped stays so, where its restart policy leaves doubt.

    It is true before the stop and after it; ``""`` where nothing but a person starts it anyway,
    or where it is not left stopped.
    """
    policy = state.pin.restart_policy if state.pin else ""
    if not catalog.leaves_down(state.operation) or policy in _NEVER:
        return ""
    if policy == _ALWAYS:
        by_policy = f"its restart policy is {code(policy)}"
        return f"until somebody starts it, or the engine itself is restarted ({by_policy})"
    return "until somebody starts it"


def restarted_since(state: RequestState) -> str:
    """Say that the same container runs anew since people decided about it."""
    if not state.restarted_since:
        return ""
    return "🔁 It had been started anew since the card was posted. It is the same container."


def afterwards(state: RequestState) -> str:
    """Say it of a request that is over, one a line; nothing where all is as it was."""
    until = stays_down(state) if state.status is RequestStatus.SUCCEEDED else ""
    down = f"⏹️ It stays down {until}." if until else ""
    return "\n".join(line for line in (down, _moved(state.moved_ports)) if line)


def _moved(ports: Sequence[PortMove]) -> str:
    """Say which ports of the host lead to a container that was started again."""
    if not ports:
        return ""
    shown = (f"{safe(p.port, _PORT_LENGTH)} {_at(p.before)} → {_at(p.after)}" for p in ports)
    return f"🔀 Other ports of the host lead to it now: {join_limited(shown, _MOST_PORTS)}."


def _at(ports: Sequence[int]) -> str:
    return join_limited((str(port) for port in ports), 2, separator="/")


def dependents_warning(state: RequestState) -> str:
    """Say before the approval who else is hit, and how."""
    if was_down(state):
        # Nothing of it is stopped.
        return ""
    known = state.dependents
    ended = [one for one in known.found if one.space == _PROCESSES]
    cut_off = [one for one in known.found if one.space != _PROCESSES]
    lines = [*([_cut_off(cut_off)] if cut_off else []), *([_ended(ended)] if ended else [])]
    if known.more:
        lines.append(f"⚠️ And {known.more} more use something of it.")
    if known.unseen:
        others = f"{known.unseen} other container{_s(known.unseen)}"
        lines.append(f"⚠️ There was no time to see whether {others} on the host use anything of it.")
    if known.found:
        lines.append("Dockwarden changes nothing but the container of this card.")
    return "\n".join(lines)


def dependents_in_short(state: RequestState) -> str:
    """Say in a dialog that others are hit, which the card names."""
    count = len(state.dependents.found) + state.dependents.more
    if not count or was_down(state):
        return ""
    who = "Another container lives" if count == 1 else f"{count} other containers live"
    return f" {who} in it, and the stop hits that too: see the card."


def dependents_left(state: RequestState) -> str:
    """Say once it is over who is cut off or down, and what mends it, one container a line."""
    if state.status not in _TOLD:
        return ""
    known = state.dependents
    harmed = [one for one in known.found if one.fate is not Fate.UNHARMED]
    lines = [_left(state, one) for one in harmed[:_MOST_NAMED]]
    more = max(len(harmed) - _MOST_NAMED, 0) + known.more
    if more:
        lines.append(f"⚠️ And {more} more used something of it: look at them too.")
    return "\n".join(lines)


def _cut_off(users: list[Dependent]) -> str:
    them, restart = ("it", "its own restart") if len(users) == 1 else ("them", "a restart of each")
    mends = f"only {restart}, once this container runs again, mends that"
    return f"{_use(users)}: the stop cuts {them} off, and {mends}."


def _ended(users: list[Dependent]) -> str:
    ends, them = ("it ends", "it") if len(users) == 1 else ("they end", "them")
    return f"{_use(users)}: {ends} with the stop, and Dockwarden does not start {them} again."


def _use(users: list[Dependent]) -> str:
    names = join_limited(map(_name, users), _MOST_NAMED)
    spaces = " or ".join(dict.fromkeys(one.space for one in users))
    return f"⚠️ {names} use{'s' if len(users) == 1 else ''} its {spaces}"


def _left(state: RequestState, one: Dependent) -> str:
    name, owner = _name(one), code(state.name_now, _NAME_LENGTH)
    used = f"the {one.space} of {owner}"
    if one.fate is Fate.GONE:
        return f"⚠️ {name}, which used {used}, is gone."
    if _is_gone(state):
        return f"⚠️ {name} used {used}, which is gone for good: make {name} anew, too."
    mend = _restart(state, one)
    if one.fate is Fate.DOWN:
        return f"⚠️ {name} *is down*: it used {used}. {mend}"
    if one.fate is Fate.NOT_KNOWN:
        fate = "down" if one.space == _PROCESSES else "cut off"
        return f"⚠️ {name} used {used}, and nobody has looked at it since: it may be {fate}. {mend}"
    if _is_down(state):
        return f"⚠️ {name} *is cut off*: it uses {used}, which is down. {mend}"
    return f"⚠️ {name} *is cut off*: it runs on in {used} as it was before the stop. {mend}"


def _restart(state: RequestState, one: Dependent) -> str:
    """Give the command, which its provider has written; one of an earlier release has not."""
    again = f"once {code(state.name_now, _NAME_LENGTH)} runs again"
    if not one.restart:
        return f"To mend it, restart it{f' {again}' if _is_down(state) else ''}."
    first = again if _is_down(state) else "run"
    return f"To mend it, {first} on {safe(state.container.host)}: {code(one.restart)}"


def _is_gone(state: RequestState) -> bool:
    """Tell whether the owner was removed: who refers to its id can never be started again."""
    gone = state.put_back_error is ErrorType.CONTAINER_GONE
    return state.status is RequestStatus.NEEDS_PERSON and gone


def _is_down(state: RequestState) -> bool:
    """Tell whether the owner is down now, so that no one can join it."""
    if state.status is RequestStatus.NEEDS_PERSON:
        return state.seen is None or seen_down(state)
    if state.status is RequestStatus.PUT_BACK:
        return was_down(state)
    stays_down = catalog.leaves_down(state.operation)
    return state.status is RequestStatus.SUCCEEDED and stays_down


def _name(one: Dependent) -> str:
    return code(one.name, _NAME_LENGTH)


def _s(count: int) -> str:
    return "" if count == 1 else "s"
