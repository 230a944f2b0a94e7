"""Does ``list hosts`` say truly which hosts there are, and who serves them?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.slack.host_list import host_list
from bot.slack.listings import look_refused
from bot.temporal.hosts import HostStanding, service_words
from workflows.model.errors import RefusalCode
from workflows.model.hosts import Announcement, nearest_host
from workflows.model.state import Refusal

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ENGINE = Announcement(
    host="edge", engine_id="0123456789abcdef", engine_version="24.0.7", version="0.1.0"
)
SERVED = HostStanding(
    host="edge",
    engines=(ENGINE,),
    workers=("7@a", "7@b"),
    takes_stops=True,
    takes_commits=True,
    last_asked=NOW,
)
SILENT = HostStanding(host="far", engines=(ENGINE,), last_asked=NOW - timedelta(minutes=2))
DEFAULT = HostStanding(host="local", is_default=True)


def test_each_host_has_its_line() -> None:
    """The default host comes first, then what nobody serves; what to do is said once."""
    text = host_list((SERVED, SILENT, DEFAULT), now=NOW).text

    engine = "engine 0123456789ab (24.0.7), Dockwarden 0.1.0"
    default = "meant where a command names none · no engine announced"
    assert [line for line in text.splitlines() if line.startswith("•")] == [
        f"• 🔴 `local` · {default} · no worker serves it",
        f"• 🔴 `far` · {engine} · no worker has asked for its work for 120 s",
        f"• 🟢 `edge` · {engine} · served by 2 workers",
    ]
    assert text.startswith("3 hosts\n")
    assert text.count("dockwarden worker --host") == 1


def test_all_served_needs_no_advice() -> None:
    """Nothing is to be done then."""
    assert "dockwarden worker" not in host_list((SERVED,), now=NOW).text


def test_no_host_at_all_is_said_in_words() -> None:
    """Before the first docker worker was started."""
    text = host_list((DEFAULT,), now=NOW).text
    assert "No host has announced itself" in text
    assert "dockwarden worker --host NAME" in text


def test_many_hosts_are_counted() -> None:
    """What does not fit into one message is counted; of more than were asked for, at least."""
    many = tuple(HostStanding(host=f"h{n}", engines=(ENGINE,)) for n in range(100))
    text = host_list(many, now=NOW).text
    assert text.startswith("At least 100 hosts\n")
    assert "… and at least 60 more." in text


@pytest.mark.parametrize(
    ("takes_stops", "takes_commits", "words"),
    [
        (True, True, "served by 1 worker"),
        (False, True, "served by 1 worker, which takes no further stops now"),
        (False, False, "served by 1 worker, which takes no further stops and commits now"),
    ],
)
def test_a_worker_that_is_full_is_not_called_away(
    words: str, *, takes_stops: bool, takes_commits: bool
) -> None:
    """A worker whose slots for stops are taken asks for no more of them."""
    standing = HostStanding(
        host="edge", workers=("7@a",), takes_stops=takes_stops, takes_commits=takes_commits
    )
    assert service_words(standing, NOW) == words


def test_what_a_worker_announced_is_text() -> None:
    """A version is the engine's own word; it can ping nobody."""
    told = Announcement(host="edge", engine_id="e", engine_version="<!channel> `x`")
    text = host_list((HostStanding(host="edge", engines=(told,)),), now=NOW).text
    assert "<!channel>" not in text


@pytest.mark.parametrize(
    ("typed", "known", "near"),
    [
        ("egde", ["edge", "local"], "edge"),
        ("edge1", ["edge-1", "edge-2"], "edge-1"),
        # nothing is like it
        ("zzz", ["edge", "local"], ""),
        ("edge", [], ""),
    ],
)
def test_a_host_that_may_have_been_meant_is_found(typed: str, known: list[str], near: str) -> None:
    """One is named, or none."""
    assert nearest_host(typed, known) == near


def test_a_look_that_is_refused_names_it_too() -> None:
    """The same words as where a request is refused."""
    refusal = Refusal(code=RefusalCode.UNKNOWN_HOST, detail="did you mean edge?")
    text = look_refused(refusal, host="egde", name="").text
    assert text == (
        "⚠️ No Dockwarden worker serves the host `egde`. Did you mean `edge`?\n"
        "`list hosts` shows which hosts there are."
    )
