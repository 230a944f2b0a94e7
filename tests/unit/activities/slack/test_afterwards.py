"""Is it said truly how long a stop holds, and by which ports a container is reached after it?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from activities.slack.afterwards import afterwards, stays_down
from activities.slack.plan import plan_lines
from activities.slack.thread import reply
from tests.unit.activities.slack.card_parts import MOVED_PORTS, PIN, SNAPSHOT_KIND, WAITING
from tests.unit.activities.slack.card_states import STATES
from workflows.model.ports import ThreadEntry, ThreadKind
from workflows.model.state import PortMove, RequestState, RequestStatus


def _stopped(policy: str) -> RequestState:
    return replace(STATES["succeeded"], pin=replace(PIN, restart_policy=policy))


@pytest.mark.parametrize(
    ("policy", "until"),
    [
        ("no", ""),
        ("", ""),
        ("unless-stopped", "until somebody starts it"),
        ("on-failure", "until somebody starts it"),
        (
            "always",
            (
                "until somebody starts it, or the engine itself is restarted (its restart "
                "policy is `always`)"
            ),
        ),
    ],
)
def test_how_long_a_stop_holds_is_said_before_and_after(policy: str, until: str) -> None:
    """Only with one policy an engine starts what people stopped."""
    waiting = replace(WAITING, pin=replace(PIN, restart_policy=policy))
    last = f"It then stays down {until}" if until else "3. Tag the snapshot"
    assert plan_lines(waiting).splitlines()[-1].startswith(last)
    stopped = _stopped(policy)
    line = f"⏹️ It stays down {until}." if until else ""
    assert afterwards(stopped) == line
    entry = ThreadEntry(key="outcome", kind=ThreadKind.OUTCOME)
    assert reply(stopped, entry).text.endswith(line)


def test_what_is_started_again_is_not_said_to_stay_down() -> None:
    """A snapshot leaves its container as it was."""
    assert stays_down(replace(WAITING, operation=SNAPSHOT_KIND)) == ""


@pytest.mark.parametrize("name", STATES)
def test_only_what_was_stopped_is_said_to_stay_down(name: str) -> None:
    """Not what was put back, or was never touched."""
    state = STATES[name]
    stopped = state.operation.kind == "stop"
    holds = state.status is RequestStatus.SUCCEEDED and stopped
    assert ("It stays down" in afterwards(state)) is holds


def test_other_ports_are_told_with_the_ones_before() -> None:
    """Whoever has to change what leads to it needs both."""
    state = replace(STATES["succeeded-snapshot"], moved_ports=MOVED_PORTS)
    assert afterwards(state) == (
        "🔀 Other ports of the host lead to it now: 80/tcp 32768 → 32771, "
        "443/tcp 32769/40000 → 32770/40001."
    )


def test_many_ports_are_counted() -> None:
    """A line stays one that can be read."""
    ports = tuple(PortMove(port=f"{n}/tcp", before=(n,), after=(n + 1,)) for n in range(1, 21))
    told = afterwards(replace(STATES["succeeded-snapshot"], moved_ports=ports))
    assert told.endswith("10/tcp 10 → 11 and 10 more.")
