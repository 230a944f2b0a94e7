"""How does a program's call arrive, and its answer not? How is a program cut off altogether?

A relay before a server. From a moment on it passes what the program sends and keeps the answers,
or it passes nothing at all.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self


class SlowWire:
    """A relay on a free port.

    ``held`` counts the pieces of answers that were kept back, ``refused`` the connections that
    came while the wire was cut.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.partition(":")
        self._target = (host, int(port))
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self._let_through: int | None = None
        self.held = 0
        self.refused = 0
        self.address = ""

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up."""
        assert self._server is not None
        self._open.set()
        self._server.close()
        self._hang_up()
        await self._server.wait_closed()

    def hold_answers(self, *, after: int = 0) -> None:
        """Keep all answers back from now on, or those to what comes after so many calls."""
        self._let_through = after
        if not after:
            self._open.clear()

    def release(self) -> None:
        """Pass on what was kept back."""
        self._let_through = None
        self._open.set()

    def cut(self) -> None:
        """Hang up, and let nobody through from now on."""
        self._is_cut = True
        self._hang_up()

    def mend(self) -> None:
        """Let everybody through again."""
        self._is_cut = False

    def _hang_up(self) -> None:
        for writer in list(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            self.refused += 1
            writer.close()
            return
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            self._writers |= {writer, far_writer}
            await asyncio.gather(
                self._pump(reader, far_writer, held=False),
                self._pump(far_reader, writer, held=True),
            )

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, held: bool
    ) -> None:
        calls = _Calls()
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if not held:
                    self._count(calls.begun_in(data))
                if held and not self._open.is_set():
                    self.held += 1
                    await self._open.wait()
                sink.write(data)
                await sink.drain()
        sink.close()
        self._writers.discard(sink)

    def _count(self, calls: int) -> None:
        if self._let_through is None:
            return
        if calls > self._let_through:
            self._open.clear()
        self._let_through = max(self._let_through - calls, 0)


class _Calls:
    """Counts the calls in what a gRPC client sends: each opens with one frame of headers."""

    _PREFACE = 24
    _FRAME_HEAD = 9
    _HEADERS = 1

    def __init__(self) -> None:
        self._skip = self._PREFACE
        self._rest = b""

    def begun_in(self, data: bytes) -> int:
        """Count the calls that begin in the next piece of the stream."""
        self._rest += data
        begun = 0
        while len(self._rest) >= self._skip + self._FRAME_HEAD:
            head = self._rest[self._skip : self._skip + self._FRAME_HEAD]
            begun += head[3] == self._HEADERS
            self._rest = self._rest[self._skip + self._FRAME_HEAD :]
            self._skip = int.from_bytes(head[:3], "big")
        skipped = min(self._skip, len(self._rest))
        self._rest, self._skip = self._rest[skipped:], self._skip - skipped
        return begun
