"""Has each request one card with its last word, and was no click lost?"""

from __future__ import annotations

from collections.abc import Iterator

from deploy.laptop.channel import headline
from deploy.laptop.slack_server import USERS
from tests.chaos.event_log import Deed, Journal
from tests.chaos.histories import Story
from tests.chaos.observations import Evidence, Violation, cards_of
from tests.chaos.plan import Move
from tests.rigs.request_driver import ENDS
from workflows.model.names import ActionId, thread_block_id
from workflows.model.state import RequestStatus


def cards(story: Story, evidence: Evidence) -> Iterator[Violation]:
    """See that the one card tells the end, and has no dead buttons."""

    def violation(expected: str, found: object) -> Violation:
        request_id = story.request.request_id
        return Violation(request_id=request_id, invariant=4, expected=expected, found=str(found))

    found, final = cards_of(story, evidence), story.final
    if len(found) > 1:
        yield violation("one card", [headline(card) for card in found])
        return
    forgotten = any(at > story.ended - 3 for at in evidence.journal.slack_wiped)
    told = final or story.run.state
    if not found:
        if told is not None and told.card is not None and not forgotten:
            yield violation("a card", f"none; {story.outcome}")
        return
    status = final.status if final is not None else RequestStatus.CANCELLED
    if not headline(found[0]).startswith(ENDS[status]):
        yield violation(f"the card says {status}", headline(found[0]))
    dead = {e.get("action_id") for b in found[0]["blocks"] for e in b.get("elements", [])}
    dead &= {ActionId.APPROVE, ActionId.REJECT, ActionId.CANCEL}
    if dead:
        yield violation("no button that does nothing", dead)
    key = thread_block_id(story.request.request_id, "outcome")
    outcomes = [m for m in evidence.messages if key in str(m.get("blocks"))]
    if len(outcomes) > 1:
        yield violation("one outcome in the thread", len(outcomes))


def clicks(story: Story, evidence: Evidence) -> Iterator[Violation]:
    """See that a click of which the bot said that it arrived is in the record."""
    state = story.run.state
    known = {d.approver_id for d, _ in story.run.decisions}
    for deed in evidence.journal.deeds:
        if (
            deed.request_id == story.request.request_id
            and deed.planned.move in (Move.APPROVE, Move.APPROVE_TWICE)
            and deed.took_effect
            and deed.ended < (story.run.ended or float("inf"))
            and state is not None
            and not _bot_failed(deed, evidence.journal)
        ):
            user = USERS[deed.user]
            if user not in known:
                yield Violation(
                    request_id=story.request.request_id,
                    invariant=4,
                    expected=f"the click of {deed.user} at {deed.began:.3f} is in the record",
                    found=f"only {sorted(known)}",
                )


def _bot_failed(click: Deed, journal: Journal) -> bool:
    """Tell whether the bot, Slack or Temporal failed around a click: Slack says so to people."""
    return any(
        deed.planned.move.endswith(("bot", "slack", "temporal"))
        and deed.began - 8 <= click.began <= deed.ended + 8
        for deed in journal.deeds
    )
