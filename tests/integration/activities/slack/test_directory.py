"""Is a person judged by what Slack says at this moment, and by nothing else?"""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.slack.directory import Directory
from tests.integration.activities.slack.slack_worker import SlackWorker
from tests.rigs.local_slack import BOB, BOT_USER_ID, CAROL, TEAM_ID
from tests.rigs.slack_proxy import Fault, SlackProxy
from workflows.model.errors import ErrorType
from workflows.model.ports import GroupMembers, GroupMembersInput, LookUpInput
from workflows.model.requests import Person

LEADS, ADMINS = "S0LEADS01", "S0ADMINS1"


async def look_up(worker: SlackWorker, user: str, *groups: str) -> Person:
    """Ask who a user is."""
    return await worker.run(
        worker.directory.look_up_person, LookUpInput(user_id=user, groups=groups)
    )


async def test_a_member_is_a_member(worker: SlackWorker) -> None:
    """A full member of the workspace is found as such."""
    assert await look_up(worker, BOB) == Person(user_id=BOB, team_id=TEAM_ID)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"is_restricted": True}, {"is_guest": True}),
        ({"is_ultra_restricted": True}, {"is_guest": True}),
        ({"is_stranger": True}, {"is_guest": True}),
        ({"is_bot": True}, {"is_bot": True}),
        ({"deleted": True}, {"deleted": True}),
        ({"team_id": "T0OTHER"}, {"team_id": "T0OTHER"}),
        ({"team_id": None}, {"team_id": ""}),
        (
            {"team_id": "T0HOME", "enterprise_user": {"id": "W1", "teams": ["T0HOME", TEAM_ID]}},
            {"team_id": TEAM_ID},
        ),
        (
            {"team_id": "T0HOME", "enterprise_user": {"id": "W1", "teams": ["T0HOME"]}},
            {"team_id": "T0HOME"},
        ),
        ({"id": "U0OTHER"}, {"user_id": "U0OTHER"}),
    ],
    ids=str,
)
async def test_what_slack_says_about_a_person_is_passed_on(
    fields: dict[str, Any], expected: dict[str, Any], worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """Guests, strangers, bots, the deactivated and people of other teams are told apart."""
    slack_proxy.user_facts.fields[BOB] = fields
    known: dict[str, Any] = {"user_id": BOB, "team_id": TEAM_ID}
    assert await look_up(worker, BOB) == Person(**known | expected)


async def test_an_app_is_a_bot(worker: SlackWorker) -> None:
    """Dockwarden itself could not decide either."""
    assert (await look_up(worker, BOT_USER_ID)).is_bot


async def test_slackbot_is_a_bot(worker: SlackWorker, slack_proxy: SlackProxy) -> None:
    """Slack does not call its own Slackbot a bot; we do."""
    slack_proxy.user_facts.fields[BOB] = {"id": "USLACKBOT", "is_bot": False}
    assert (await look_up(worker, BOB)).is_bot


async def test_nobody_is_remembered(worker: SlackWorker, slack_proxy: SlackProxy) -> None:
    """Whoever is deactivated between two clicks is so at the second."""
    assert not (await look_up(worker, BOB)).deleted
    slack_proxy.user_facts.fields[BOB] = {"deleted": True}
    assert (await look_up(worker, BOB)).deleted
    assert slack_proxy.count("users.info") == 2


async def test_who_is_unknown_to_slack_is_not_found(worker: SlackWorker) -> None:
    """An id that Slack does not know belongs to nobody."""
    assert not (await look_up(worker, "U0NOBODY1")).found


@pytest.mark.parametrize("user", ["", "bob", "u0bob", "U0 BOB", "B0BOT", "U0BOB&x=1", "U" * 99])
async def test_what_is_no_user_id_never_reaches_slack(
    user: str, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A made-up id is nobody, without a call."""
    assert not (await look_up(worker, user)).found
    assert slack_proxy.calls == []


async def test_groups_are_those_that_were_asked_about(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A person's groups are read from the groups themselves."""
    slack_proxy.user_facts.groups = {LEADS: [BOB, CAROL], ADMINS: [CAROL]}
    person = await look_up(worker, BOB, LEADS, ADMINS)
    assert person.groups == (LEADS,)
    assert person.groups_known


async def test_who_is_taken_out_of_a_group_is_out_at_once(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """Membership counts at the time of the click."""
    slack_proxy.user_facts.groups = {LEADS: [BOB]}
    assert (await look_up(worker, BOB, LEADS)).groups == (LEADS,)
    slack_proxy.user_facts.groups = {LEADS: [CAROL]}
    assert (await look_up(worker, BOB, LEADS)).groups == ()


async def test_clicks_of_a_stranger_cost_the_group_one_question(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """Slack tells members some twenty times a minute: the real approver is not kept waiting."""
    slack_proxy.user_facts.groups = {LEADS: [CAROL]}
    for _ in range(30):
        assert (await look_up(worker, BOB, LEADS)).groups == ()
    assert slack_proxy.count("usergroups.users.list") == 1

    assert (await look_up(worker, CAROL, LEADS)).groups == (LEADS,)
    assert slack_proxy.count("usergroups.users.list") == 2


async def test_who_is_put_into_a_group_is_in_it_seconds_later(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """What is kept to refuse people is not kept for long."""
    now = 100.0
    worker.directory = Directory(worker.web_client, clock=lambda: now)
    slack_proxy.user_facts.groups = {LEADS: [CAROL]}
    assert (await look_up(worker, BOB, LEADS)).groups == ()
    slack_proxy.user_facts.groups = {LEADS: [CAROL, BOB]}
    now += 9.9
    assert (await look_up(worker, BOB, LEADS)).groups == ()
    now += 0.2
    assert (await look_up(worker, BOB, LEADS)).groups == (LEADS,)


async def test_groups_that_slack_does_not_know_fail_closed(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A workspace without user groups makes nobody an approver."""
    person = await look_up(worker, BOB, LEADS)
    assert slack_proxy.count("usergroups.users.list") == 1
    assert (person.groups, person.groups_known) == ((), False)


@pytest.mark.parametrize(
    "code", ["missing_scope", "unknown_method", "no_such_subteam", "no_permission"]
)
async def test_groups_that_cannot_be_read_fail_closed(
    code: str, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """Without the scope nobody counts through a group, and nothing else fails."""
    injection = slack_proxy.inject("usergroups.users.list", Fault.REFUSED, error=code)
    person = await look_up(worker, BOB, LEADS)
    assert injection.fired == 1
    assert person.found
    assert (person.groups, person.groups_known) == ((), False)


@pytest.mark.parametrize("group", ["", "ops-leads", "S0 X", "s0leads"])
async def test_what_is_no_group_id_fails_closed(
    group: str, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A group by its name, or a typo, makes nobody an approver and is never asked about."""
    person = await look_up(worker, BOB, group)
    assert not person.groups_known
    assert slack_proxy.count("usergroups.users.list") == 0


@pytest.mark.fault
@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.RATE_LIMITED, ErrorType.SLACK_RATE_LIMITED),
        (Fault.SERVER_ERROR, ErrorType.SLACK_UNAVAILABLE),
        (Fault.RESET, ErrorType.SLACK_UNAVAILABLE),
        (Fault.LOST_ANSWER, ErrorType.SLACK_UNAVAILABLE),
    ],
)
async def test_a_failing_look_up_is_repeated(
    method: str, fault: Fault, expected: ErrorType, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """Trouble that passes is waited out: it neither lets anybody in nor shuts anybody out."""
    slack_proxy.user_facts.groups = {LEADS: [BOB]}
    # aiohttp itself repeats a GET whose connection was cut, once; never a POST.
    injection = slack_proxy.inject(method, fault, times=3)
    arg = LookUpInput(user_id=BOB, groups=(LEADS,))
    delivered = await worker.deliver(worker.directory.look_up_person, arg)
    assert injection.fired == 3
    assert set(delivered.types) == {expected}
    assert delivered.result.groups == (LEADS,)


async def test_a_token_that_may_not_read_people_is_no_fault_of_theirs(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A look-up that is refused for our sake is tried again: the decision waits, and counts."""
    slack_proxy.inject("users.info", Fault.REFUSED, error="missing_scope")
    with pytest.raises(ApplicationError) as raised:
        await look_up(worker, BOB)
    assert raised.value.type == ErrorType.SLACK_FORBIDDEN
    assert raised.value.message == "Slack refuses users.info: missing_scope"
    assert not raised.value.non_retryable


async def test_a_token_that_is_refused_at_the_group_shuts_nobody_out(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """Only a right that the app lacks for good makes a group unknown."""
    slack_proxy.user_facts.groups = {LEADS: [BOB]}
    slack_proxy.inject("usergroups.users.list", Fault.REFUSED, error="token_expired")
    arg = LookUpInput(user_id=BOB, groups=(LEADS,))
    delivered = await worker.deliver(worker.directory.look_up_person, arg)
    assert delivered.types == [ErrorType.SLACK_FORBIDDEN]
    assert delivered.result.groups == (LEADS,)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ((), GroupMembers()),
        ((LEADS,), GroupMembers(user_ids=(BOB, CAROL))),
        ((LEADS, ADMINS), GroupMembers(user_ids=(BOB, CAROL))),
        ((LEADS, "S0GONE001"), GroupMembers(user_ids=(BOB, CAROL), known=False)),
    ],
)
async def test_the_members_of_all_groups_are_put_together(
    groups: tuple[str, ...], expected: GroupMembers, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """Who could decide is known before a request is put before people."""
    slack_proxy.user_facts.groups = {LEADS: [BOB, CAROL], ADMINS: [CAROL]}
    arg = GroupMembersInput(groups=groups)
    assert await worker.run(worker.directory.list_group_members, arg) == expected
