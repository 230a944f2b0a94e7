"""Was a person needed only where nothing else was left, and were they told so?

A person is called when people or a dead engine made it impossible to put a container back, and
the tries end only when somebody said so in so many words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from temporalio.client import WorkflowExecutionStatus

from deploy.laptop.channel import headline
from tests.chaos.histories import RequestHistory
from tests.chaos.observations import Observations, Violation, cards_of
from tests.chaos.plan import Move
from tests.chaos.system import OWNED
from workflows.model.errors import HOPELESS_ERRORS, ErrorType
from workflows.model.requests import Intent
from workflows.model.state import RequestState, RequestStatus, StepName, StepState

#: So often an operation is begun again for a request; whoever terminates it more often means it.
_TERMINATED_TOO_OFTEN: Final = 4
_DOWN: Final = ("exited", "created")


def needs_person(history: RequestHistory, observed: Observations) -> Iterator[Violation]:
    """Allow it only where people made it impossible, or told Dockwarden to stop trying."""
    final = history.final
    if final is None or final.status is not RequestStatus.NEEDS_PERSON:
        return

    def violation(expected: str, found: object) -> Violation:
        request_id = history.request.request_id
        return Violation(request_id=request_id, invariant=6, expected=expected, found=str(found))

    stopped = is_stopped_by_person(history, final)
    if final.stop_trying_by and not stopped:
        yield violation("who stopped the tries sent stop_trying", final.stop_trying_by)
    if not stopped and not _is_excused(history, final, observed):
        why = [(step.name.value, step.error) for step in final.steps if step.error]
        yield violation(
            "the tries end only when people made it impossible, or said to stop trying",
            f"{final.cause} {why}, tried {final.attempts} times",
        )
    drawn_by_request = final.cause in (ErrorType.UNEXPECTED, ErrorType.STATE_CONFLICT)
    if not final.paged and not drawn_by_request and final is not history.reconciled:
        yield violation("people were called", "not paged")
    for expected, found in _card(history, final, observed):
        yield violation(expected, found)


def _card(
    history: RequestHistory, final: RequestState, observed: Observations
) -> Iterator[tuple[str, str]]:
    """See that the card says how the container is, and what is left to do."""
    cards, put_back = cards_of(history, observed), _put_back(final)
    if not cards:
        return
    card, words = headline(cards[0]), str(cards[0].get("blocks"))
    if "*Do this*" not in words:
        yield "the card says what is left", card
    running = put_back is not None and put_back.error is ErrorType.NOT_RUNNING
    if running and final.seen is not None and "docker start" not in words:
        yield "the card says which commands to run", card
    if is_stopped_by_person(history, final) and _lies_down(history, final, observed):
        known = final.seen is not None or history.request.container.name == OWNED
        wanted = "DOWN" if known else "not known"
        if wanted not in card:
            yield f"the card says {wanted}", card


def is_stopped_by_person(history: RequestHistory, final: RequestState) -> bool:
    """Tell whether somebody who may do so sent the signal that ends the tries."""
    may = {history.request.requester, *(d.approver_id for d in final.decisions)}
    return final.stop_trying_by in may and any(
        sent.intent is Intent.STOP_TRYING and sent.user_id == final.stop_trying_by
        for sent, _ in history.run.instructions
    )


def gone_though_there(history: RequestHistory, observed: Observations) -> Iterator[Violation]:
    """See that nobody is told of a container that it is gone while the engine has it."""
    final = history.final
    if final is None or final.pin is None or not observed.event_log.samples:
        return
    told = {final.cause, *(step.error for step in final.steps)}
    there = observed.event_log.samples[-1].states.get(final.pin.container_id)
    if ErrorType.CONTAINER_GONE in told and there is not None:
        yield Violation(
            request_id=history.request.request_id,
            invariant=6,
            expected="only what is gone is called gone",
            found=f"{history.request.container.name} is {there}, told {final.cause_text}",
        )


def _is_excused(history: RequestHistory, final: RequestState, observed: Observations) -> bool:
    assert final.pin is not None
    container, began = final.pin.container_id, history.operations[0].began
    put_back = _put_back(final)
    hopeless = put_back is not None and put_back.error in HOPELESS_ERRORS
    by_people = hopeless and observed.event_log.touched(container, began - 30, history.ended)
    # A renamed container is not there for people to make anew, and its owner is gone all the same.
    by_owner = (
        put_back is not None
        and put_back.error is ErrorType.OWNER_GONE
        and any(
            action.planned.move is Move.RECREATE_OWNER
            and action.container_id
            and action.container_id[:12] in put_back.note
            for action in observed.event_log.actions
        )
    )
    # An engine that was killed stops what ran under it when it comes back, and nothing tells that
    # from a person's stop: then somebody has to say what is meant.
    stop = next((s for s in final.steps if s.name is StepName.STOP), None)
    as_if_by_people = (
        put_back is not None
        and put_back.error is ErrorType.STOPPED_BY_PERSON
        and put_back.finished_at is not None
        and stop is not None
        and stop.finished_at is not None
        and observed.event_log.engine_was_down(
            stop.finished_at.timestamp(), put_back.finished_at.timestamp()
        )
    )
    terminated = [
        run for run in history.operations if run.status is WorkflowExecutionStatus.TERMINATED
    ]
    too_often = len(terminated) >= _TERMINATED_TOO_OFTEN
    return bool(
        by_people or by_owner or as_if_by_people or too_often or is_overtaken(history, observed)
    )


def _lies_down(history: RequestHistory, final: RequestState, observed: Observations) -> bool:
    assert final.pin is not None
    ended, container = history.ended, final.pin.container_id
    after = next((s for s in observed.event_log.samples if s.at > ended), None)
    if after is None or observed.event_log.touched(container, ended - 10, after.at):
        return False
    return after.states.get(container) in _DOWN


def _put_back(final: RequestState) -> StepState | None:
    return next((s for s in final.steps if s.name is StepName.PUT_BACK), None)


def is_overtaken(history: RequestHistory, observed: Observations) -> bool:
    """Tell whether it was ended from outside, and another request was approved then."""
    assert history.final is not None
    assert history.final.pin is not None
    return history.final is history.reconciled and any(
        run.began > history.operations[-1].began
        and run.operate is not None
        and run.operate.state.pin is not None
        and run.operate.state.pin.container_id == history.final.pin.container_id
        for other in observed.histories
        if other is not history
        for run in other.operations
    )
