"""What does a request mean for its container and for those around it, before and after?

Nothing here can be read off a step's state. Before the approval it is what approving means: what
comes of it, what the container is, what is better known first, who else is hit. After it: whether
the container stays down, where it is reached, and what mends those that live in it. Dockwarden
changes nothing but the container that was approved; it was measured that who uses its network or
its IPC space runs on without it, and a start does not mend that, and that who uses its process
space ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from activities.slack.mrkdwn import code, join_limited, provider_fact, safe
from workflows.model.dependents import Dependent, Fate
from workflows.model.errors import ErrorType
from workflows.model.requests import ContainerState, FactPlace
from workflows.model.state import (
    Caution,
    CautionCode,
    PortMove,
    RequestState,
    RequestStatus,
    StepName,
    find_step,
)
from workflows.model.symbols import Symbol
from workflows.model.text import short_id
from workflows.model.timing import MAX_GRACE_SECONDS
from workflows.model.words import capital, duration
from workflows.operations import catalog
from workflows.operations.facts import has_step, was_down
from workflows.operations.standing import once_done, seen_down

_MOST_CAUTIONS = 5
_MOST_LEFT_OUT = 6
_DETAIL_LIMIT = 80
_MOST_FACTS = 9
_IMAGE_LENGTH = 100
_IMAGE_PARTS = 2
_LONGEST = "the longest that Dockwarden waits"
#: What can be done and undone, but is better known first.
CAUTIONS = {
    CautionCode.HEALTH_UNKNOWN: "its health may not be known in time",
    CautionCode.PORTS_CHANGE: "each start chooses its ports of the host anew",
    CautionCode.MEMORY_LOST: "what it keeps in memory alone is lost",
    CautionCode.ASKED_AS_START: "it is stopped already, so this is asked for and judged as a start",
    CautionCode.REFERENCE_OUTSIDE: "the snapshot is named {detail}, outside `dockwarden/*`: who "
    "runs that image on this host gets this container's content",
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


def what_it_comes_to(state: RequestState) -> str:
    """Say before the approval how the container is once all was done, and how hard a stop is."""
    if not state.steps:
        return ""
    told = f"*Afterwards* {once_done(state)}{_how_long(state)}."
    is_stopped = has_step(state, StepName.STOP) and not was_down(state)
    return f"{told} For the stop {_grace(state)}." if is_stopped else told


def what_it_is(state: RequestState) -> str:
    """Say what the container is, as its provider tells it, and of which image."""
    pin = state.pin
    if pin is None:
        return ""
    itself, seen = pin.told(FactPlace.ITSELF), pin.told(FactPlace.SEEN)
    is_said = bool(itself) and pin.state is ContainerState.RUNNING
    told = [] if is_said else [str(pin.state)]
    told += [provider_fact(fact) for fact in (*itself, *seen)]
    # Where an image comes from is among the details.
    image = "/".join(pin.image.split("/")[-_IMAGE_PARTS:]) or short_id(pin.image_id)
    facts = join_limited(told, _MOST_FACTS, separator=" · ")
    return f"*What it is* {facts} · image {code(image, _IMAGE_LENGTH)}"


def what_the_snapshot_holds(state: RequestState) -> str:
    """Say how large it will be, what it leaves out, and its name where that was chosen."""
    pin = state.pin
    if not catalog.makes_image(state.operation) or pin is None:
        return ""
    size = [provider_fact(fact) for fact in pin.told(FactPlace.SNAPSHOT)]
    without = [provider_fact(fact) for fact in pin.told(FactPlace.NOT_IN_SNAPSHOT)]
    left_out = f"without {join_limited(without, _MOST_LEFT_OUT)}" if without else ""
    is_chosen = bool(state.operation.snapshot_ref and state.reference)
    parts = [code(state.reference, 340) if is_chosen else "", *size, left_out]
    told = [part for part in parts if part]
    return f"*Snapshot* {' · '.join(told)}" if told else ""


def warnings(state: RequestState) -> str:
    """Say what people should know before they approve: of it in one line, of others in one."""
    stays_done = catalog.stays_done(state.operation)
    of_it = [*([stays_done] if stays_done else []), *_cautions(state)]
    lines = [f"{Symbol.MIND} {capital(' · '.join(of_it))}." if of_it else ""]
    lines.append(dependents_warning(state))
    return "\n".join(line for line in lines if line)


def _cautions(state: RequestState) -> list[str]:
    left_out = len(state.cautions) - _MOST_CAUTIONS
    told = [_caution(caution) for caution in state.cautions[:_MOST_CAUTIONS]]
    return [*told, f"and {left_out} more"] if left_out > 0 else told


def _caution(caution: Caution) -> str:
    words = CAUTIONS[caution.code]
    if "{detail}" in words:
        return words.format(detail=code(caution.detail, _DETAIL_LIMIT))
    return f"{words} ({safe(caution.detail, _DETAIL_LIMIT)})" if caution.detail else words


def _how_long(state: RequestState) -> str:
    """Say until when what is stopped stays so; nothing of what is not left stopped."""
    if not catalog.leaves_down(state.operation):
        return ""
    told = state.pin.told(FactPlace.AFTERWARDS) if state.pin else ()
    if told:
        return f", and {' · '.join(map(provider_fact, told))}"
    return f" {stays_down(state) or 'until somebody starts it'}"


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
    return "It had been started anew since the card was posted. It is the same container."


def afterwards(state: RequestState) -> str:
    """Say it of a request that is over, one a line; nothing where all is as it was."""
    down = ""
    if state.status is RequestStatus.SUCCEEDED and catalog.leaves_down(state.operation):
        down = f"It is down{_how_long(state)}."
    return "\n".join(line for line in (down, _moved(state.moved_ports)) if line)


def left_by_it(state: RequestState, snapshot: str) -> str:
    """Say in one line what is left of a request that was carried out."""
    stop = find_step(state.steps, StepName.STOP)
    is_noted = stop is not None and bool(stop.note) and not stop.note.startswith("exit code")
    killed = safe(stop.note, 120) if stop is not None and is_noted else ""
    told = [killed, *afterwards(state).split("\n"), restarted_since(state)]
    parts = [snapshot, *(f"{part[:1].lower()}{part[1:]}".rstrip(".") for part in told)]
    return capital(" · ".join(part for part in parts if part))


def _moved(ports: Sequence[PortMove]) -> str:
    """Say which ports of the host lead to a container that was started again."""
    if not ports:
        return ""
    shown = (f"{safe(p.port, _PORT_LENGTH)} {_at(p.before)} → {_at(p.after)}" for p in ports)
    return f"Other ports of the host lead to it now: {join_limited(shown, _MOST_PORTS)}."


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
    told = [*([_cut_off(cut_off)] if cut_off else []), *([_ended(ended)] if ended else [])]
    if known.more:
        told.append(f"{known.more} more use something of it")
    if known.unseen:
        others = f"{known.unseen} other container{_s(known.unseen)}"
        told.append(f"there was no time to see whether {others} on the host use anything of it")
    return f"{Symbol.MIND} {capital(' · '.join(told))}." if told else ""


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
    them, restart = ("it", "it is restarted") if len(users) == 1 else ("them", "each is restarted")
    return f"{_use(users)}: the stop cuts {them} off until {restart}"


def _ended(users: list[Dependent]) -> str:
    ends, starts = ("it ends", "is") if len(users) == 1 else ("they end", "are")
    return f"{_use(users)}: {ends} with the stop, and {starts} not started again"


def _use(users: list[Dependent]) -> str:
    names = join_limited(map(_name, users), _MOST_NAMED)
    spaces = " or ".join(dict.fromkeys(one.space for one in users))
    return f"{names} use{'s' if len(users) == 1 else ''} its {spaces}"


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
