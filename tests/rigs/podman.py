"""How do tests get a Podman of their own, which speaks Docker's API in its own way?

One ``podman system service`` with all that it has in one temporary directory. Containers are run
by ``runc``: ``crun`` refuses the mixed control groups of some machines.
"""

from __future__ import annotations

import shutil
from typing import Final

from tests.rigs.dockerd import IMAGE, DockerEngine
from tests.rigs.machine import root_file_system

_SETTINGS: Final = """\
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
"""


class PodmanEngine(DockerEngine):
    """One Podman. Its containers outlive its service, which only answers."""

    def __init__(self) -> None:
        missing = [tool for tool in ("podman", "runc") if not shutil.which(tool)]
        if missing:
            message = f"{', '.join(missing)} not found; apt-get install podman runc"
            raise RuntimeError(message)
        super().__init__()
        (self._directory / "containers.conf").write_text(_SETTINGS, encoding="utf-8")

    def _command(self) -> tuple[str, ...]:
        directory = self._directory
        return (
            *("env", f"CONTAINERS_CONF={directory}/containers.conf", "podman"),
            *(f"--root={directory}/data", f"--runroot={directory}/exec"),
            *(f"--tmpdir={directory}/state", "system", "service", "--time=0", self.base_url),
        )

    def _load_image(self) -> None:
        """Load the image, and tag it: an import takes no tag here."""
        repository, _, tag = IMAGE.partition(":")
        found = self.api.import_image_from_data(root_file_system(), repository=repository)
        assert "error" not in found, found
        self.api.tag(f"{repository}:latest", repository, tag)
        self.api.remove_image(f"{repository}:latest")
