"""Of which release is the history that a workflow carries on?

A workflow that began under an earlier release goes on as it began: its commands come in that
release's order. Here stand the changes that more than one room has to ask about, each by one
marker in a history, so that none is paid for twice.
"""

from __future__ import annotations

from temporalio import workflow

_RULES_AND_SEALS = "rules-and-seals"


def judges_itself() -> bool:
    """Tell whether the control worker's own book, seals and permits count.

    Before, the rules came along with the request, and nothing was sealed.
    """
    return workflow.patched(_RULES_AND_SEALS)


def knows(change: str) -> bool:
    """Tell whether a change is part of this history; one of an earlier release goes on without.

    One that judges itself knows all that came before, and pays for no other marker. Asked only
    where :func:`judges_itself` was asked at the beginning of the run.
    """
    return judges_itself() or workflow.patched(change)
