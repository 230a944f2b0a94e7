"""Which containers does the laptop make to play with, and how do they vanish again?

All that the laptop makes in an engine carries its label, and so do the snapshots of its
containers, for a commit inherits labels. That is how leftovers are found and nothing else is hit.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, ImageNotFound, NotFound
from docker.types import Mount

from deploy.laptop.console import LaptopError, say
from deploy.laptop.state import is_alive

#: The containers to play with.
NAMES = ("web-1", "db-1", "cache-1")
IMAGE = "dockwarden-laptop/busybox:1"
_PUBLIC_IMAGE = "busybox:1.36"
_LABEL = "dockwarden.laptop"
#: Ends at once on SIGTERM; a shell without the trap would be killed after the grace.
_ENDS_AT_ONCE = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"
API_VERSION = "1.41"


class Containers:
    """The containers and images of one laptop in one engine."""

    def __init__(self, engine_url: str, owner: str) -> None:
        self._owner = owner
        self._client = docker.APIClient(base_url=engine_url, version=API_VERSION, timeout=60)

    def make(self, names: Iterable[str] = NAMES) -> None:
        """Make the image and containers of these names, and start them.

        Raises:
            LaptopError: a container of that name is there and is not ours, or there is no
                busybox to make the image of.
        """
        taken = sorted(set(names) & self._names_in_use())
        if taken:
            message = (
                f"this engine has a container named {taken[0]} that is not the laptop's: "
                "rename it, or use --no-containers"
            )
            raise LaptopError(message)
        self._make_image()
        for name in names:
            self.run(name)

    def run(self, name: str, script: str = _ENDS_AT_ONCE, data: Path | None = None) -> None:
        """Run a container of the image that is made already, with a directory as ``/data``."""
        # In the older form the engine would make a directory that is missing.
        mounts = [Mount("/data", str(data), type="bind")] if data else []
        container = self._client.create_container(
            IMAGE,
            command=["/bin/sh", "-c", script],
            name=name,
            labels={_LABEL: self._owner},
            host_config=self._client.create_host_config(network_mode="none", mounts=mounts),
        )
        self._client.start(container["Id"])

    def remove(self) -> None:
        """Remove what this laptop made, and what others left that are gone."""
        for container in self._client.containers(all=True, filters={"label": _LABEL}):
            if self._is_ours(container["Labels"]):
                self._remove_container(container["Id"])
        for image in self._client.images(filters={"label": _LABEL}):
            if self._is_ours(image["Labels"]):
                self._remove_image(image["Id"])
        if not self._client.containers(all=True, filters={"label": _LABEL}):
            for image in self._client.images(filters={"label": f"{_LABEL}=shared"}):
                self._remove_image(image["Id"])

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _make_image(self) -> None:
        """Make the image of this machine's static busybox, so that no registry is needed."""
        repository, _, tag = IMAGE.partition(":")
        busybox = _static_busybox()
        if busybox:
            self._client.import_image_from_data(
                _archive(busybox),
                repository=repository,
                tag=tag,
                changes=[f"LABEL {_LABEL}=shared"],
            )
            return
        say(f"there is no static busybox on this machine: the engine pulls {_PUBLIC_IMAGE}")
        try:
            self._client.pull(_PUBLIC_IMAGE)
            self._client.tag(_PUBLIC_IMAGE, repository, tag)
        except APIError as error:
            message = (
                f"the engine cannot pull {_PUBLIC_IMAGE}: install a static busybox "
                "(on Debian: apt-get install busybox-static), or use --no-containers"
            )
            raise LaptopError(message) from error

    def _is_ours(self, labels: dict[str, str]) -> bool:
        owner = labels[_LABEL]
        return owner == self._owner or (owner != "shared" and not is_alive(owner))

    def _names_in_use(self) -> set[str]:
        listed: list[dict[str, Any]] = self._client.containers(all=True)
        return {name.removeprefix("/") for entry in listed for name in entry["Names"]}

    def _remove_container(self, container_id: str) -> None:
        try:
            self._client.remove_container(container_id, force=True, v=True)
        except NotFound:
            return

    def _remove_image(self, image_id: str) -> None:
        try:
            self._client.remove_image(image_id, force=True)
        except (ImageNotFound, NotFound):
            return
        except APIError as error:
            if error.status_code != 409:  # noqa: PLR2004 - a container made since then uses it
                raise


def _static_busybox() -> Path | None:
    """Find a busybox that needs no libraries; the ELF head of another names its interpreter."""
    found = shutil.which("busybox")
    if not found:
        return None
    with Path(found).open("rb") as file:
        head = file.read(4096)
    is_static = head.startswith(b"\x7fELF") and b"/ld-linux" not in head and b"/ld-musl" not in head
    return Path(found).resolve() if is_static else None


def _archive(busybox: Path) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for directory in ("bin", "tmp", "etc"):
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        tar.add(busybox, arcname="bin/busybox")
        for applet in ("sh", "sleep", "cat", "echo", "ls", "touch", "true"):
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return archive.getvalue()
