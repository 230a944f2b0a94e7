"""Is a request followed to its end, whatever that is, and does it go on without who follows it?"""

from __future__ import annotations

import signal

import pytest

from tests.fakes.fake_docker import failure
from tests.rigs.program import free_port
from tests.rigs.typed import Typist, end, line_with
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model.errors import ErrorType
from workflows.model.requests import Choice
from workflows.model.state import RequestStatus

STOP = ("request", "stop", "web-1", "--as", "UALICE")


async def _noted(workers: Workers, process: object) -> RequestUnderTest:
    request_id = (await line_with(process, "is noted")).split()[1]  # type: ignore[arg-type]
    await line_with(process, "waits for 1 approval")  # type: ignore[arg-type]
    workers.slack.requests.add(request_id)
    return workers.under_test(workers.request(request_id=request_id))


async def test_a_step_that_fails_is_seen_with_what_was_put_back(
    typist: Typist, workers: Workers
) -> None:
    """As it happens, and then in the table; the status says that it was not done."""
    workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    waiting = await typist.begin(*STOP, "--snapshot", "--wait")
    request = await _noted(workers, waiting)
    await request.decide("UBOB")
    asked = await end(waiting)
    assert asked.code == 1, asked
    assert workers.docker.fired == ["ensure_snapshot"]
    assert "put_back: Failed and put back, running again" in asked.out
    assert "Taking the snapshot failed" in asked.out


async def test_what_needs_a_person_ends_the_wait_with_its_own_status(
    typist: Typist, workers: Workers
) -> None:
    """The container may be down for long: nobody waits until somebody has helped."""
    workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    workers.docker.faults["ensure_running"] = [failure(ErrorType.STOPPED_BY_PERSON)]
    waiting = await typist.begin(*STOP, "--snapshot", "--wait", "--json")
    request_id = ""

    async def is_waiting() -> bool:
        nonlocal request_id
        listed = await typist.type("requests", "waiting", "--json")
        ours = [r for r in listed.json["requests"] if r["host"] == workers.docker.name]
        request_id = ours[0]["id"] if ours else ""
        return bool(request_id)

    await eventually(is_waiting, within=40)
    request = workers.under_test(workers.request(request_id=request_id))
    await request.until(RequestStatus.WAITING)
    await request.decide("UBOB")
    asked = await end(waiting)
    assert asked.code == 5, asked
    assert asked.json["request"]["status"] == "needs_person"
    assert "needs a person: the container could not be put back" in asked.err


@pytest.mark.parametrize("ends", [RequestStatus.REJECTED, RequestStatus.CANCELLED])
async def test_what_people_decide_against_is_not_done(
    typist: Typist, workers: Workers, ends: RequestStatus
) -> None:
    """Whoever waited reads who it was, and why."""
    waiting = await typist.begin(*STOP, "--wait")
    request = await _noted(workers, waiting)
    if ends is RequestStatus.REJECTED:
        await request.decide("UBOB", Choice.REJECT, comment="not now")
    else:
        await request.cancel()
    asked = await end(waiting)
    assert asked.code == 1, asked
    words = {RequestStatus.REJECTED: "by UBOB: not now", RequestStatus.CANCELLED: "by UALICE"}
    assert words[ends] in asked.out


async def test_ctrl_c_leaves_the_request_going_and_says_so(
    typist: Typist, workers: Workers
) -> None:
    """Who looks again later finds it, and can wait for it once more."""
    waiting = await typist.begin(*STOP, "--wait")
    request = await _noted(workers, waiting)
    request_id = request.request.request_id
    waiting.send_signal(signal.SIGINT)
    interrupted = await end(waiting)
    assert interrupted.code == 130
    assert f"request {request_id} goes on" in interrupted.err
    assert "Traceback" not in interrupted.err
    assert (await request.state()).status is RequestStatus.WAITING

    again = await typist.begin("status", request_id, "--wait")
    await line_with(again, "waits for 1 approval")
    await request.decide("UBOB")
    followed = await end(again)
    assert (followed.code, "succeeded: Stopped" in followed.out) == (0, True), followed
    over = await typist.type("status", request_id, "--wait")
    assert over.code == 0


async def test_the_time_of_a_wait_is_bounded_if_somebody_says_so(
    typist: Typist, workers: Workers
) -> None:
    """It has a status of its own, and the request goes on."""
    asked = await typist.type(*STOP, "--wait", "--within", "2s", "--json")
    assert asked.code == 4, asked
    assert "goes on" in asked.json["error"]
    request_id = asked.err.split("Request ")[1].split()[0]
    request = workers.under_test(workers.request(request_id=request_id))
    assert (await request.state()).status is RequestStatus.WAITING
    await request.cancel()


async def test_without_a_worker_what_was_typed_is_recorded_and_not_confirmed(
    typist: Typist, workers: Workers
) -> None:
    """It says who is missing, and counts when one is back."""
    asked = await typist.type(*STOP, "--json")
    request_id = asked.json["request"]["id"]
    await workers.stop_control()
    cancelled = await typist.type("cancel", request_id, "--as", "UALICE", "--json")
    shown = await typist.type("status", request_id)
    assert (cancelled.code, shown.code) == (3, 3), (cancelled, shown)
    assert "Recorded, and not confirmed" in cancelled.json["error"]
    assert "No worker has answered in time" in shown.out
    await workers.start_control()
    request = workers.under_test(workers.request(request_id=request_id))
    assert (await request.result()).status is RequestStatus.CANCELLED


async def test_without_temporal_nothing_is_recorded(typist: Typist) -> None:
    """It says so at once, and where Temporal was looked for is said to be set."""
    nowhere = {"TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}"}
    for typed in (STOP, ("cancel", "0" * 12, "--as", "UALICE"), ("list",), ("requests",)):
        told = await typist.type(*typed, **nowhere)
        assert told.code == 3, told
        assert "Temporal does not answer. TEMPORAL_ADDRESS says" in told.err
        assert "Traceback" not in told.err


async def test_a_wait_outlives_an_outage_of_the_worker(typist: Typist, workers: Workers) -> None:
    """The request goes on when one is back, and who waits is told in between."""
    waiting = await typist.begin(*STOP, "--wait")
    request = await _noted(workers, waiting)
    await request.until(RequestStatus.WAITING)
    await workers.stop_control()
    await line_with(waiting, "still waiting")
    await request.decide("UBOB")
    await workers.start_control()
    asked = await end(waiting)
    assert (asked.code, "succeeded" in asked.out) == (0, True), asked
