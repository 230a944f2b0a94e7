"""Which part of this machine's environment do the laptop's processes see?

Everything on the laptop is set by the laptop. A ``DOCKWARDEN_*`` or ``TEMPORAL_*`` variable of
the person's shell would point a part of it at production, and a proxy would swallow the calls
between its parts, which all stay on this machine.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

_OURS = ("DOCKWARDEN_", "TEMPORAL_", "SLACK_", "DOCKER_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy", "ws_proxy", "wss_proxy")


def machine_environment() -> dict[str, str]:
    """Give the environment for tools of this machine (apt, npm): a proxy is theirs to use."""
    everything = os.environ  # noqa: TID251 - handed on to children, never read for a setting
    return {name: value for name, value in everything.items() if not name.upper().startswith(_OURS)}


def part_environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give the environment of one part: the machine's without settings and proxies, and its own."""
    inherited = {
        name: value for name, value in machine_environment().items() if name.lower() not in _PROXIES
    }
    return {**inherited, **(settings or {})}
