"""What reads somebody in private whose act is recorded, but was not taken up a moment later?

Pure. Nothing is promised that only a worker can do; what Temporal has recorded is not lost. What
has not been done is told only where the request itself says so. A request that was asked for has
its answer in its card, or in its refusal: only where neither came is a line written.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from bot.slack.mrkdwn import Reply, answer_to, code, link, reply
from bot.temporal.requests import Uptake
from workflows.model.markup import clock_to_the_second
from workflows.model.names import RequestAddress
from workflows.model.requests import Choice
from workflows.model.state import RequestState
from workflows.operations.standing import status_words


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
    Act.APPROVAL: "Your approval of {it} is noted",
    Act.REJECTION: "Your rejection of {it} is noted",
    Act.CANCEL: "Your cancel for {it} is noted",
    Act.STOP_TRYING: "“Stop trying” is noted for {it}",
    Act.TRY_NOW: "“Try now” is noted for {it}",
}
_DECISIONS = (Act.APPROVAL, Act.REJECTION)


def not_taken_up(
    act: Act, uptake: Uptake, request: RequestAddress, *, asked: str, at: datetime, command: str
) -> Reply:
    """Say what is noted, what is known of what follows from it, and what now."""
    if act is Act.START:
        return _not_answered(uptake, request, asked=asked, at=at, command=command)
    noted = f"👍 {_NOTED[act].format(it=code(request.container))} ({clock_to_the_second(at, at)})."
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
                "Dockwarden has not answered yet; its card shows what it comes to. "
                "You need not repeat it."
            )
    return reply(f"{noted} {known}")


def answered(state: RequestState, asked: str) -> Reply | None:
    """Say that the card is up; ``None`` for a request that was refused: the workflow tells that.

    It stands in place of the line that said that it was not, or below it.
    """
    if state.refusal is not None:
        return None
    it = asked or state.container.name
    if state.card is None:
        return reply(answer_to(it, f"it is over: {status_words(state)}."))
    where = link(state.card.permalink, "See it")
    return reply(f"✅ {answer_to(it, 'its card is up.')} {where}".rstrip())


def _not_answered(
    uptake: Uptake, request: RequestAddress, *, asked: str, at: datetime, command: str
) -> Reply:
    """Say that neither card nor refusal has come, as far as whoever was asked has answered."""
    status = code(f"{command} status {request.request_id}")
    follows = "Its card, or why there is none, follows if it is not here already"
    match uptake:
        case Uptake.STUCK:
            known = _stuck(request)
        case Uptake.NO_WORKER:
            known = (
                "But no Dockwarden worker answers: `dockwarden worker` must run. "
                f"{follows}, when one is back; {status} shows how it stands. You need not repeat "
                "it."
            )
        case Uptake.NOT_YET:
            known = (
                "Dockwarden is at it, but its card is not up yet. It follows, or why there is "
                "none. You need not repeat it."
            )
        case _:
            known = (
                f"Dockwarden has not answered yet. {follows}; {status} shows how it stands. You "
                "need not repeat it."
            )
    noted = answer_to(asked or request.container, f"noted ({clock_to_the_second(at, at)}).")
    return reply(f"⏳ {noted} {known}")


def _stuck(request: RequestAddress) -> str:
    return (
        "But the request is stuck, because Dockwarden's worker fails at it again and again. Tell "
        "whoever runs Dockwarden: the worker's log has the fault under "
        f"{code(request.workflow_id)}."
    )
