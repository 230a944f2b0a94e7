"""How does a waiting request go on in a new run, and how does another come in its place?

When its history has grown long, nothing is lost on the way: what was counted, what was heard and
what people were told; all that came is judged before. Everybody finds it as before, for nobody
addresses a run. A request that replaces another begins in the run after it, so that nobody else
can come in between.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from temporalio import workflow

from workflows.model import names
from workflows.model.continued import Carried, ContinuedRequest, is_continuation
from workflows.model.requests import LifecycleRequest
from workflows.model.state import waiting_attributes
from workflows.operations import catalog
from workflows.request import planning


def carried_by(request: ContinuedRequest) -> Carried:
    """Give what the run before left to this one, or what a first run begins with.

    Only Temporal can say that a run continues another: what somebody else has put into a start
    input is not looked at, nor is what the run before left for another request.
    """
    first_state = planning.first_state(request)
    carried = request.carried if is_continuation() else None
    if carried is None or carried.state.request_id != request.request_id:
        return Carried(state=first_state)
    return replace(carried, state=replace(carried.state, run_id=first_state.run_id))


def continue_as_new(request: ContinuedRequest, carried: Carried) -> NoReturn:
    """End this run, and begin the next with all that this one knows; its inbox is empty.

    Temporal gives what comes meanwhile to this run once more, before it lets it end.
    """
    state = carried.state
    workflow.logger.info("going on in a new run", extra={"request_id": state.request_id})
    workflow.continue_as_new(
        replace(request, carried=carried),
        memo={
            names.OPERATION_MEMO: catalog.words_of(state.operation),
            names.REQUESTED_AT_MEMO: state.requested_at.isoformat(),
        },
    )


def begin_next(request: LifecycleRequest) -> NoReturn:
    """End this run, whose request is over, and begin the one that comes in its place."""
    workflow.logger.info("another request comes in", extra={"request_id": request.request_id})
    workflow.continue_as_new(
        request,
        memo={names.OPERATION_MEMO: catalog.words_of(request.operation)},
        search_attributes=waiting_attributes(request),
    )
