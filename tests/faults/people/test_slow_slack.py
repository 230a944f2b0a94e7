"""What if Slack takes each message, but the last card longer than a workflow task waits?"""

from __future__ import annotations

import pytest

from tests.rigs.installation import Installation
from tests.rigs.slack_proxy import Fault
from tests.rigs.slack_users import SlackUsers


@pytest.mark.parametrize("fault", [Fault.DELAY, Fault.LATE_ANSWER])
@pytest.mark.parametrize("seconds", [0.3, 0.4, 0.6])
async def test_each_reply_is_posted_once(
    users: SlackUsers, installation: Installation, fault: Fault, seconds: float
) -> None:
    """What was not done at once is gone on with, and nothing that was sent is sent again."""
    request = await users.run_and_ask("slow-slack", "stop {} snapshot")
    injection = installation.slack_proxy.inject(
        "chat.postMessage", fault, times=20, seconds=seconds
    )
    await users.approve(request)
    await users.check_snapshotted(request, await request.outcome())
    injection.times = injection.fired
    # The last word is the only reply to what goes well.
    assert injection.fired == 1
