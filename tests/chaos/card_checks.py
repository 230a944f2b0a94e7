"""Has each request one card with its last word, and was no click lost?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deploy.laptop.channel import headline
from deploy.laptop.slack_server import USERS
from tests.chaos.event_log import Action, EventLog
from tests.chaos.histories import RequestHistory
from tests.chaos.observations import Observations, Violation, cards_of
from tests.chaos.plan import FLOODS, Move
from tests.rigs.request_driver import ENDS
from workflows.model.errors import RefusalCode
from workflows.model.names import DECIDE_SIGNAL, ActionId, thread_block_id
from workflows.model.requests import Intent
from workflows.model.state import RequestStatus

_OF_AN_OPEN_REQUEST: Final = frozenset(
    {
        *(ActionId.APPROVE, ActionId.REJECT, ActionId.CANCEL),
        *(ActionId.STOP_TRYING, ActionId.TRY_NOW),
    }
)
#: Which signal comes of which move.
_SENDS: Final = {
    Move.APPROVE: DECIDE_SIGNAL,
    Move.APPROVE_TWICE: DECIDE_SIGNAL,
    # One who may decide, in the middle of it.
    **dict.fromkeys(FLOODS, DECIDE_SIGNAL),
    Move.CANCEL_AGAIN: str(Intent.CANCEL),
    Move.STOP_TRYING: str(Intent.STOP_TRYING),
    Move.TRY_NOW: str(Intent.TRY_NOW),
}
#: So long after a worker's end Temporal may take it for there.
_LINGERS: Final = 60.0


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
    dead &= _OF_AN_OPEN_REQUEST
    if dead:
        yield violation("no button that does nothing", dead)
    key = thread_block_id(history.request.request_id, "outcome")
    outcomes = [m for m in observed.messages if key in str(m.get("blocks"))]
    if len(outcomes) > 1:
        yield violation("one outcome in the thread", len(outcomes))


def clicks(history: RequestHistory, observed: Observations) -> Iterator[Violation]:
    """See that a click of which the bot said that it arrived is in the history."""
    state = history.run.state
    known = {("decide", d.approver_id) for d, _ in history.run.decisions}
    known |= {(str(sent.intent), sent.user_id) for sent, _ in history.run.instructions}
    for action in observed.event_log.actions:
        if (
            action.request_id == history.request.request_id
            and action.planned.move in _SENDS
            and action.took_effect
            and action.user
            and action.ended < (history.run.ended or float("inf"))
            and state is not None
            and not _bot_failed(action, observed.event_log)
            and not _told_so(action, observed)
        ):
            wanted = (_SENDS[action.planned.move], USERS[action.user])
            if wanted not in known:
                yield Violation(
                    request_id=history.request.request_id,
                    invariant=4,
                    expected=f"the click of {action.user} at {action.began:.3f} is in the history: "
                    f"{wanted}",
                    found=f"only {sorted(known)}",
                )


def kept_waiting(history: RequestHistory, observed: Observations) -> Iterator[Violation]:
    """See that nobody is sent away as too busy by slow stops: only faults make a host busy."""
    state = history.run.state
    if state is None or state.refusal is None or state.refusal.code is not RefusalCode.HOST_BUSY:
        return
    began = history.run.began
    faults = [
        action
        for action in observed.event_log.actions
        if (
            action.planned.move.endswith(("worker", "temporal", "engine"))
            or action.planned.move in FLOODS
        )
        and action.took_effect
        and began - _LINGERS <= action.ended
        and action.began <= history.ended
    ]
    if not faults:
        yield Violation(
            request_id=history.request.request_id,
            invariant=4,
            expected="a card, while nothing but slow stops is at work",
            found=f"refused: {state.refusal.code}",
        )


def _told_so(click: Action, observed: Observations) -> bool:
    """Tell whether the bot said that a click did not arrive: a flood may be too much for it."""
    return any(
        user_id == USERS[click.user] and click.began <= at <= click.ended + _LINGERS
        for at, user_id in observed.turned_away
    )


def _bot_failed(click: Action, event_log: EventLog) -> bool:
    """Tell whether the bot, Slack or Temporal failed around a click: Slack says so to people."""
    return any(
        action.planned.move.endswith(("bot", "slack", "temporal", "tokens"))
        and action.began - 8 <= click.began <= action.ended + 8
        for action in event_log.actions
    )
