"""Does a list say in few words how each container stands?"""

from __future__ import annotations

import pytest

from activities.docker.answers import container_list_entry
from activities.docker.kept import KeptSnapshots
from activities.docker.listed import health, standing, summary


@pytest.mark.parametrize(
    ("state", "status", "words", "well"),
    [
        ("running", "Up 6 days", "up 6 days", ""),
        ("running", "Up About a minute (healthy)", "up about a minute, healthy", "healthy"),
        ("running", "Up 2 hours (unhealthy)", "up 2 hours, unhealthy", "unhealthy"),
        (
            "running",
            "Up 3 seconds (health: starting)",
            "up 3 seconds, health check starting",
            "starting",
        ),
        ("paused", "Up 5 minutes (Paused)", "paused, started 5 minutes ago", ""),
        ("exited", "Exited (0) 3 minutes ago", "stopped 3 minutes ago", ""),
        ("exited", "Exited (137) 2 weeks ago", "stopped 2 weeks ago, exit code 137", ""),
        (
            "restarting",
            "Restarting (1) 5 seconds ago",
            "restarting again and again, ended 5 seconds ago, exit code 1",
            "",
        ),
        ("created", "Created", "never started", ""),
        ("removing", "Removal In Progress", "", ""),
        ("running", "<!channel>", "", ""),
    ],
)
def test_the_engine_words_how_long_it_is_so(state: str, status: str, words: str, well: str) -> None:
    """What it words otherwise is not told, and the state alone stands there."""
    entry = container_list_entry({"Id": "c", "Names": ["/a"], "State": state, "Status": status})
    assert (standing(entry), health(status)) == (words, well)


def test_one_line_has_project_ports_and_snapshots() -> None:
    """All of the list that was asked for anyway."""
    entry = container_list_entry(
        {
            "Id": "c",
            "Names": ["/shop-db-1"],
            "Image": "postgres:16",
            "State": "running",
            "Status": "Up 6 days",
            "Labels": {
                "com.docker.compose.project": "shop",
                "com.docker.compose.service": "<!channel>",
            },
            "Ports": [{"IP": "127.0.0.1", "PrivatePort": 5432, "PublicPort": 5432, "Type": "tcp"}],
        }
    )
    kept = KeptSnapshots([{"Labels": {"dockwarden.source": "c", "dockwarden.request-id": "a"}}])
    one = summary(entry, kept, protected=True)
    assert (one.part_of, one.ports, one.snapshots, one.protected) == (
        "shop", "127.0.0.1:5432", 1, True,
    )  # fmt: skip
