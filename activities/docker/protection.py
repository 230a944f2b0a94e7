"""Which containers may nobody touch through Dockwarden, whoever approves?

Asked when a request is planned, and again before anything is done: a label says so, the
operator's list of names says so, or the container is the one that this worker runs in.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from workflows.model.errors import RefusalCode
from workflows.model.names import PROTECTED_LABEL

_OFF = frozenset({"false", "0", "no", "off"})
#: Only what Docker mounts into a container from the container's own directory: on a host, the
#: directories of other containers are mount points too.
_OWN_MOUNT = re.compile(
    r"/containers/(?:overlay-containers/)?([0-9a-f]{64})/\S* /etc/(?:hostname|hosts|resolv\.conf) "
)
_OWN_CGROUP = re.compile(
    r"(?:/docker/|/docker-|/libpod-)([0-9a-f]{64})(?:\.scope)?(?:/\S*)?$", re.M
)
_SHORT_ID = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """The containers of one host that are out of bounds.

    ``name_patterns`` are globs from the settings; ``own_container`` is the id, or its first
    twelve digits, of the container that the worker runs in, ``None`` outside of one.
    """

    name_patterns: tuple[str, ...] = ()
    own_container: str | None = None

    def refusal(
        self, *, container_id: str, name: str, labels: Mapping[str, str]
    ) -> RefusalCode | None:
        """Say why a container is out of bounds, or ``None``."""
        if self.own_container and container_id.startswith(self.own_container):
            return RefusalCode.OWN_CONTAINER
        if is_labelled(labels):
            return RefusalCode.PROTECTED
        if any(fnmatchcase(name, pattern) for pattern in self.name_patterns):
            return RefusalCode.PROTECTED
        return None


def is_labelled(labels: Mapping[str, str]) -> bool:
    """Say whether a label protects: with any value but a plain "false", in doubt it was meant."""
    label = labels.get(PROTECTED_LABEL)
    return label is not None and label.strip().lower() not in _OFF


def own_container_id() -> str | None:
    """Find out which container this process runs in, if any."""
    return container_id_from(
        mountinfo=_read("/proc/self/mountinfo"),
        cgroup=_read("/proc/self/cgroup"),
        hostname=socket.gethostname(),
    )


def container_id_from(*, mountinfo: str, cgroup: str, hostname: str) -> str | None:
    """Read a container's id from what the kernel tells a process inside of it.

    The host name is Docker's default one, the first twelve digits of the id.
    """
    for pattern, text in ((_OWN_MOUNT, mountinfo), (_OWN_CGROUP, cgroup)):
        found = pattern.search(text)
        if found:
            return found[1]
    return hostname if _SHORT_ID.fullmatch(hostname) else None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
