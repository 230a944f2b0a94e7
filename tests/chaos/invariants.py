"""What must hold, whatever failed?

1. No write before the approval, and none on anything but the pinned container.
2. The request ended as its card says, and the container is as the request says, or as before.
3. Exactly one snapshot with the request's label, and no leftover.
4. One decision, one card, one outcome; nobody decided who may not; no click was lost.
5. What was pending when something failed went on by itself (the settling sees to that), and no
   signal, of whatever shape, made a workflow fail at its task.
6. A person is needed only where nothing else is left, is called then, and alone ends the tries:
   a cancel never does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.chaos.card_checks import cards, clicks, kept_waiting
from tests.chaos.help_checks import gone_though_there, needs_person
from tests.chaos.observations import Observations, Violation
from tests.chaos.outcome_checks import container_state, failures, images
from tests.chaos.write_checks import authority, unexplained_events, unexplained_writes

_OF_HISTORY: Final = (
    *(failures, container_state, images),
    *(needs_person, gone_though_there),
    *(cards, clicks, kept_waiting),
)


def check(observed: Observations) -> list[Violation]:
    """Hold everything against the invariants."""
    found = [*unexplained_writes(observed), *unexplained_events(observed), *_failed(observed)]
    for history in observed.histories:
        found += authority(history)
        for of_history in _OF_HISTORY:
            found += of_history(history, observed)
    return found


def _failed(observed: Observations) -> Iterator[Violation]:
    for failure in observed.task_failures:
        yield Violation(
            request_id="-", invariant=5, expected="no workflow task fails", found=failure
        )
    for payload in observed.unfit_payloads:
        yield Violation(
            request_id="-", invariant=4, expected="Slack takes what is sent", found=payload
        )
