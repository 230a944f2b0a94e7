"""What does the compose file say of its services?

It is read by its own lines: Compose is not on the machines where the tests run.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "deploy"


def text() -> str:
    """Read the file."""
    return (FOLDER / "compose.yaml").read_text(encoding="utf-8")


def services() -> dict[str, str]:
    """Split it into the names of its services and their lines."""
    section = text().partition("\nservices:\n")[2].partition("\nsecrets:\n")[0]
    return dict(re.findall(r"^  ([a-z-]+):\n((?:    .*\n|\n)+)", section + "\n", re.M))


def command(service: str) -> list[str]:
    """Give what a service is started with, behind its entry point."""
    section = services()[service].partition("\n    command:")[2]
    if lines := re.match(r"\n((?:      - .*\n)+)", section):
        return re.findall(r"- (.*)", lines[1])
    found = re.match(r" \[(.*)\]\n", section)
    assert found, service
    return [quoted or bare for quoted, bare in re.findall(r'"([^"]*)"|([^\s,]+)', found[1])]


def script(service: str) -> Path:
    """Name the script that a service runs once."""
    (mounted,) = command(service)
    return FOLDER / mounted.replace("/setup/", "temporal/")


def environment(service: str) -> dict[str, str]:
    """Give what a service has under its environment itself."""
    section = services()[service].partition("\n    environment:\n")[2]
    lines = re.match(r"(?:      .*\n)*", section)
    return dict(re.findall(r"^      ([A-Z_]+): (.*)$", lines[0] if lines else "", re.M))
