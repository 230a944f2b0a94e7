"""What is otherwise than before once it is done: will it stay down, and where is it reached?

Nothing here is a failure. It is what whoever acted has to know, and would else find out by an
alarm: that an engine starts some containers by itself, and that others get other ports.
"""

from __future__ import annotations

from collections.abc import Sequence

from activities.slack.mrkdwn import code, join_limited, safe
from workflows.model.state import PortMove, RequestState, RequestStatus
from workflows.operations import catalog

_MOST_PORTS = 10
_PORT_LENGTH = 20
#: A restart policy for which the engine, when it is restarted, starts even what people stopped;
#: the others leave that alone, as measured with Docker 20.10, with live-restore and without.
_ALWAYS = "always"
_NEVER = ("", "no")


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
