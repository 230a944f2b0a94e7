"""How far has a request come when a fault meets it?"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from tests.rigs.request_driver import Request
from tests.rigs.slack_proxy import Fault
from tests.rigs.slack_users import SlackUsers
from tests.rigs.waiting import eventually
from workflows.model.state import RequestStatus

#: Takes a while to stop, so that a step can be met.
STOPS_SLOWLY: Final = 'trap "sleep 2; exit 0" TERM; sleep 100000 & wait $!'


class Phase(StrEnum):
    """The phases of a request that goes well."""

    WAITING = "waiting"
    DECIDING = "deciding"
    RUNNING = "running"
    REPORTING = "reporting"


async def bring_to(users: SlackUsers, phase: Phase, kind: str) -> Request:
    """Bring a request to a phase, and see that it is there."""
    slack_proxy = users.installation.slack_proxy
    request = await users.run_and_ask(kind, "stop {} snapshot", script=STOPS_SLOWLY)
    if phase is Phase.WAITING:
        return request
    held = None
    if phase is Phase.DECIDING:
        held = slack_proxy.inject("users.info", Fault.DELAY, seconds=1.0)
    if phase is Phase.REPORTING:
        held = slack_proxy.inject("chat.update", Fault.DELAY, seconds=1.0, when=_is_outcome)
    await users.approve(request)
    if held is not None:
        await eventually(lambda: held.fired == 1, within=30, what=f"it is {phase}")
    else:
        await request.until(RequestStatus.RUNNING)
    return request


async def carry_on(
    users: SlackUsers, phase: Phase, request: Request, *, by_command: bool = False
) -> None:
    """Do what people have still to do, with the buttons that were there, and see the outcome."""
    if phase is Phase.WAITING and by_command:
        await users.installation.channel.ask("bob", f"approve {request.request_id}")
    elif phase is Phase.WAITING:
        await users.approve(request)
    await users.check_snapshotted(request, await request.outcome())


def _is_outcome(payload: Mapping[str, Any]) -> bool:
    return "✅" in str(payload.get("text")) or "\\u2705" in str(payload.get("blocks"))
