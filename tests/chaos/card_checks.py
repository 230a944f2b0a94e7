"""Has each request one card with its last word, and was no click lost?"""

from __future__ import annotations

from collections.abc import Iterator

from deploy.laptop.channel import headline
from deploy.laptop.slack_server import USERS
from tests.chaos.event_log import Action, EventLog
from tests.chaos.histories import RequestHistory
from tests.chaos.observations import Observations, Violation, cards_of
from tests.chaos.plan import Move
from tests.rigs.request_driver import ENDS
from workflows.model.names import ActionId, thread_block_id
from workflows.model.state import RequestStatus


def cards(history: RequestHistory, observed: Observations) -> Iterator[Violation]:
    """See that the one card tells the end, and has no dead buttons."""

    def violation(expected: str, found: object) -> Violation:
        request_id = history.request.request_id
        return Violation(request_id=request_id, invariant=4, expected=expected, found=str(found))

    found, final = cards_of(history, observed), history.final
    if len(found) > 1:
        yield violation("one card", [headline(card) for card in found])
        return
    forgotten = any(at > history.ended - 3 for at in observed.event_log.slack_wiped)
    told = final or history.run.state
    if not found:
        if told is not None and told.card is not None and not forgotten:
            yield violation("a card", f"none; {history.outcome}")
        return
    status = final.status if final is not None else RequestStatus.CANCELLED
    if not headline(found[0]).startswith(ENDS[status]):
        yield violation(f"the card says {status}", headline(found[0]))
    dead = {e.get("action_id") for b in found[0]["blocks"] for e in b.get("elements", [])}
    dead &= {ActionId.APPROVE, ActionId.REJECT, ActionId.CANCEL}
    if dead:
        yield violation("no button that does nothing", dead)
    key = thread_block_id(history.request.request_id, "outcome")
    outcomes = [m for m in observed.messages if key in str(m.get("blocks"))]
    if len(outcomes) > 1:
        yield violation("one outcome in the thread", len(outcomes))


def clicks(history: RequestHistory, observed: Observations) -> Iterator[Violation]:
    """See that a click of which the bot said that it arrived is in the history."""
    state = history.run.state
    known = {d.approver_id for d, _ in history.run.decisions}
    for action in observed.event_log.actions:
        if (
            action.request_id == history.request.request_id
            and action.planned.move in (Move.APPROVE, Move.APPROVE_TWICE)
            and action.took_effect
            and action.ended < (history.run.ended or float("inf"))
            and state is not None
            and not _bot_failed(action, observed.event_log)
        ):
            user = USERS[action.user]
            if user not in known:
                yield Violation(
                    request_id=history.request.request_id,
                    invariant=4,
                    expected=f"the click of {action.user} at {action.began:.3f} is in the history",
                    found=f"only {sorted(known)}",
                )


def _bot_failed(click: Action, event_log: EventLog) -> bool:
    """Tell whether the bot, Slack or Temporal failed around a click: Slack says so to people."""
    return any(
        action.planned.move.endswith(("bot", "slack", "temporal"))
        and action.began - 8 <= click.began <= action.ended + 8
        for action in event_log.actions
    )
