"""Who types ``stop-trying``: is there something to stop, and what would it mean?

Pure. It is asked once more, because the wish is the opposite of what Dockwarden is for: a
container that is down stays so.
"""

from __future__ import annotations

from bot.slack.listings import status_words
from bot.slack.mrkdwn import DangerButton, Reply, code, reply
from bot.temporal.errors import RequestSummary
from workflows.model.names import ActionId, RequestAddress, button_value
from workflows.model.state import RequestState, RequestStatus


def ask_to_stop(summary: RequestSummary, state: RequestState | None, *, command: str) -> Reply:
    """Ask whether Dockwarden is to stop trying, or say why there is nothing to stop."""
    request = code(summary.request_id)
    container = f"{code(summary.container)} on {code(summary.host)}"
    if not summary.open:
        return reply(
            f"Nothing to stop: request {request} for {container} is over: "
            f"{status_words(summary.status)}."
        )
    if state is None:
        return reply(
            f"Not asked: no worker answers, so nobody knows whether {container} is still being "
            "brought back. Nothing is tried until one is back; try again then."
        )
    if state.status is not RequestStatus.NEEDS_PERSON:
        return reply(_not_trying(state, request, container, command))
    if state.closed:
        return reply(
            f"Nothing to stop: Dockwarden does not try to bring {container} back any more."
        )
    address = RequestAddress(
        request_id=summary.request_id, host=summary.host, container=summary.container
    )
    return reply(
        f"⚠️ Dockwarden goes on trying to bring {container} back by itself. "
        "If it stops, nobody will but you.",
        button=DangerButton(
            action_id=ActionId.STOP_TRYING,
            value=button_value(address),
            label="Stop trying",
            question=(
                f"{summary.container} stays as it is, down perhaps, until somebody brings it back "
                "by hand."
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
            f"Nothing to stop: request {request} for {container} is being carried out, and nothing "
            "has failed for good."
        )
    return f"Nothing to stop: request {request} for {container}: {status_words(state.status)}."
