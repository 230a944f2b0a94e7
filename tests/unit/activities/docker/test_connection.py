"""Do many calls at once share their connections, over a socket and over a network?"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Final

import pytest

from activities.docker.connection import Connection

#: All threads of a docker worker that might ask at once.
_CALLERS: Final = 64 + 64 + 80


class _Engine(socketserver.ThreadingMixIn, socketserver.BaseServer):
    """Answers whatever is asked, all of a burst at once, and counts who connects."""

    daemon_threads = True
    request_queue_size = 512
    connections = 0
    burst = threading.Barrier(_CALLERS)
    lock = threading.Lock()


class _UnixEngine(_Engine, socketserver.UnixStreamServer):
    pass


class _TcpEngine(_Engine, socketserver.TCPServer):
    pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        assert isinstance(self.server, _Engine)
        with self.server.lock:
            self.server.connections += 1

    def do_GET(self) -> None:  # the name that http.server calls
        assert isinstance(self.server, _Engine)
        if "/containers/" in self.path:
            self.server.burst.wait(30)
        body = json.dumps({"ApiVersion": "1.41", "MinAPIVersion": "1.12"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _serving(engine: _UnixEngine | _TcpEngine) -> Iterator[None]:
    with engine:
        threading.Thread(target=engine.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            engine.shutdown()


@pytest.mark.parametrize("way", ["unix", "tcp"])
def test_no_call_of_a_full_worker_connects_anew(tmp_path: Path, way: str) -> None:
    """Each asks about another container, and the second burst takes what the first has left."""
    engine: _UnixEngine | _TcpEngine
    if way == "unix":
        engine = _UnixEngine(str(tmp_path / "s"), _Handler)
        base_url = f"unix://{tmp_path}/s"
    else:
        engine = _TcpEngine(("127.0.0.1", 0), _Handler)
        base_url = f"tcp://127.0.0.1:{engine.server_address[1]}"
    with _serving(engine), ThreadPoolExecutor(_CALLERS) as threads:
        connection = Connection(base_url, version_limit=30)

        def ask(number: int) -> None:
            connection.call(30, lambda api: api.inspect_container(f"{number:064x}"))

        connection.call(30, lambda api: api.version(api_version=False))
        before = engine.connections
        list(threads.map(ask, range(_CALLERS)))
        after_one = engine.connections
        list(threads.map(ask, range(_CALLERS, 2 * _CALLERS)))
        assert after_one - before <= _CALLERS
        assert engine.connections == after_one
        connection.close()
