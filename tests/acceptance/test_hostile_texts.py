"""Does a text that somebody typed ever become more than a text?

Hostile names, reasons and references go through the whole product. What is looked at is what
Slack was sent, and what stands in the image.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.rigs.installation import Installation
from tests.rigs.slack_proxy import Call
from tests.rigs.slack_users import SlackUsers
from workflows.model.names import REQUEST_LABEL, SOURCE_LABEL
from workflows.model.requests import MAX_TEXT_LENGTH
from workflows.model.state import RequestStatus

# Rows of the fault campaign, on the rig that can strike between the parts.
pytestmark = pytest.mark.fault

_CAROL, _DAVE = "U0CAROL01", "U0DAVE001"
_PINGS = ("<!channel>", "<!here>", "<!everyone>", "<!subteam^S0OPS0001>", "<@U0DAVE001>")


_REASONS = (
    " ".join((*_PINGS, "<http://evil.test|approved by bob>", ":fire: @channel @here #general")),
    "`code` *bold* ~strike~ _it_ &lt;!channel&gt; ```\nfenced\n``` and > quoted",
    "right to left \u202egnp.exe\u202c zero\u200bwidth\r\nthree\u2028four\x00five\x1b[31m",
    "'\nENTRYPOINT ['/evil']\nLABEL evil=yes\nUSER 0",
    "\U0001f600" * 1500,
    "x" * 100_000,
    "<!channel>" * 500,
    "\n" * 3000 + "end",
)


async def test_a_reason_is_shown_as_a_text_and_does_nothing(
    users: SlackUsers, installation: Installation
) -> None:
    """A reason is only ever sent as plain text, pings nobody, and is nowhere in the image."""
    commands = {
        f"reason-{number}": f'stop reason-{number} snapshot reason="why: {reason}"'
        for number, reason in enumerate(_REASONS)
    }
    requests = await users.run_and_ask_each(commands)
    await users.approve(*requests.values())
    for request in requests.values():
        state = await request.outcome()
        await users.check_snapshotted(request, state)
        assert state.reason.startswith("why:")
        assert len(state.reason) <= MAX_TEXT_LENGTH
        (found,) = users.images(request)
        image = users.engine.api.inspect_image(found["Id"])
        container = users.engine.inspect(request.container)
        for field in ("Entrypoint", "User", "Cmd", "Env"):
            assert image["Config"][field] == container["Config"][field]
        assert set(image["Config"]["Labels"]) == {REQUEST_LABEL, SOURCE_LABEL}
        assert "why" not in json.dumps([image["Comment"], image["Config"]["Labels"]])
    sent = [text for call in _sent(installation) for text in _mrkdwn(call.payload)]
    assert sent
    for word in (*_PINGS, "<http://evil"):
        assert not any(word in text for text in sent)
    # On a locked phone the reason is read too, with nothing in it that Slack would follow.
    shown = [text for text in sent if " asks to " not in text.partition(": “")[0]]
    for word in ("why:", "evil", "fenced"):
        assert not any(word in text for text in shown)


async def test_a_comment_on_a_rejection_is_only_a_text(
    users: SlackUsers, installation: Installation
) -> None:
    """Why somebody rejects is told as plain text to the one who asked, and pings nobody."""
    request = await users.run_and_ask("comment")
    comment = " ".join((*_PINGS, "<http://evil.test|ok>"))
    await installation.channel.ask("bob", f'reject {request.request_id} "{comment}"')
    state = await request.outcome()
    await users.check(request, state, RequestStatus.REJECTED)
    assert state.decisions[0].comment
    shown = [await users.card(request), *await users.thread(request)]
    assert "everyone" in str(shown)
    for call in _sent(installation):
        for text in _mrkdwn(call.payload):
            assert not any(ping in text for ping in (*_PINGS, "evil.test"))


@pytest.mark.parametrize(
    "name",
    [
        *("../images/x", "x/../../info", ".", "..", "%2e%2e", "a", "-rf", "a b", "a;b", "$(id)"),
        *(
            "`id`",
            "<!channel>",
            "web\u202e1",
            "\uff57eb",
            "a?force=1",
            "a#b",
            "a\\b",
            "x" * 300 + "/",
            "{}",
        ),
    ],
)
async def test_what_is_no_name_never_reaches_the_engine(
    users: SlackUsers, installation: Installation, name: str
) -> None:
    """A path, a mark-up or half a name is refused in private, in words that ping nobody."""
    before = await _requests(installation)
    count = len(await users.said_in_private(_DAVE))
    await installation.channel.ask("dave", f'stop "{name}"')
    answers = (await users.said_in_private(_DAVE))[count:]
    assert len(answers) == 1
    assert any(told in answers[0] for told in ("Right would be", "Try:", "not started"))
    for message in await installation.channel.messages():
        assert not any(ping in text for text in _mrkdwn(message) for ping in _PINGS)
    assert await _requests(installation) == before


async def test_a_strange_but_legal_name_gets_a_valid_reference(users: SlackUsers) -> None:
    """The default reference is made from any name that Docker allows; no image is left over."""
    names = ("A__b..C-", "x" * 200, "web.1_2-3", "Z9.", "a--b__c..d")
    requests = await users.run_and_ask_each({name: f"stop {name} snapshot" for name in names})
    await users.approve(*requests.values())
    for request in requests.values():
        await users.check_snapshotted(request, await request.outcome())
    assert users.engine.api.images(filters={"dangling": True}) == []


@pytest.mark.parametrize(
    "reference",
    ["UPPER:x", "a//b", "-a", "a:b:c", "host:99999999/a", "a" * 300, "a@sha256:0", "../x", "a:.x"],
)
async def test_a_bad_reference_is_refused_before_anything_is_done(
    users: SlackUsers, installation: Installation, reference: str
) -> None:
    """A reference that Docker would not take is refused in private, and nobody is asked."""
    container = users.engine.run(name="reference-1")
    before, said = await _requests(installation), len(await users.said_in_private(_CAROL))
    await installation.channel.ask("carol", f"stop reference-1 snapshot={reference}")
    (answer,) = (await users.said_in_private(_CAROL))[said:]
    assert "Right would be" in answer
    assert await _requests(installation) == before
    assert users.engine.state(container) == "running"
    assert users.engine.images() == set()


async def test_a_name_that_looks_like_an_id_is_only_a_name(users: SlackUsers) -> None:
    """A container that is named as another's short id is not taken for that other."""
    victim = users.engine.run(name="victim-1")
    decoy = users.engine.run(name=victim[:12])
    (request,) = await users.ask(victim[:12], command="stop {}")
    assert request.container == decoy
    await users.approve(request)
    await users.check(request, await request.outcome(), RequestStatus.SUCCEEDED)
    assert users.engine.state(victim) == "running"
    assert users.engine.state(decoy) == "exited"


async def _requests(installation: Installation) -> int:
    return (
        await installation.client.count_workflows("WorkflowType = 'ContainerLifecycleWorkflow'")
    ).count


def _sent(installation: Installation) -> list[Call]:
    return [
        call for call in installation.slack_proxy.calls if call.method.startswith("chat.post")
    ] + [call for call in installation.slack_proxy.calls if call.method == "chat.update"]


def _mrkdwn(part: Any) -> Iterator[str]:
    """Give every text that Slack would read mark-up in."""
    if isinstance(part, str) and part[:1] in "[{":
        part = json.loads(part)
    if isinstance(part, dict):
        if part.get("type") == "mrkdwn":
            yield part["text"]
        if isinstance(part.get("text"), str) and part.get("type") not in ("mrkdwn", "plain_text"):
            yield part["text"]
        for value in part.values():
            if isinstance(value, (dict, list)) or str(value)[:2] in ("[{", '{"'):
                yield from _mrkdwn(value)
    elif isinstance(part, list):
        for value in part:
            yield from _mrkdwn(value)
