"""Is what a start lacks read from the words of engines that no test can run?"""

from __future__ import annotations

from typing import Any, Final

import pytest

from activities.docker.refused_start import Missing, missing_for_start, name_it
from workflows.model.errors import ErrorType

_OURS: Final = "a1" * 32
_OTHER: Final = "b2" * 32
_RUNC: Final = "runc: runc create failed: unable to start container process: "
_NOT_FOUND: Final = "OCI runtime attempted to invoke a command that was not found"
_RAW: Final[dict[str, Any]] = {
    "HostConfig": {
        "NetworkMode": f"container:{_OTHER}",
        "Links": ["/db:/web/db"],
        "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}], "81/tcp": None},
        "Devices": [{"PathOnHost": "/dev/a", "PathInContainer": "/dev/b"}],
    },
    "Mounts": [
        {"Type": "bind", "Source": "/srv", "Destination": "/all"},
        {"Type": "bind", "Source": "/srv/data", "Destination": "/data"},
        {"Type": "bind", "Source": "/srv/odd", "Destination": "/a\nb"},
    ],
    "NetworkSettings": {"Networks": {"lan": {"NetworkID": "c3" * 32}}},
}


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        # Podman 4.3, as measured.
        (
            f'{_RUNC}error mounting "/x" to rootfs at "/y": stat /x: no such file: {_NOT_FOUND}',
            ErrorType.MOUNT_MISSING,
        ),
        (
            "mounting volume v for container a1: mount: /x: special device /y does not exist.",
            ErrorType.MOUNT_MISSING,
        ),
        (f'{_RUNC}exec: "/no": stat /no: no such file: {_NOT_FOUND}', ErrorType.CANNOT_RUN),
        (
            f"looking up supplemental groups for container {_OURS}: Unable to find group g: no",
            ErrorType.CANNOT_RUN,
        ),
        (
            "unable to find network with name or ID lan: network not found",
            ErrorType.NETWORK_MISSING,
        ),
        # Known from the sources, or from what people report.
        ("crun: cannot stat `/x`: No such file or directory", ErrorType.MOUNT_MISSING),
        ("crun: executable file `x` not found in $PATH", ErrorType.CANNOT_RUN),
        (
            f"some dependencies of container {_OURS} are not started: container state improper",
            ErrorType.OWNER_MISSING,
        ),
        (
            'error looking up volume plugin rexray: plugin "rexray" not found',
            ErrorType.MOUNT_MISSING,
        ),
        ('error looking up logging plugin loki: plugin "loki" not found', ErrorType.CANNOT_RUN),
        ("Requested CPUs are not available - requested 9, available: 0-1", ErrorType.CANNOT_RUN),
        (
            "failed to create task for container: OCI runtime: nvidia-container-cli: x",
            ErrorType.DEVICE_MISSING,
        ),
        ("CDI device injection failed: unresolvable CDI devices x", ErrorType.DEVICE_MISSING),
        ("unknown or invalid runtime name: runsc", ErrorType.CANNOT_RUN),
        ("Unknown runtime specified runsc", ErrorType.CANNOT_RUN),
        ("listen tcp4 0.0.0.0:80: bind: address already in use", ErrorType.PORT_BUSY),
        ("Ports are not available: listen tcp 0.0.0.0:80", ErrorType.PORT_BUSY),
        ("Address already in use", ErrorType.PORT_BUSY),
        ("mkdir /var/lib/docker/x: no space left on device", ErrorType.DISK_FULL),
        ("Cannot link to a non running container: /db AS /web/db", ErrorType.OWNER_MISSING),
        (f"container {_OTHER} is not running", ErrorType.OWNER_MISSING),
        (f"container {_OTHER[:12]} is not running", ErrorType.OWNER_MISSING),
    ],
)
def test_fixed_phrases_tell_what_is_missing(words: str, kind: ErrorType) -> None:
    """Whatever the engine and whatever the status."""
    found = missing_for_start(words, _OURS)
    assert found is not None
    assert found.kind is kind


@pytest.mark.parametrize(
    "words",
    [
        f"No such container: {_OURS}",
        f"container {_OURS} is not running",
        "cannot start a paused container, try unpause instead",
        "No such container",
        "something new",
    ],
)
def test_what_is_about_the_container_itself_is_not_its_surroundings(words: str) -> None:
    """Then the status, or a look at the container, has to say."""
    assert missing_for_start(words, _OURS) is None


def _named(kind: ErrorType, words: str, owner: tuple[str, str] | None = ("", "")) -> str:
    return name_it(Missing(kind), words, _RAW, lambda _: owner).text


@pytest.mark.parametrize(
    ("owner", "kind"),
    [
        (("", ""), ErrorType.OWNER_GONE),
        (("gw", "exited"), ErrorType.OWNER_MISSING),
        # The engine did not say: nothing is given up for that.
        (None, ErrorType.OWNER_MISSING),
    ],
)
def test_an_owner_is_gone_only_if_the_engine_says_so(
    owner: tuple[str, str] | None, kind: ErrorType
) -> None:
    """An id never comes back; all else may."""
    words = f"No such container: {_OTHER}"
    assert name_it(Missing(ErrorType.OWNER_MISSING), words, _RAW, lambda _: owner).kind is kind


def test_a_thing_is_named_by_what_the_card_may_show() -> None:
    """The place inside of the container, never its source on the host."""
    assert (
        _named(ErrorType.MOUNT_MISSING, "bind source path does not exist: /srv/data")
        == "its bind mount /data is missing on the host"
    )
    assert _named(ErrorType.MOUNT_MISSING, "path does not exist: /srv/other") == ""
    assert _named(ErrorType.MOUNT_MISSING, "path does not exist: /srv/odd") == ""
    assert (
        _named(ErrorType.DEVICE_MISSING, 'custom device "/dev/a": no such file')
        == "its device /dev/b is missing on the host"
    )
    assert (
        _named(ErrorType.NETWORK_MISSING, f"network {'c3' * 32} not found")
        == "its network lan is missing"
    )
    assert (
        _named(ErrorType.PORT_BUSY, "Bind for 0.0.0.0:8080 failed")
        == "port 8080, which it publishes, is taken"
    )
    assert _named(ErrorType.PORT_BUSY, "Bind for 0.0.0.0:8081 failed") == ""
    words = f"No such container: {_OTHER}"
    assert (
        _named(ErrorType.OWNER_MISSING, words)
        == "it uses the network of container b2b2b2b2b2b2, which was removed"
    )
    assert (
        _named(ErrorType.OWNER_MISSING, words, ("gw", "exited"))
        == "it uses the network of gw, which does not run (exited)"
    )
    assert (
        _named(ErrorType.OWNER_MISSING, "Cannot link to a non running container: /db AS /web/db")
        == "it is linked to db, which does not run"
    )
    assert _named(ErrorType.OWNER_MISSING, "Cannot link to /other AS /web/x") == ""
    assert _named(ErrorType.CANNOT_RUN, "exec") == ""
