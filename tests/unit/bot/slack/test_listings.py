"""What does ``inspect`` say in Slack of who may ask for what on a container?"""

from __future__ import annotations

from datetime import UTC, datetime

from bot.slack import listings
from workflows.model.ports import Inspection
from workflows.model.requests import ContainerPin, ContainerState, Policy
from workflows.rules import Rule

_INSPECTION = Inspection(
    pin=ContainerPin(
        container_id="0" * 64,
        name="web-1",
        image="busybox",
        image_id="sha256:1",
        state=ContainerState.RUNNING,
        started_at=datetime.now(UTC).isoformat(),
        engine_id="E",
        restart_policy="no",
        auto_remove=False,
    )
)
_HOSTILE = Policy(
    name="<!channel> `x`\n*y*",
    labels={},
    requesters=("U0ALICE", "<!here>"),
    approvers=tuple(f"U0B{number:02}" for number in range(12)),
    approver_groups=("S0OPS",),
    required_approvals=2,
)


def test_each_policy_has_one_line_that_pings_nobody() -> None:
    """Names and ids of a book are text; of very many people some are named."""
    rules = (Rule(kinds=("stop", "snapshot"), policy=_HOSTILE), Rule(kinds=("restart",)))
    text = listings.container("local", _INSPECTION, rules).text

    assert "`stop`, `snapshot`: <@U0ALICE>, `&lt;!here&gt;` may ask, and it takes 2 of " in text
    assert "<!subteam^S0OPS>, <@U0B00>" in text
    assert "<@U0B08> and 3 more (policy `&lt;!channel&gt; x *y*`)" in text
    assert "`restart`: nobody may ask, for no policy covers it" in text
    assert "<!channel>" not in text


def test_rules_that_are_not_known_allow_nothing() -> None:
    """Without an answer that is what is said."""
    text = listings.container("local", _INSPECTION).text

    assert "who may ask, and who decides, is not known just now" in text
    assert "every full member" not in text
