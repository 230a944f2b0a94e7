"""What must hold, whatever failed?

1. No write before the approval, and none on anything but the pinned container.
2. The request ended as its card says, and the container is as the request says, or as before.
3. Exactly one snapshot with the request's label, and no leftover.
4. One decision, one card, one outcome; nobody decided who may not; no click was lost.
5. What was pending when something failed went on by itself (the settling sees to that), and no
   signal, of whatever shape, made a workflow fail at its task.
6. A person is needed only where nothing else is left, is called then, and alone ends the tries:
   a cancel never does.
7. A flood changes nothing but who is told what: a decision that is right counts, histories stay
   small, and people are told no more than ``workflows.model.limits`` allows.
8. A container is known by its id: under another name it is out of date until it is touched, and
   named as the engine names it after that; what took its name is another container.
9. One engine is one host: a worker with another host name serves nothing.
10. Only an approver replaces a request, and another begins only when that counted.
11. What no process of ours has sent does nothing: no forged decision counts, no activity is carried
   out that no workflow asked for, and each operation bears its permit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.chaos.card_checks import cards, clicks, kept_waiting
from tests.chaos.flood_checks import decisions_lost, histories_too_long, told_too_much
from tests.chaos.forgery_checks import bare_activities, forged_decisions, permits
from tests.chaos.help_checks import gone_though_there, needs_person
from tests.chaos.observations import Observations, Violation
from tests.chaos.outcome_checks import container_state, failures, images
from tests.chaos.rename_checks import named_wrongly, newcomers_touched, renamed_before
from tests.chaos.replacement_checks import replaced, served_as_other_host
from tests.chaos.write_checks import authority, unexplained_events, unexplained_writes

_OF_HISTORY: Final = (
    *(failures, container_state, images),
    *(needs_person, gone_though_there),
    *(cards, clicks, kept_waiting),
    *(decisions_lost, histories_too_long, told_too_much),
    *(renamed_before, named_wrongly, newcomers_touched),
    replaced,
    *(forged_decisions, permits),
)


def check(observed: Observations) -> list[Violation]:
    """Hold everything against the invariants."""
    found = [*unexplained_writes(observed), *unexplained_events(observed), *_failed(observed)]
    found += served_as_other_host(observed)
    found += bare_activities(observed)
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
