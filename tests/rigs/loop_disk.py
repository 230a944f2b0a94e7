"""How does a test get a small disk of its own, one that it may fill?

A file with a file system in it, mounted by the kernel's loop device.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_BLOCK: Final = 4096


class LoopDisk:
    """A mounted disk. Use as a context manager.

    Args:
        megabytes: how big it is.
    """

    def __init__(self, megabytes: int) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="dw-disk-"))
        self._file = self._directory / "disk.img"
        self._megabytes = megabytes
        self.path = self._directory / "mounted"

    def __enter__(self) -> Self:
        """Make and mount it."""
        self.path.mkdir()
        with self._file.open("wb") as file:
            file.truncate(self._megabytes << 20)
        _run("mkfs.ext4", "-q", "-m", "0", str(self._file))
        _run("mount", "-o", "loop", str(self._file), str(self.path))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unmount and remove it."""
        _run("umount", "--lazy", str(self.path))
        shutil.rmtree(self._directory)

    def fill(self) -> None:
        """Take all the space that is left."""
        self.leave(0)

    def leave(self, free: int) -> None:
        """Take all but so many bytes, without writing them, and see that it is so."""
        with (self.path / "filler").open("ab") as filler:
            while (taken := self.free() - free) >= _BLOCK:
                try:
                    os.posix_fallocate(filler.fileno(), filler.seek(0, os.SEEK_END), taken)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    return

    def empty(self) -> None:
        """Give that space back."""
        (self.path / "filler").unlink()

    def free(self) -> int:
        """How many bytes are free."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
