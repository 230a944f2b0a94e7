"""Where does a secret of a container turn up, and where what people wrote?

Requests that go well, fail, are refused and are cancelled run over a container whose environment,
labels and command hold a made-up secret; then everything that anybody could read is searched.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson

from tests.rigs.dockerd import IMAGE
from tests.rigs.installation import Installation
from tests.rigs.request_driver import Request
from tests.rigs.slack_proxy import Fault
from tests.rigs.slack_users import SlackUsers
from workflows.model.names import ActionId, operation_workflow_id
from workflows.model.state import RequestStatus

_SECRET = "canary-9f1c77"  # noqa: S105 - it has to look like one
_REASON = "reason-2b80e1"
_COMMENT = "comment-71d0aa"
_PAYLOAD = re.compile(r'"data": "([A-Za-z0-9+/=]+)"')
_TAKEN = "canary/taken:1"
_SCRIPT = f'echo {_SECRET} >/dev/null; trap "exit 0" TERM; sleep 100000 & wait $!'
#: Comes up once, and then never again.
_ONCE = f"test -e /ran && {{ echo {_SECRET} >&2; exit 3; }}; touch /ran; {_SCRIPT}"


@pytest.fixture
async def secret_requests(users: SlackUsers, installation: Installation) -> list[Request]:
    """Take requests all ways there are, over containers with a secret."""
    settings = {
        "script": _SCRIPT,
        "environment": {"TOKEN": _SECRET, _SECRET: "x"},
        "labels": {"token": _SECRET, _SECRET: "x"},
    }
    command = f'stop {{}} snapshot reason="{_REASON}"'
    requests = [
        await users.run_and_ask("secret", command, **settings | changes)
        for changes in (
            {},
            {"healthcheck": f"test -e /{_SECRET}"},
            {},
            {},
        )
    ]
    good, ailing, rejected, gone = requests
    stuck = await _stuck(users, **settings | {"script": _ONCE})
    installation.slack_proxy.inject("chat.update", Fault.GARBLED)
    await installation.channel.press("dave", good.card, ActionId.APPROVE)
    await users.approve(good, ailing)
    await installation.channel.ask("bob", f'reject {rejected.request_id} "{_COMMENT}"')
    users.engine.api.remove_container(gone.container, force=True)
    await users.approve(gone)
    await installation.channel.ask("alice", f"inspect {good.name}")
    await installation.channel.ask("alice", "list")
    requests.append(stuck)
    states = [await request.outcome() for request in requests]
    assert [state.status for state in states] == [
        *(RequestStatus.SUCCEEDED, RequestStatus.SUCCEEDED),
        *(RequestStatus.REJECTED, RequestStatus.STALE, RequestStatus.NEEDS_PERSON),
    ]
    return requests


async def _stuck(users: SlackUsers, **settings: Any) -> Request:
    """Let an operation fail and the way back too, until alice tells it to stop trying."""
    command = f'stop {{}} snapshot={_TAKEN} reason="{_REASON}"'
    request = await users.run_and_ask("stuck", command, **settings)
    users.engine.api.tag(IMAGE, *_TAKEN.split(":"))
    await users.approve(request)
    await request.until(RequestStatus.NEEDS_PERSON)
    logs = users.engine.api.logs(request.container)
    assert _SECRET in logs.decode(), "the container has said it where the cause is to be seen"
    await users.until_card(request, "🛑")
    await users.press("alice", request, ActionId.STOP_TRYING)
    return request


async def test_a_secret_of_a_container_is_nowhere(
    users: SlackUsers, installation: Installation, secret_requests: list[Request]
) -> None:
    """It is in no log, no history, no message and no error; the reason only where it belongs."""
    assert _SECRET in str(users.engine.inspect(secret_requests[0].container))
    for name, log in installation.logs().items():
        assert _SECRET not in log, name
        assert _REASON not in log, name
        assert _COMMENT not in log, name
        assert installation.signing_secret not in log, name
        assert not re.search(r"xox[bp]-|xapp-", log), name
    histories = [await _decoded(installation, request) for request in secret_requests]
    assert all(_REASON in history for history in histories)
    assert not any(_SECRET in history or "xoxb-" in history for history in histories)
    calls = [json.dumps(dict(call.payload)) for call in installation.slack_proxy.calls]
    assert any(_REASON in call for call in calls)
    assert not any(_SECRET in call for call in calls)
    messages = json.dumps(await installation.channel.messages())
    assert _SECRET not in messages
    assert not any(_REASON in text for text in _marked_up(await installation.channel.messages()))


async def _decoded(installation: Installation, request: Request) -> str:
    """Write out the histories of a request and its operation, with all payloads readable."""
    ids = [request.handle.id]
    if (await request.state()).operation_workflow_id:
        ids.append(operation_workflow_id(installation.host, request.container))
    written = []
    for workflow_id in ids:
        history = await installation.client.get_workflow_handle(workflow_id).fetch_history()
        for event in history.events:
            text = MessageToJson(event)
            payloads = [base64.b64decode(found).decode() for found in _PAYLOAD.findall(text)]
            written += [text, *payloads]
    return "\n".join(written)


def _marked_up(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["text"]] if part.get("type") == "mrkdwn" else []
        return own + [text for value in part.values() for text in _marked_up(value)]
    if isinstance(part, list):
        return [text for value in part for text in _marked_up(value)]
    return []
