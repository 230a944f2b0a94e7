"""Where do tests make what further machines need, as on the first one of an installation?"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.rigs import compose_file


class FirstMachine:
    """The ``deploy`` of a clone that has a seal key, and the scripts."""

    def __init__(self, folder: Path) -> None:
        self.deploy = folder / "deploy"
        shutil.copytree(compose_file.FOLDER / "scripts", self.deploy / "scripts")
        (self.deploy / "secrets").mkdir()
        (self.deploy / "secrets" / "seal_key").write_text("k" * 64, encoding="utf-8")

    def host(self, name: str, address: str) -> subprocess.CompletedProcess[str]:
        """Run host.sh."""
        return subprocess.run(
            [self.deploy / "scripts" / "host.sh", name, address],
            capture_output=True,
            text=True,
            check=False,
        )

    def made_for(self, name: str, address: str) -> Path:
        """Run host.sh for a new host; give the folder that it has made."""
        ended = self.host(name, address)
        assert ended.returncode == 0, ended.stderr
        return self.deploy / "hosts" / name

    def files(self) -> dict[Path, bytes]:
        """Give all that is there."""
        return {file: file.read_bytes() for file in self.deploy.rglob("*") if file.is_file()}
