"""Is a request asked for, decided and followed at terminals, and is each refusal seen there?"""

from __future__ import annotations

import os
import pwd
import threading

from bot.terminal.who import this_terminal
from tests.rigs.typed import OTHER_USER, THIRD_USER, Typist, end, line_with, needs_users
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model.errors import RefusalCode
from workflows.model.state import RequestStatus

HOST = this_terminal().host
ME = pwd.getpwuid(os.getuid()).pw_name


async def _asked(typist: Typist, *options: str, user: str | None = None) -> str:
    asked = await typist.type(
        "request", "stop", "web-1", *options, "--as", "UALICE", "--json", user=user
    )
    assert asked.code == 0, asked
    assert asked.json["request"]["status"] == "waiting"
    return str(asked.json["request"]["id"])


def _of(workers: Workers, request_id: str) -> RequestUnderTest:
    workers.slack.requests.add(request_id)
    request = workers.request(request_id=request_id)
    return workers.under_test(request)


async def _told(workers: Workers, user_id: str) -> str:
    await eventually(lambda: any(n.user_id == user_id for n in workers.slack.notices))
    return next(n for n in workers.slack.notices if n.user_id == user_id).refusal.code


@needs_users
async def test_the_whole_way_at_terminals(typist: Typist, workers: Workers) -> None:
    """One asks and waits, another user approves, and the first reads how it went."""
    waiting = await typist.begin(
        *("request", "stop", "web-1", "--snapshot", "--reason", 'a "quoted" <reason>'),
        *("--as", "UALICE", "--wait"),
    )
    noted = await line_with(waiting, "is noted")
    request_id = noted.split()[1]
    await line_with(waiting, "waits for 1 approval")
    approved = await typist.type("approve", request_id, "fine", "--as", "UBOB", user=OTHER_USER)
    assert approved.code == 0, approved
    assert "It counts." in approved.out
    asked = await end(waiting)
    assert (asked.code, asked.err) == (0, "")
    for words in (
        f"approved by UBOB at the terminal of {HOST} by {OTHER_USER}",
        ": fine",
        "Stopped in ",
        "succeeded: Stopped and snapshotted",
        'a "quoted" <reason>',
        f"at the terminal of {HOST} by {ME}",
    ):
        assert words in asked.out, asked.out
    state = await _of(workers, request_id).state()
    assert state.terminal is not None
    assert state.terminal.user == ME
    assert [d.terminal.user for d in state.decisions if d.terminal] == [OTHER_USER]


@needs_users
async def test_where_the_policy_says_nothing_a_terminal_decides_nothing(
    typist: Typist, workers: Workers
) -> None:
    """It is seen by who typed, with the reason, and told to the person in whose name it was."""
    workers.docker.labels = {"strict": "yes"}
    request_id = await _asked(typist)
    request = _of(workers, request_id)
    for verb, more in (("approve", ()), ("reject", ("no",))):
        refused = await typist.type(verb, request_id, *more, "--as", "UBOB", user=OTHER_USER)
        assert refused.code == 1
        assert "takes nothing of the kind from a terminal" in refused.err
        assert "It still waits." in refused.err
    refused = await typist.type("approve", request_id, "--as", "UBOB", "--json", user=OTHER_USER)
    assert refused.json["counted"] is False
    assert refused.json["refusal"]["code"] == RefusalCode.NOT_AT_A_TERMINAL
    assert await _told(workers, "UBOB") == RefusalCode.NOT_AT_A_TERMINAL
    state = await request.state()
    assert (state.status, state.decisions) == (RequestStatus.WAITING, ())

    await request.decide("UBOB", source="command")
    assert (await request.result()).status is RequestStatus.SUCCEEDED


async def test_a_waiting_request_is_cancelled_wherever(typist: Typist, workers: Workers) -> None:
    """That touches nothing, so the policy is not asked; only the one who asked may."""
    workers.docker.labels = {"strict": "yes"}
    request_id = await _asked(typist)
    other = await typist.type("cancel", request_id, "--as", "UBOB")
    assert other.code == 1
    assert "only UALICE" in other.err
    cancelled = await typist.type("cancel", request_id, "--as", "UALICE")
    assert cancelled.code == 0, cancelled
    assert (await _of(workers, request_id).result()).status is RequestStatus.CANCELLED


async def test_the_user_who_asked_does_not_approve_as_another(
    typist: Typist, workers: Workers
) -> None:
    """Whatever Slack user is named: it is the same user of the machine."""
    request_id = await _asked(typist)
    refused = await typist.type("approve", request_id, "--as", "UBOB")
    assert refused.code == 1
    assert "the same user of the operating system asked for this" in refused.err
    state = await _of(workers, request_id).state()
    assert (state.status, state.decisions) == (RequestStatus.WAITING, ())
    own = await typist.type("approve", request_id, "--as", "UALICE")
    assert (own.code, "takes another person" in own.err) == (1, True)
    await typist.type("cancel", request_id, "--as", "UALICE")


@needs_users
async def test_one_user_counts_once(typist: Typist, workers: Workers) -> None:
    """Two names from one user are one approval; another user's is the second."""
    workers.docker.labels = {"two": "yes"}
    request_id = await _asked(typist)
    first = await typist.type("approve", request_id, "--as", "UBOB", user=OTHER_USER)
    assert first.code == 0, first
    again = await typist.type("approve", request_id, "--as", "UBOB", user=OTHER_USER)
    assert (again.code, "has approved it already" in again.err) == (1, True)
    twice = await typist.type("approve", request_id, "--as", "UCAROL", user=OTHER_USER)
    assert (twice.code, "as somebody else" in twice.err) == (1, True)
    second = await typist.type("approve", request_id, "--as", "UCAROL", "--wait", user=THIRD_USER)
    assert second.code == 0, second
    assert "2 of 2" in second.out


async def _running(typist: Typist, workers: Workers) -> str:
    """Have a request approved, and its stop held up."""
    request_id = await _asked(typist)
    await _of(workers, request_id).decide("UBOB", source="command")
    await eventually(lambda: "ensure_stopped" in workers.docker.calls)
    return request_id


async def test_a_cancel_of_what_is_under_way_is_a_decision(
    typist: Typist, workers: Workers
) -> None:
    """Where the policy says nothing it does not count; in Slack it does."""
    workers.docker.labels = {"strict": "yes"}
    gate = workers.docker.gates["ensure_stopped"] = threading.Event()
    request_id = await _running(typist, workers)
    refused = await typist.type("cancel", request_id, "--as", "UALICE")
    assert refused.code == 1
    assert "takes nothing of the kind from a terminal" in refused.err
    request = _of(workers, request_id)
    assert not (await request.state()).cancel_requested_by
    gate.set()
    assert (await request.result()).status is RequestStatus.SUCCEEDED


@needs_users
async def test_a_request_takes_the_place_of_another(typist: Typist, workers: Workers) -> None:
    """Where its asker may reject the other at a terminal; where not, the other goes on."""
    first = await _asked(typist)
    workers.docker.labels = {"strict": "yes"}
    taken = await typist.type(
        *("request", "stop", "web-1", "--replace", "--as", "UBOB", "--json"), user=OTHER_USER
    )
    assert taken.code == 0, taken
    second = taken.json["request"]["id"]
    assert second != first
    refused = await typist.type("request", "stop", "web-1", "--replace", "--as", "UCAROL")
    assert refused.code == 1, refused
    assert "takes nothing of the kind from a terminal" in refused.err
    state = await _of(workers, second).state()
    assert (state.request_id, state.status) == (second, RequestStatus.WAITING)
    await typist.type("cancel", second, "--as", "UBOB")
