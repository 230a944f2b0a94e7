"""How do tests put the socket proxy of an installation before an engine of theirs?

Debian's haproxy with ``deploy/haproxy.cfg`` as it is; only the three addresses are the test's. Its
log is read line by line, and its counts as a monitor reads them.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Final, Self

from tests.rigs.machine import path_of
from tests.rigs.waiting import wait_until

CONFIG: Final = Path(__file__).parents[2] / "deploy" / "haproxy.cfg"
_DENIED: Final = re.compile(
    r'^haproxy_frontend_requests_denied_total\{proxy="worker"\} (\d+)$', re.MULTILINE
)


class SocketProxy:
    """One haproxy before one engine, also as a context manager.

    Args:
        engine: the engine's address, ``unix://…``.
        user_and_group: as whom it runs, when the rights of the socket matter.
        config: another configuration, beside which the Lua of the installation lies too.
    """

    def __init__(
        self,
        engine: str,
        *,
        user_and_group: tuple[int, int] | None = None,
        config: Path = CONFIG,
    ) -> None:
        self._config = config
        self._engine = engine.removeprefix("unix://")
        self._as_whom = user_and_group
        self._directory = tempfile.TemporaryDirectory(prefix="dw-haproxy-")
        self._log = Path(self._directory.name) / "log"
        self._sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.address, self.monitor = (one.getsockname() for one in self._sockets)
        self.base_url = f"tcp://127.0.0.1:{self.address[1]}"

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()

    def start(self) -> Self:
        """Start it, and wait until it answers."""
        program = path_of("haproxy")
        if not program:
            message = "haproxy not found; apt-get install haproxy"
            raise RuntimeError(message)
        bind, metrics = (one.fileno() for one in self._sockets)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "setpriv",
                    "--pdeathsig",
                    "TERM",
                    *self._rights(),
                    program,
                    "-db",
                    "-f",
                    self._config,
                ],
                env={
                    "PROXY_BIND": f"fd@{bind}",
                    "PROXY_METRICS": f"fd@{metrics}",
                    "PROXY_ENGINE": self._engine,
                },
                pass_fds=(bind, metrics),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until(self._is_up, "haproxy answers")
        return self

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(20)
        for one in self._sockets:
            one.close()
        self._directory.cleanup()

    def refused(self) -> int:
        """Give how many calls it has counted as refused."""
        found = _DENIED.search(self.metrics())
        assert found
        return int(found[1])

    def metrics(self) -> str:
        """Read its counts."""
        with contextlib.closing(http.client.HTTPConnection(*self.monitor, timeout=20)) as client:
            client.request("GET", "/metrics")
            answer = client.getresponse()
            assert answer.status == http.HTTPStatus.OK
            return answer.read().decode()

    def log(self) -> list[str]:
        """Read what it has written."""
        return self._log.read_text(encoding="utf-8").splitlines()

    def _rights(self) -> list[str]:
        if self._as_whom is None:
            return []
        user, group = self._as_whom
        os.chown(self._directory.name, user, group)
        return [f"--reuid={user}", f"--regid={group}", "--clear-groups"]

    def _is_up(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError("haproxy ended:\n" + "\n".join(self.log()))
        with contextlib.suppress(OSError):
            return bool(self.metrics())
        return False
