"""What does the machine have to bring for engines of the tests, and what do they run on them?"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from typing import Final

_APPLETS: Final = ("sh", "sleep", "cat", "dd", "echo", "false", "rm", "test", "touch", "true")


def check_machine() -> None:
    """See that an engine can be started here.

    Raises:
        RuntimeError: it cannot; the message says what to install.
    """
    missing = [tool for tool in ("dockerd", "unshare", "setpriv", "busybox") if not path_of(tool)]
    if missing:
        message = f"{', '.join(missing)} not found; apt-get install docker.io busybox-static"
        raise RuntimeError(message)
    if os.geteuid() != 0:
        message = "only root can start a Docker engine for the tests"
        raise RuntimeError(message)
    is_linked = subprocess.run(["ldd", path_of("busybox")], check=False, capture_output=True)
    if is_linked.returncode == 0:
        message = "busybox is not the static one; apt-get install busybox-static"
        raise RuntimeError(message)


def path_of(tool: str) -> str:
    """Find a tool, also one that is for root alone; ``""`` when there is none."""
    return shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/sbin") or ""


def root_file_system() -> bytes:
    """Pack an image's whole file system: one static binary under a few names."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(path_of("busybox"), "bin/busybox")
        for applet in _APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return packed.getvalue()
