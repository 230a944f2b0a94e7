"""What does a stop do to others that live in the container, before and after it?

The measured truth, for Docker: who uses its network or its IPC space runs on without it, and a
start of the container does not mend that; who uses its process space ends with it. Dockwarden
changes nothing but the container that was approved, so people are told what to do, in the order
in which it works.
"""

from __future__ import annotations

from activities.slack.mrkdwn import code, join_limited, safe
from workflows.model.dependents import Dependent, Fate
from workflows.model.errors import ErrorType
from workflows.model.names import CONTAINER_ID_FORM
from workflows.model.state import RequestState, RequestStatus
from workflows.model.text import short_id
from workflows.operations import catalog
from workflows.operations.facts import was_down
from workflows.operations.standing import seen_down

_MOST_NAMED = 4
_NAME_LENGTH = 40
#: Who uses this one ends when its owner does.
_PROCESSES = "process space"
_TOLD = frozenset({RequestStatus.SUCCEEDED, RequestStatus.PUT_BACK, RequestStatus.NEEDS_PERSON})


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
    """Give the command, by the id: a name may be another's by now."""
    known = CONTAINER_ID_FORM.fullmatch(one.container_id)
    command = code(f"docker restart {short_id(one.container_id) if known else 'CONTAINER'}")
    first = f"once {code(state.name_now, _NAME_LENGTH)} runs again" if _is_down(state) else "run"
    return f"To mend it, {first} on {safe(state.container.host)}: {command}"


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
