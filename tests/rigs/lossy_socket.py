"""How does a client lose an engine's answer, while the engine goes on with the work?"""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import tempfile
import threading
from pathlib import Path
from typing import Self


class LossySocket:
    """A socket before an engine that hangs up on requests of one kind, once they were sent.

    Args:
        engine: the engine's address, ``unix://…``.
        lose: what the first line of a request to lose holds, like ``"/stop"``.
        after: how many seconds after the request the connection breaks.
    """

    def __init__(self, engine: str, *, lose: str, after: float = 0.0) -> None:
        self._engine = engine.removeprefix("unix://")
        self._lose = lose.encode()
        self._after = after
        self._directory = tempfile.TemporaryDirectory(prefix="dw-lossy-")
        self._path = Path(self._directory.name) / "docker.sock"
        self._listener = socket.socket(socket.AF_UNIX)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self.base_url = f"unix://{self._path}"
        self.lost = 0

    def __enter__(self) -> Self:
        """Listen."""
        self._listener.bind(str(self._path))
        self._listener.listen()
        self._listener.settimeout(0.05)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up on everybody."""
        self._closing.set()
        self._thread.join()
        self._listener.close()
        self._directory.cleanup()

    def _accept(self) -> None:
        threads = []
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                thread.start()
                threads.append(thread)
        for thread in threads:
            thread.join()

    def _serve(self, client: socket.socket) -> None:
        """Pass bytes both ways, until one side ends or the request to lose comes."""
        with client, socket.socket(socket.AF_UNIX) as engine, selectors.DefaultSelector() as both:
            engine.connect(self._engine)
            both.register(client, selectors.EVENT_READ, engine)
            both.register(engine, selectors.EVENT_READ, client)
            while not self._closing.is_set():
                for key, _ in both.select(0.05):
                    source, sink = key.fileobj, key.data
                    assert isinstance(source, socket.socket)
                    data = source.recv(65536)
                    if not data:
                        return
                    sink.sendall(data)
                    if source is client and self._lose in data.split(b"\r\n", 1)[0]:
                        _pass_rest(data, client, engine)
                        self._closing.wait(self._after)
                        self.lost += 1
                        return


def _pass_rest(request: bytes, client: socket.socket, engine: socket.socket) -> None:
    """Pass on what is missing of a request: the body may come after the head."""
    while not _is_whole(request):
        data = client.recv(65536)
        assert data, "the client hung up in the middle of its request"
        engine.sendall(data)
        request += data


def _is_whole(request: bytes) -> bool:
    head, ended, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?im)^content-length: *(\d+)", head)
    return bool(ended) and len(body) >= int(length[1] if length else 0)
