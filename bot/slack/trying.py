"""Who types ``stop-trying``: may they, is there something to stop, and what would it mean?

Pure. It is asked once more, because the wish is the opposite of what Dockwarden is for: a
container that is down stays so.
"""

from __future__ import annotations

from bot.service import Actor
from bot.slack.mrkdwn import DangerButton, Reply, code, person, reply
from bot.slack.standing import over_words
from bot.temporal.errors import RequestSummary
from workflows.model.names import ActionId, RequestAddress, button_value
from workflows.model.policy import may_cancel
from workflows.model.state import RequestState, RequestStatus
from workflows.operations.standing import is_start, seen_down, status_words


def ask_to_stop(
    summary: RequestSummary, state: RequestState | None, actor: Actor, *, command: str
) -> Reply:
    """Ask whether Dockwarden is to stop trying, or say why there is nothing to stop."""
    request = code(summary.request_id)
    container = f"{code(summary.container)} on {code(summary.host)}"
    if not summary.open:
        return reply(
            f"Nothing to stop: request {request} for {container} is over: "
            f"{over_words(summary, state)}."
        )
    if state is None:
        return reply(
            f"Not asked: Dockwarden has not answered in time, so it is not known whether "
            f"{container} is still being put back. Try again in a moment."
        )
    if state.status is not RequestStatus.NEEDS_PERSON:
        return reply(_not_trying(state, request, container, command))
    if state.closed:
        return reply(f"Nothing to stop: Dockwarden does not try to put {container} back any more.")
    if not may_cancel(state, actor.user_id, actor.team_id):
        return reply(
            f"🚫 Not asked: only {person(state.requester)}, who asked for it, and those who "
            f"decided can end the tries. Dockwarden goes on trying to put {container} back."
        )
    address = RequestAddress(
        request_id=summary.request_id, host=summary.host, container=summary.container
    )
    return reply(
        f"⚠️ Dockwarden goes on trying to put {container} back by itself. "
        f"If it stops, {_stays(state)} until somebody {_mends(state)} it by hand.",
        button=DangerButton(
            action_id=ActionId.STOP_TRYING,
            value=button_value(address),
            label="Stop trying",
            question=(
                f"{summary.container} stays as it is, {_perhaps(state)} perhaps, until somebody "
                "puts it back by hand."
            ),
            back="Go on trying",
        ),
    )


def _not_trying(state: RequestState, request: str, container: str, command: str) -> str:
    """Say where a request stands at which nobody has failed."""
    if state.status is RequestStatus.WAITING:
        withdraw = code(f"{command} cancel {state.request_id}")
        return (
            f"Nothing to stop: request {request} for {container} waits for approval, and nothing "
            f"was touched. To withdraw it, its requester writes {withdraw}."
        )
    if state.status is RequestStatus.RUNNING:
        return (
            f"Nothing to stop yet: request {request} for {container}: {status_words(state)}; "
            "nothing has failed for good."
        )
    return f"Nothing to stop: request {request} for {container}: {status_words(state)}."


def _stays(state: RequestState) -> str:
    """Name how a container stays when nobody tries any more: down only if it was seen so."""
    is_down = seen_down(state) and not is_start(state)
    return "it stays down" if is_down else f"it stays as it is, {_perhaps(state)} perhaps,"


def _perhaps(state: RequestState) -> str:
    return "running" if is_start(state) else "down"


def _mends(state: RequestState) -> str:
    return "stops" if is_start(state) else "starts"
