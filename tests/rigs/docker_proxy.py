"""How does a test put a fault at one exact moment of one call to a real engine?

A proxy on a socket before the engine. It reads each request and its answer whole, so that it can
do something before the engine has a request, while the engine is at work on it, or when the
answer is there and the client does not have it yet. Everything else passes through.
"""

from __future__ import annotations

import contextlib
import json
import re
import select
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from io import BufferedReader
from pathlib import Path
from typing import Self

from tests.rigs.http_messages import read_message


class Moment(StrEnum):
    """When a trap springs."""

    BEFORE = "before the engine has it"
    UNDERWAY = "while the engine is at work"
    ANSWERED = "when the answer is there"


class HangUp:
    """What a trap's act gives to lose the request, or the answer that was about to come."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a trap's act gives to answer in the engine's place, before the engine has it."""

    status: int
    message: str


Act = Callable[[], HangUp | Answer | None]


@dataclass(slots=True)
class Trap:
    """An act at some of the requests whose first line matches; it counts what it did."""

    pattern: re.Pattern[str]
    moment: Moment
    act: Act
    nth: int = 1
    times: int = 1
    after: re.Pattern[str] | None = None
    seen: int = 0
    fired: int = 0


@dataclass(slots=True)
class Exchange:
    """One request that came: its first line, when, and what became of it."""

    line: str
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    status: int | None = None
    given_up: bool = False


class DockerProxy:
    """A socket before an engine. Use as a context manager.

    Args:
        engine: the engine's address, ``unix://…``; ``engine`` may be set to another one later.
    """

    def __init__(self, engine: str) -> None:
        self.engine_url = engine
        self._directory = tempfile.TemporaryDirectory(prefix="dw-proxy-")
        self.path = Path(self._directory.name) / "docker.sock"
        self._listener: socket.socket | None = None
        self._clients: set[socket.socket] = set()
        self._traps: list[Trap] = []
        self._lock = threading.Lock()
        self.base_url = f"unix://{self.path}"
        self.exchanges: list[Exchange] = []

    def __enter__(self) -> Self:
        """Listen."""
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up on everybody."""
        self.down()
        self._directory.cleanup()

    def up(self) -> None:
        """Listen, as an engine that was started does."""
        if self._listener is None:
            self.path.unlink(missing_ok=True)
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(self.path))
            self._listener.listen(64)
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def down(self) -> None:
        """Be gone, as an engine that was killed is: new connections are refused."""
        if self._listener is not None:
            self.path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.hang_up()

    def hang_up(self) -> None:
        """Close all connections; clients connect anew, to the engine of then."""
        with self._lock:
            for client in self._clients:
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)

    def lead_to(self, engine: str) -> None:
        """Stand before another engine from now on, with no traps."""
        self.engine_url = engine
        self.clear()
        self.hang_up()

    def trap(
        self,
        pattern: str,
        moment: Moment,
        act: Act,
        *,
        nth: int = 1,
        times: int = 1,
        after: str | None = None,
    ) -> Trap:
        """Do something at the nth request that matches, and at as many as ``times`` says.

        Args:
            pattern: what is searched for in ``METHOD /path?query``.
            moment: when to act.
            act: what to do; it runs in the connection's own thread and may wait.
            nth: which matching request is the first to act on.
            times: on how many to act.
            after: what must have been answered before any request counts.
        """
        earlier = re.compile(after) if after else None
        trap = Trap(re.compile(pattern), moment, act, nth, times, earlier)
        with self._lock:
            self._traps.append(trap)
        return trap

    def clear(self) -> None:
        """Forget all traps, and what has passed."""
        with self._lock:
            self._traps.clear()
            self.exchanges.clear()

    def passed(self, pattern: str) -> list[Exchange]:
        """Give the requests that came and match."""
        with self._lock:
            return [exchange for exchange in self.exchanges if re.search(pattern, exchange.line)]

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with self._lock:
            self._clients.add(client)
        try:
            with client, socket.socket(socket.AF_UNIX) as engine, contextlib.suppress(OSError):
                engine.connect(self.engine_url.removeprefix("unix://"))
                with client.makefile("rb") as requests, engine.makefile("rb") as answers:
                    while request := read_message(requests):
                        if not self._pass(request, client, engine, answers):
                            return
        finally:
            with self._lock:
                self._clients.discard(client)

    def _pass(
        self, request: bytes, client: socket.socket, engine: socket.socket, answers: BufferedReader
    ) -> bool:
        """Pass one request and its answer; false ends the connection."""
        exchange = Exchange(request.split(b" HTTP/", 1)[0].decode())
        traps = self._springing(exchange)
        verdict = _spring(traps, Moment.BEFORE)
        if isinstance(verdict, Answer):
            exchange.status = verdict.status
            client.sendall(_written(verdict))
            return True
        exchange.given_up = verdict is None and _has_left(client)
        if verdict is not None or exchange.given_up:
            return False
        engine.sendall(request)
        if _spring(traps, Moment.UNDERWAY) is not None:
            return False
        answer = _answer(client, engine, answers)
        exchange.ended = time.monotonic()
        exchange.given_up = answer is None
        if not answer:
            return False
        exchange.status = int(answer.split(b" ", 2)[1])
        lost = _spring(traps, Moment.ANSWERED) is not None
        if not lost:
            client.sendall(answer)
        return not lost

    def _springing(self, exchange: Exchange) -> list[Trap]:
        """Note a request, and find the traps that it springs."""
        springing = []
        with self._lock:
            self.exchanges.append(exchange)
            for trap in self._traps:
                if trap.pattern.search(exchange.line) and self._is_due(trap):
                    trap.seen += 1
                    if trap.nth <= trap.seen < trap.nth + trap.times:
                        springing.append(trap)
        return springing

    def _is_due(self, trap: Trap) -> bool:
        return trap.after is None or any(
            earlier.status is not None and trap.after.search(earlier.line)
            for earlier in self.exchanges
        )


def _spring(traps: list[Trap], moment: Moment) -> HangUp | Answer | None:
    verdict = None
    for trap in traps:
        if trap.moment is moment:
            verdict = trap.act() or verdict
            trap.fired += 1
    return verdict


def _has_left(client: socket.socket) -> bool:
    """Tell whether the client is gone: it sends nothing before it has its answer."""
    readable, _, _ = select.select([client], [], [], 0)
    return bool(readable) and not client.recv(1, socket.MSG_PEEK)


def _answer(client: socket.socket, engine: socket.socket, answers: BufferedReader) -> bytes | None:
    """Wait for the answer: nothing when the engine has hung up, ``None`` when the client has."""
    select.select([client, engine], [], [])
    return None if _has_left(client) else read_message(answers, is_answer=True)


def _written(answer: Answer) -> bytes:
    body = json.dumps({"message": answer.message}).encode()
    head = f"HTTP/1.1 {answer.status} x\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
