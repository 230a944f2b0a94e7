"""Does the terminal do the one job, with the real program, Slack, Temporal and engine?"""

from __future__ import annotations

import os
import pwd

import pytest

from bot.terminal.who import this_terminal
from deploy.laptop.slack_server import CHANNEL_ID, TEAM_ID, USERS
from tests.rigs.laptop import LaptopProcess
from tests.rigs.people import People
from tests.rigs.typed import OTHER_USER, Typist, end, line_with, needs_users
from workflows.model.names import ActionId
from workflows.model.state import RequestStatus

ALICE, BOB = USERS["alice"], USERS["bob"]
HOST, ME = this_terminal().host, pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def typist(laptop: LaptopProcess) -> Typist:
    """Give somebody who types on the laptop, with no token of Slack."""
    return Typist(
        TEMPORAL_ADDRESS=laptop.ready["temporal"],
        DOCKWARDEN_SEAL_KEY_FILE=laptop.ready["seal_key_file"],
        DOCKWARDEN_TEAM=TEAM_ID,
        DOCKWARDEN_CHANNEL=CHANNEL_ID,
    )


@needs_users
async def test_the_whole_way_by_terminal(typist: Typist, people: People) -> None:
    """One user asks and waits, another approves; the container is stopped and kept, the card says.

    The engine has the last word; the card says at which terminal, and by whom.
    """
    container = people.engine.run(name="typed-1")
    waiting = await typist.begin(
        *("request", "stop", "typed-1", "--snapshot", "--reason", "CVE-2026-1"),
        *("--as", ALICE, "--wait"),
    )
    request_id = (await line_with(waiting, "is noted")).split()[1]
    await line_with(waiting, "waits for 1 approval")
    card = await people.channel.wait_for_card(request_id, "⏳ *Approval needed*")
    request = people.request_on(card)
    assert f"<@{ALICE}> at the terminal of `{HOST}` by `{ME}`" in str(card)

    own = await typist.type("approve", request_id, "--as", BOB)
    assert (own.code, "asked for this" in own.err) == (1, True), own
    assert "the same user of the operating system" in await people.told("bob", request_id)
    assert people.engine.state(container) == "running"

    approved = await typist.type("approve", request_id, "--as", BOB, user=OTHER_USER)
    assert approved.code == 0, approved
    asked = await end(waiting)
    assert (asked.code, asked.err) == (0, ""), asked
    assert "succeeded: Stopped and snapshotted" in asked.out
    assert people.engine.state(container) == "exited"
    (image,) = people.images(request)
    assert image["RepoTags"][0] in asked.out
    where = f"at the terminal of `{HOST}` by `{OTHER_USER}`"
    assert f"approved by <@{BOB}> {where}" in await people.until_card(request, "✅")


@needs_users
async def test_where_the_policy_does_not_say_so_only_slack_decides(
    typist: Typist, people: People
) -> None:
    """The refusal is read by who typed, and told to the person in whose name it was."""
    container = people.engine.run(name="strict-1")
    asked = await typist.type("request", "stop", "strict-1", "--as", ALICE, "--json")
    assert asked.code == 0, asked
    request_id = asked.json["request"]["id"]
    card = await people.channel.wait_for_card(request_id, "⏳ *Approval needed*")
    request = people.request_on(card)

    refused = await typist.type("approve", request_id, "--as", BOB, user=OTHER_USER)
    assert refused.code == 1, refused
    assert "takes nothing of the kind from a terminal" in refused.err
    told = await people.told("bob", request_id, "which proves no person")
    assert f"at the terminal of {HOST} by {OTHER_USER}" in told
    assert "It was given in your name" in told
    assert (await request.state()).status is RequestStatus.WAITING
    assert people.engine.state(container) == "running"

    await people.press("bob", request, ActionId.APPROVE)
    await people.until(request, RequestStatus.SUCCEEDED)
    assert people.engine.state(container) == "exited"


@pytest.mark.parametrize(
    ("operation", "options", "outcome"),
    [("start", (), "Started"), ("restart", ("--snapshot",), "Snapshotted and restarted")],
)
async def test_every_operation_of_the_catalogue_is_asked_for_here(
    typist: Typist, people: People, operation: str, options: tuple[str, ...], outcome: str
) -> None:
    """A start and a restart, approved in Slack; who waits reads each step, and the end."""
    container = people.engine.run(name=f"{operation}-1")
    if operation == "start":
        people.engine.api.stop(container, timeout=1)
    before = people.engine.inspect(container)["State"]["StartedAt"]
    waiting = await typist.begin(
        *("request", operation, f"{operation}-1", *options, "--as", ALICE, "--wait")
    )
    request_id = (await line_with(waiting, "is noted")).split()[1]
    request = people.request_on(
        await people.channel.wait_for_card(request_id, "⏳ *Approval needed*")
    )

    await people.press("bob", request, ActionId.APPROVE)
    asked = await end(waiting)

    assert (asked.code, asked.err) == (0, ""), asked
    assert f"succeeded: {outcome}" in asked.out
    assert people.engine.state(container) == "running"
    assert people.engine.inspect(container)["State"]["StartedAt"] != before
    assert len(people.images(request)) == len(options)


async def test_what_is_typed_is_seen_in_slack_and_what_is_clicked_at_the_terminal(
    typist: Typist, people: People
) -> None:
    """Both doors show the same requests, containers and ends."""
    people.engine.run(name="typed-2")
    listed = await typist.type("list", "--json")
    assert "typed-2" in [one["name"] for one in listed.json["containers"]]
    request = await people.ask("stop typed-2")
    shown = await typist.type("status", request.request_id)
    assert (shown.code, "waiting" in shown.out) == (0, True), shown
    cancelled = await typist.type("cancel", request.request_id, "--as", ALICE)
    assert cancelled.code == 0, cancelled
    await people.until_card(request, "⏹️")
