"""What is there to check?

Apart from the checks, so that whoever only types the command's name loads none of them.
"""

from __future__ import annotations

from enum import StrEnum


class Part(StrEnum):
    """What can be checked."""

    SETTINGS = "settings"
    POLICIES = "policies"
    SLACK = "slack"
    TEMPORAL = "temporal"
    DOCKER = "docker"
