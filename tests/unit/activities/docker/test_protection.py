"""Which containers are out of bounds, and does a worker know its own?"""

from __future__ import annotations

import pytest

from activities.docker.protection import Protection, container_id_from, own_container_id
from workflows.model.errors import RefusalCode

OWN = "ab12" * 16
OTHER = "cd34" * 16


@pytest.mark.parametrize(
    ("name", "labels", "refusal"),
    [
        ("web-1", {}, None),
        ("web-1", {"dockwarden.protected": "true"}, RefusalCode.PROTECTED),
        ("web-1", {"dockwarden.protected": "yes, please"}, RefusalCode.PROTECTED),
        ("web-1", {"dockwarden.protected": " False "}, None),
        ("temporal-db", {}, RefusalCode.PROTECTED),
        ("xtemporal-db", {}, None),
        ("Temporal-db", {}, None),
    ],
)
def test_labels_and_names_protect(
    name: str, labels: dict[str, str], refusal: RefusalCode | None
) -> None:
    """A label that does not plainly say false protects; globs match whole names."""
    protection = Protection(name_patterns=("temporal-*",), own_container=OWN)
    assert protection.refusal(container_id=OTHER, name=name, labels=labels) == refusal


@pytest.mark.parametrize("own", [OWN, OWN[:12]])
def test_the_own_container_is_protected(own: str) -> None:
    """The full id is known, or the twelve digits of the host name."""
    protection = Protection(own_container=own)
    assert protection.refusal(container_id=OWN, name="x", labels={}) == RefusalCode.OWN_CONTAINER
    assert protection.refusal(container_id=OTHER, name="x", labels={}) is None


_DOCKER = (
    f"719 708 8:1 /var/lib/docker/containers/{OWN}/resolv.conf /etc/resolv.conf rw - ext4 /dev/a rw"
)
_PODMAN = (
    f"719 708 0:50 /containers/overlay-containers/{OWN}/userdata/hostname /etc/hostname rw - tmpfs"
)
_HOST = f"99 27 0:9 / /var/lib/docker/containers/{OTHER}/mounts/shm rw - tmpfs shm rw"


@pytest.mark.parametrize(
    ("mountinfo", "cgroup", "hostname", "own"),
    [
        (_DOCKER, "0::/", "web", OWN),
        (_PODMAN, "0::/", "web", OWN),
        ("", f"4:memory:/docker/{OWN}\n", "web", OWN),
        ("", f"0::/system.slice/docker-{OWN}.scope\n", "web", OWN),
        ("", f"0::/machine.slice/libpod-{OWN}.scope/container\n", "web", OWN),
        ("", "0::/", OWN[:12], OWN[:12]),
        (_HOST, "0::/user.slice", "laptop", None),
        ("", "", "", None),
    ],
)
def test_the_kernel_tells_the_own_container(
    mountinfo: str, cgroup: str, hostname: str, own: str | None
) -> None:
    """Inside of a container it is found; on a host, other containers are not taken for it."""
    assert container_id_from(mountinfo=mountinfo, cgroup=cgroup, hostname=hostname) == own


def test_the_look_at_this_process_never_fails() -> None:
    """Whatever the machine, there is an answer."""
    assert own_container_id() is None or own_container_id()
