"""What is left to a person when Dockwarden could not put a container back?"""

from __future__ import annotations

from activities.slack.error_help import commands, obstacle
from activities.slack.mrkdwn import code, person, safe
from workflows.model.state import RequestState, RequestStatus


def what_to_do(state: RequestState) -> str:
    """Say what is left, what to run where, and whether Dockwarden goes on trying."""
    if state.status is not RequestStatus.NEEDS_PERSON:
        return ""
    cause = obstacle(state)
    lines = [
        f"*What is left:* {_left(state)}",
        f"*What is in the way:* {cause.meaning}. {cause.advice}",
    ]
    to_run = commands(state)
    if to_run:
        lines += [f"*Run on {safe(state.container.host)}:*", *(code(command) for command in to_run)]
    return "\n".join([*lines, _tries(state)])


def called(state: RequestState) -> str:
    """Mention who is called: the requester, and whoever approved."""
    people = dict.fromkeys([state.requester, *(d.approver_id for d in state.approvals)])
    return " ".join(person(user_id) for user_id in people)


def _left(state: RequestState) -> str:
    name = code(state.container.name)
    if state.pin is not None and state.pin.state.is_up:
        return f"{name} was running before, and is not proven to run now."
    return f"{name} is not proven to be as it was."


def _tries(state: RequestState) -> str:
    tried = f"Tried {state.attempts} time{'' if state.attempts == 1 else 's'}. "
    if state.closed:
        return f"🔕 {tried}Dockwarden has stopped trying."
    return f"🔁 {tried}Dockwarden goes on trying, and notices when you have mended it."
