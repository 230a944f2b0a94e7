"""What do lists and looks show at a terminal, and what is said where something is missing?"""

from __future__ import annotations

import asyncio

import pytest

from tests.rigs.typed import Typist
from tests.rigs.waiting import eventually
from tests.rigs.workers import Workers
from workflows.model.state import RequestStatus


async def test_the_containers_of_a_host(typist: Typist, workers: Workers) -> None:
    """As a table for people, and as an object for scripts."""
    shown = await typist.type("list")
    assert shown.code == 0, shown
    header, row = shown.out.splitlines()
    assert (header.split()[:3], header.split()[-1]) == (["NAME", "STATE", "SINCE"], "IMAGE")
    assert row.split() == ["web-1", "running", "-", "-", "-", "0", "no", "demo/web:1"]
    assert (await typist.type("list", "web-*", "running")).out == shown.out
    assert (await typist.type("list", "stopped")).out == "Of 1 container none is like that.\n"
    assert (await typist.type("list", "--json")).json == {
        "exit": 0,
        "error": None,
        "host": workers.docker.name,
        "containers": [
            {
                "name": "web-1",
                "state": "running",
                "image": "demo/web:1",
                "protected": False,
                "standing": None,
                "health": None,
                "compose": None,
                "ports": None,
                "snapshots": 0,
            }
        ],
        "total": 1,
    }


async def test_one_container(typist: Typist, workers: Workers) -> None:
    """Its facts; what is not there is said to be not there."""
    shown = await typist.type("inspect", "web-1")
    assert (shown.code, "demo/web:1" in shown.out) == (0, True), shown
    told = await typist.type("inspect", "web-1", "--json")
    assert told.json["container"]["state"] == "running"
    missing = await typist.type("inspect", "web-9")
    assert missing.code == 1
    assert f"there is no container web-9 on {workers.docker.name}" in missing.err
    assert "`dockwarden list --on" in missing.err


async def test_the_hosts(typist: Typist, workers: Workers) -> None:
    """The one that is meant by default is among them always."""
    shown = await typist.type("list", "hosts")
    assert (shown.code, workers.docker.name in shown.out) == (0, True), shown
    told = await typist.type("list", "hosts", "--json")
    (ours,) = [host for host in told.json["hosts"] if host["name"] == workers.docker.name]
    assert ours["default"] is True


async def test_requests_and_one_of_them(typist: Typist, workers: Workers) -> None:
    """Those of one person, and all that is known of one."""
    asked = await typist.type(
        "request", "stop", "web-1", "--as", "UALICE", "--reason", "why not", "--json"
    )
    request_id = asked.json["request"]["id"]

    async def is_listed() -> bool:
        mine = await typist.type("requests", "mine", "--as", "UALICE", "--json")
        return request_id in [row["id"] for row in mine.json["requests"]]

    await eventually(is_listed, within=40)
    waiting = await typist.type("requests", "waiting")
    assert request_id in waiting.out
    shown = await typist.type("status", "web-1")
    assert (shown.code, "reason" in shown.out, "why not" in shown.out) == (0, True, True)
    again = await typist.type("request", "stop", "web-1", "--as", "UBOB")
    assert (again.code, f"dockwarden status {request_id}" in again.err) == (1, True)
    await typist.type("cancel", "web-1", "--as", "UALICE")
    over = await typist.type("cancel", "web-1", "--as", "UALICE")
    assert (over.code, "is over" in over.err) == (1, True), over
    request = workers.under_test(workers.request(request_id=request_id))
    assert (await request.result()).status is RequestStatus.CANCELLED


async def test_a_request_that_is_not_let_in_says_why(typist: Typist, workers: Workers) -> None:
    """No card, no wait: the reason, at once, and to scripts by its code."""
    for options in ((), ("--wait",)):
        refused = await typist.type("request", "stop", "web-9", "--as", "UALICE", *options)
        assert refused.code == 1, refused
        assert "Not done: there is no container web-9" in refused.err
    workers.slack.person("UGUEST", is_guest=True)
    told = await typist.type("request", "stop", "web-1", "--as", "UGUEST", "--json")
    assert (told.code, told.json["request"]["refusal"]["code"]) == (1, "Guest")
    for typed, says in (("f" * 12, "ffffffffffff"), ("web-8", "for web-8 on ")):
        unknown = await typist.type("status", typed)
        assert (unknown.code, f"There is no request {says}" in unknown.err) == (1, True)


@pytest.mark.parametrize(
    ("typed", "without", "says"),
    [
        (("request", "stop", "web-1"), "DOCKWARDEN_TEAM", "--team is missing"),
        (("request", "stop", "web-1"), "DOCKWARDEN_CHANNEL", "--channel is missing"),
        (("approve", "0" * 12), "DOCKWARDEN_TEAM", "--team is missing"),
        (("requests", "mine"), "", "--as is missing"),
        (("request", "stop", "x"), "", "is no container name"),
    ],
)
async def test_what_is_missing_is_named(
    typist: Typist, typed: tuple[str, ...], without: str, says: str
) -> None:
    """With what to set, and the status of a wrong set-up; a Slack token is never among it."""
    typist.environment.pop(without, None)
    if typed[0] != "requests":
        typed = (*typed, "--as", "UALICE")
    told = await typist.type(*typed)
    assert told.code == 2, told
    assert says in told.err
    assert "SLACK" not in told.err


async def test_a_pipe_that_ends_early_is_quiet(typist: Typist) -> None:
    """As under ``head``: no complaint, and the status of what was done."""
    process = await typist.begin("list")
    assert process.stdout is not None
    process.stdout._transport.close()  # type: ignore[attr-defined]  # nobody reads any more
    assert process.stderr is not None
    complaints = await process.stderr.read()
    assert (await asyncio.wait_for(process.wait(), 60), complaints) == (0, b"")
