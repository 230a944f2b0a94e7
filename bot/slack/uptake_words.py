"""What reads somebody in private whose act is recorded, but was not taken up a moment later?

Pure. Nothing is promised that only a worker can do; what Temporal has recorded is not lost.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from bot.slack.mrkdwn import Reply, code, reply
from bot.temporal.requests import Uptake
from workflows.model.names import RequestAddress
from workflows.model.requests import Choice


class Act(StrEnum):
    """What somebody did."""

    START = "start"
    APPROVAL = "approval"
    REJECTION = "rejection"
    CANCEL = "cancel"
    STOP_TRYING = "stop trying"
    TRY_NOW = "try now"

    @classmethod
    def of(cls, choice: Choice) -> Act:
        """Name a decision."""
        return cls.APPROVAL if choice is Choice.APPROVE else cls.REJECTION


#: What was noted of the container, and what has not happened.
_NOTED = {
    Act.APPROVAL: ("Your approval of {it} is noted", "Nothing has been done yet"),
    Act.REJECTION: ("Your rejection of {it} is noted", "It does not count yet"),
    Act.CANCEL: ("Your cancel for {it} is noted", "It has no effect yet"),
    Act.STOP_TRYING: ("“Stop trying” is noted for {it}", "It has no effect yet"),
    Act.TRY_NOW: ("“Try now” is noted for {it}", "It has no effect yet"),
}
_DECISIONS = (Act.APPROVAL, Act.REJECTION)


def not_taken_up(
    act: Act, uptake: Uptake, request: RequestAddress, *, at: datetime, command: str
) -> Reply:
    """Say what is noted, why nothing follows from it yet, and what now."""
    if act is Act.START:
        return reply(_start(uptake, request, command))
    noted, not_yet = _NOTED[act]
    noted = f"👍 {noted.format(it=code(request.container))} ({at:%H:%M:%S} UTC)."
    if uptake is Uptake.STUCK:
        return reply(f"{noted} {not_yet}: {_stuck(request)}")
    if uptake is Uptake.NOT_YET:
        return reply(f"{noted} {not_yet}: the request is busy. You need not repeat it.")
    unless = ", unless the request has expired by then" if act in _DECISIONS else ""
    return reply(
        f"{noted} {not_yet}: no Dockwarden worker answers. It is taken up when one is back"
        f"{unless}; you need not repeat it."
    )


def _start(uptake: Uptake, request: RequestAddress, command: str) -> str:
    noted = f"⏳ Request {code(request.request_id)} for {code(request.container)} is noted"
    if uptake is Uptake.STUCK:
        return f"{noted}, but there is no card yet: {_stuck(request)}"
    status = code(f"{command} status {request.request_id}")
    return (
        f"{noted}, but no Dockwarden worker answers, so there is no card yet. It is taken up when "
        f"one is back. `dockwarden worker` must run; {status} shows how it stands."
    )


def _stuck(request: RequestAddress) -> str:
    return (
        "the request is stuck, because Dockwarden's worker fails at it again and again. Tell "
        "whoever runs Dockwarden: the worker's log has the fault under "
        f"{code(request.workflow_id)}."
    )
