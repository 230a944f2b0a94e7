"""What reads somebody in private whose act is recorded, but was not taken up a moment later?

Pure. Nothing is promised that only a worker can do; what Temporal has recorded is not lost. What
has not been done is told only where the request itself says so.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from bot.slack.mrkdwn import Reply, code, reply
from bot.temporal.requests import Uptake
from workflows.model.markup import clock_to_the_second
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


_NOTED = {
    Act.START: "Your request for {it} is noted",
    Act.APPROVAL: "Your approval of {it} is noted",
    Act.REJECTION: "Your rejection of {it} is noted",
    Act.CANCEL: "Your cancel for {it} is noted",
    Act.STOP_TRYING: "“Stop trying” is noted for {it}",
    Act.TRY_NOW: "“Try now” is noted for {it}",
}
_DECISIONS = (Act.APPROVAL, Act.REJECTION)


def not_taken_up(
    act: Act, uptake: Uptake, request: RequestAddress, *, at: datetime, command: str
) -> Reply:
    """Say what is noted, what is known of what follows from it, and what now."""
    noted = f"👍 {_NOTED[act].format(it=code(request.container))} ({clock_to_the_second(at, at)})."
    status = code(f"{command} status {request.request_id}")
    shown_by = f"{status} shows" if act is Act.START else "its card shows"
    match uptake:
        case Uptake.STUCK:
            known = _stuck(request)
        case Uptake.NO_WORKER:
            unless = ", unless the request has expired by then" if act in _DECISIONS else ""
            known = (
                "But no Dockwarden worker answers: `dockwarden worker` must run. It is taken up "
                f"when one is back{unless}; you need not repeat it."
            )
        case Uptake.NOT_YET:
            known = (
                "The request has not come to it yet: it is busy. Its card shows what it comes to. "
                "You need not repeat it."
            )
        case _:
            known = (
                f"Dockwarden has not answered yet; {shown_by} what it comes to. "
                "You need not repeat it."
            )
    return reply(f"{noted} {known}")


def _stuck(request: RequestAddress) -> str:
    return (
        "But the request is stuck, because Dockwarden's worker fails at it again and again. Tell "
        "whoever runs Dockwarden: the worker's log has the fault under "
        f"{code(request.workflow_id)}."
    )
