"""What do the compose files say of their services?

They are read by their own lines: Compose is not on each machine where the tests run.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "deploy"
MAIN, FURTHER = "compose.yaml", "compose.host.yaml"


def text(file: str = MAIN) -> str:
    """Read a file."""
    return (FOLDER / file).read_text(encoding="utf-8")


def services(file: str = MAIN) -> dict[str, str]:
    """Split it into the names of its services and their lines."""
    section = text(file).partition("\nservices:\n")[2].partition("\nsecrets:\n")[0]
    return dict(re.findall(r"^  ([a-z-]+):\n((?:    .*\n|\n)+)", section + "\n", re.M))


def command(service: str, file: str = MAIN) -> list[str]:
    """Give what a service is started with, behind its entry point."""
    section = services(file)[service].partition("\n    command:")[2]
    if lines := re.match(r"\n((?:      - .*\n)+)", section):
        return re.findall(r"- (.*)", lines[1])
    found = re.match(r" \[(.*)\]\n", section)
    assert found, service
    return [quoted or bare for quoted, bare in re.findall(r'"([^"]*)"|([^\s,]+)', found[1])]


def script(service: str) -> Path:
    """Name the script that a service runs once."""
    (mounted,) = command(service)
    return FOLDER / mounted.replace("/setup/", "temporal/")


def environment(service: str, file: str = MAIN) -> dict[str, str]:
    """Give what a service has under its environment itself."""
    section = services(file)[service].partition("\n    environment:\n")[2]
    lines = re.match(r"(?:      .*\n)*", section)
    given = re.findall(r"^      ([A-Z_]+): (.*)$", lines[0] if lines else "", re.M)
    return {name: value.strip('"') for name, value in given}


def variables() -> set[str]:
    """Name what somebody can set for Compose itself, in ``.env``."""
    return set(re.findall(r"\$\{(\w+):", text() + text(FURTHER)))
