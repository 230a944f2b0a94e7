"""Does a short campaign of random disturbances end without anything that must hold being broken?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.__main__ import described
from tests.chaos.campaign import campaign
from tests.chaos.plan import FAULTS, draw

_SEED = 3
_SECONDS = 16


def test_same_seed_same_plan() -> None:
    """The plan is fixed by its seed, and another seed has another plan."""
    first = draw(1, 60, ("a", "b"))
    assert first == draw(1, 60, ("a", "b"))
    assert first != draw(2, 60, ("a", "b"))


# Longer than a campaign waits until all has come to its end.
@pytest.mark.fault
@pytest.mark.timeout(420)
async def test_a_short_campaign_breaks_nothing(tmp_path: Path) -> None:
    """Requests come to their ends while parts are killed, hung and cut, and all holds."""
    report = await campaign(_SEED, _SECONDS, tmp_path)
    text = "\n".join(described(report))
    assert sum(report.fired[fault] for fault in FAULTS) >= 3, text
    assert sum(report.outcomes.values()) >= 2, text
    assert not report.violations, text
