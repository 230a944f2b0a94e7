"""Is a failure that reaches a workflow called by the name of what failed?"""

from __future__ import annotations

import inspect
from datetime import UTC, datetime

import pytest
from temporalio import activity
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    RetryState,
    TimeoutError as TemporalTimeoutError,
    TimeoutType,
)

from workflows import failures
from workflows.model import dependent_ports, ports, queue_ports, start_ports, watchdog_ports
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.requests import ContainerState
from workflows.model.state import Refusal, Sighting


def failed(cause: BaseException, activity_type: str = "ensure_stopped") -> ActivityError:
    """Wrap a failure as the server does."""
    error = ActivityError(
        "activity failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="worker",
        activity_type=activity_type,
        activity_id="1",
        retry_state=RetryState.TIMEOUT,
    )
    error.__cause__ = cause
    return error


def timed_out(kind: TimeoutType) -> TemporalTimeoutError:
    """Make a time-out."""
    return TemporalTimeoutError("timed out", type=kind, last_heartbeat_details=[])


#: What a time-out of each activity means, once a worker had taken it.
TIMED_OUT = {
    "inspect_container": ErrorType.ENGINE_AMBIGUOUS,
    "list_containers": ErrorType.ENGINE_AMBIGUOUS,
    "ensure_stopped": ErrorType.ENGINE_AMBIGUOUS,
    "ensure_running": ErrorType.ENGINE_AMBIGUOUS,
    "ensure_started": ErrorType.ENGINE_AMBIGUOUS,
    "look_at_dependents": ErrorType.ENGINE_AMBIGUOUS,
    "ensure_snapshot": ErrorType.ENGINE_AMBIGUOUS,
    "ensure_tag": ErrorType.ENGINE_AMBIGUOUS,
    "sweep_snapshots": ErrorType.ENGINE_AMBIGUOUS,
    "publish": ErrorType.SLACK_UNAVAILABLE,
    "notify": ErrorType.SLACK_UNAVAILABLE,
    "look_up_person": ErrorType.SLACK_UNAVAILABLE,
    "list_group_members": ErrorType.SLACK_UNAVAILABLE,
    "find_ended_runs": ErrorType.UNEXPECTED,
    "last_state": ErrorType.UNEXPECTED,
    "queue_place": ErrorType.UNEXPECTED,
    "find_stuck_runs": ErrorType.UNEXPECTED,
    "end_stuck_run": ErrorType.UNEXPECTED,
}


@pytest.mark.parametrize(
    "kind",
    [TimeoutType.START_TO_CLOSE, TimeoutType.SCHEDULE_TO_CLOSE, TimeoutType.HEARTBEAT],
)
@pytest.mark.parametrize("activity_type", TIMED_OUT)
def test_a_time_out_is_called_by_what_did_not_answer(activity_type: str, kind: TimeoutType) -> None:
    """A card that could not be drawn says nothing about an engine."""
    error = failed(timed_out(kind), activity_type)

    assert failures.error_type(error) is TIMED_OUT[activity_type]


@pytest.mark.parametrize("activity_type", TIMED_OUT)
def test_what_nobody_took_was_not_begun(activity_type: str) -> None:
    """Whatever was asked for: without a worker nothing was."""
    error = failed(timed_out(TimeoutType.SCHEDULE_TO_START), activity_type)

    assert failures.error_type(error) is ErrorType.WORKER_UNAVAILABLE


def test_every_activity_is_in_the_table() -> None:
    """The table above names each activity of each port."""
    stubs = [
        stub
        for module in (ports, start_ports, queue_ports, watchdog_ports, dependent_ports)
        for _, port in inspect.getmembers(module, inspect.isclass)
        if port.__name__.endswith("Port")
        for name, stub in inspect.getmembers(port, inspect.isfunction)
        if not name.startswith("_")
    ]
    names = {activity._Definition.must_from_callable(stub).name for stub in stubs}

    assert names == set(TIMED_OUT)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        # An error of ours keeps its name and its words.
        (
            failed(ApplicationError("port 80 is taken", type=ErrorType.PORT_BUSY)),
            ErrorType.PORT_BUSY,
            "port 80 is taken",
        ),
        # Whatever else an activity raises may hold a secret: nothing of it is shown.
        (failed(ApplicationError("xoxb-secret", type="KeyError")), ErrorType.UNEXPECTED, ""),
        (failed(ValueError("xoxb-secret")), ErrorType.UNEXPECTED, ""),
        (ApplicationError("given up", type=ErrorType.BAD_INPUT), ErrorType.BAD_INPUT, "given up"),
    ],
)
def test_an_error_keeps_its_name(error: BaseException, kind: ErrorType, text: str) -> None:
    """Only errors of ours are known by name, and only their words are shown."""
    assert failures.error_type(error) is kind
    assert failures.error_text(error) == text


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (
            failed(ApplicationError("web-1", type=RefusalCode.UNKNOWN_CONTAINER)),
            Refusal(code=RefusalCode.UNKNOWN_CONTAINER, detail="web-1"),
        ),
        # What refuses a plan and what ends a step have one name.
        (
            failed(ApplicationError("20 are there", type=ErrorType.SNAPSHOT_QUOTA)),
            Refusal(code=RefusalCode.SNAPSHOT_QUOTA, detail="20 are there"),
        ),
        (
            failed(timed_out(TimeoutType.SCHEDULE_TO_START)),
            Refusal(code=RefusalCode.UNKNOWN_HOST, detail="edge"),
        ),
        (
            failed(timed_out(TimeoutType.START_TO_CLOSE)),
            Refusal(code=RefusalCode.ENGINE_UNREACHABLE, detail="edge"),
        ),
        (failed(ValueError("secret")), Refusal(code=RefusalCode.BAD_REQUEST)),
    ],
)
def test_why_a_request_could_not_be_planned(error: ActivityError, refusal: Refusal) -> None:
    """A plan that fails is refused with what people can do something about."""
    assert failures.refusal_of(error, "edge") == refusal


@pytest.mark.parametrize("name", ["REFERENCE_TAKEN", "SNAPSHOT_QUOTA", "DISK_FULL"])
def test_what_is_both_a_refusal_and_an_error_has_one_name(name: str) -> None:
    """The room for a snapshot is asked for by one function, before a request and before a stop."""
    assert RefusalCode[name].value == ErrorType[name].value


def _inner(cause: TemporalTimeoutError) -> TemporalTimeoutError:
    cause.__cause__ = timed_out(TimeoutType.HEARTBEAT)
    return cause


_SENT = TemporalTimeoutError(
    "timed out", type=TimeoutType.SCHEDULE_TO_START, last_heartbeat_details=["sent"]
)


@pytest.mark.parametrize(
    ("cause", "begun"),
    [
        (timed_out(TimeoutType.SCHEDULE_TO_START), False),
        (CancelledError("Cancelled", "ACTIVITY_ID_NOT_STARTED"), False),
        # An attempt before it was taken up, and may have sent its stop.
        (_inner(timed_out(TimeoutType.SCHEDULE_TO_START)), True),
        (_SENT, True),
        (timed_out(TimeoutType.HEARTBEAT), True),
        (timed_out(TimeoutType.START_TO_CLOSE), True),
        (CancelledError("Cancelled"), True),
        (ApplicationError("the engine is away", type=ErrorType.ENGINE_UNAVAILABLE), True),
    ],
    ids=str,
)
def test_never_begun_is_what_no_worker_took_up(cause: BaseException, *, begun: bool) -> None:
    """In doubt it was begun: then it is put back."""
    assert failures.never_begun(failed(cause)) is not begun


@pytest.mark.parametrize(
    ("cause", "touched"),
    [
        (timed_out(TimeoutType.SCHEDULE_TO_START), False),
        (ApplicationError("no engine", type=ErrorType.ENGINE_UNAVAILABLE), False),
        (ApplicationError("lost", "touched", type=ErrorType.ENGINE_AMBIGUOUS), True),
        (ApplicationError("lost", {"touched": True}, type=ErrorType.ENGINE_AMBIGUOUS), True),
        (ApplicationError("port", {"touched": False}, type=ErrorType.PORT_BUSY), False),
        (timed_out(TimeoutType.HEARTBEAT), True),
        # A bug of ours says nothing about what came before it.
        (ApplicationError("list index out of range", type="IndexError"), True),
    ],
    ids=str,
)
def test_untouched_is_only_what_says_so(cause: BaseException, *, touched: bool) -> None:
    """Whatever a killed worker or a bug leaves open may have happened."""
    assert failures.may_have_touched(failed(cause)) is touched


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("details", "seen"),
    [
        ([], None),
        ([{"touched": True}], None),
        ([{"state": "on fire"}], None),
        ([{"state": "exited", "since": "yesterday"}], None),
        (
            [{"state": "exited", "since": "2025-12-31T00:00:00+00:00"}],
            Sighting(state=ContainerState.EXITED, at=NOW, since=datetime(2025, 12, 31, tzinfo=UTC)),
        ),
        ([{"state": "running"}], Sighting(state=ContainerState.RUNNING, at=NOW)),
    ],
    ids=str,
)
def test_what_the_engine_said_last_is_read(details: list[object], seen: Sighting | None) -> None:
    """It comes beside the error; anything else is no sighting."""
    error = failed(ApplicationError("not back", *details, type=ErrorType.NOT_RUNNING))

    assert failures.sighting(error, NOW) == seen


@pytest.mark.parametrize(
    ("details", "began"),
    [
        ({"started_at": "2026-11-01T12:00:00+00:00"}, datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ({"started_at": None}, None),
        ({"started_at": "yesterday"}, None),
        ({}, None),
        ("touched", None),
    ],
)
def test_when_our_run_began_is_read_from_a_failed_start(
    details: object, began: datetime | None
) -> None:
    """What it does not say, or says in no way that is known, is not known."""
    error = failed(ApplicationError("no", details, type=ErrorType.UNHEALTHY), "ensure_started")

    assert failures.run_began(error) == began


@pytest.mark.parametrize(
    ("cause", "image"),
    [
        (ApplicationError("no", {"image_id": "i"}, type=ErrorType.NOT_STOPPED), "i"),
        (ApplicationError("no", type=ErrorType.NOT_STOPPED), ""),
        (ApplicationError("no", {"image_id": "i"}, type="KeyError"), ""),
        (
            TemporalTimeoutError(
                "timed out",
                type=TimeoutType.HEARTBEAT,
                last_heartbeat_details=["sent", 1, {"call": "tag", "image_id": "i"}],
            ),
            "i",
        ),
        (timed_out(TimeoutType.HEARTBEAT), ""),
    ],
)
def test_an_image_that_was_made_is_known_by_its_failure(cause: BaseException, image: str) -> None:
    """Whoever tidies must find it, be it that the worker was killed after its commit."""
    assert failures.image_made(failed(cause, "ensure_snapshot")) == image
