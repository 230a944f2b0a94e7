"""What must hold, whatever failed?

1. No write before the approval, and none on anything but the pinned container.
2. The request ended as its card says, and the container is as the request says, or as before.
3. Exactly one snapshot with the request's label, and no leftover.
4. One decision, one card, one outcome; nobody decided who may not; no click was lost.
5. What was pending when something failed went on by itself (the settling sees to that).
"""

from __future__ import annotations

from tests.chaos.card_checks import cards, clicks
from tests.chaos.observations import Observations, Violation
from tests.chaos.outcome_checks import container_state, failures, images
from tests.chaos.write_checks import authority, unexplained_events, unexplained_writes


def check(observed: Observations) -> list[Violation]:
    """Hold everything against the invariants."""
    found = [*unexplained_writes(observed), *unexplained_events(observed)]
    for history in observed.histories:
        found += authority(history)
        for of_history in (failures, container_state, images, cards, clicks):
            found += of_history(history, observed)
    return found
