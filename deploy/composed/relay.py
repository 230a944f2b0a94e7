"""How do people here reach a container of an engine that has a network of its own?

An engine that the laptop starts is apart from this machine's network, so that its ports cannot be
published here. A listener on loopback hands each connection on, by a socket that is made inside
of the engine's network.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from deploy.laptop.state import LOOPBACK

_CHUNK = 65_536
_CONNECTS_WITHIN = 5.0
#: Where a connection is to go now: the network's process, the address and the port.
Target = tuple[int, str, int]


@asynccontextmanager
async def relay(target: Callable[[], Target], port: int = 0) -> AsyncIterator[int]:
    """Relay a port of loopback, any free one if not told, to where the target is at the time."""
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this in a task
        connections.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                beyond = await asyncio.to_thread(_connection, target)
                await _both_ways(reader, writer, *await asyncio.open_connection(sock=beyond))
        finally:
            connections.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in connections.copy():
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


def _connection(target: Callable[[], Target]) -> socket.socket:
    process, address, port = target()
    connection = _socket_in_the_network_of(process)
    try:
        connection.settimeout(_CONNECTS_WITHIN)
        connection.connect((address, port))
    except OSError:
        connection.close()
        raise
    connection.setblocking(False)
    return connection


def _socket_in_the_network_of(process: int) -> socket.socket:
    """Make a socket that belongs to the network of a process: only this thread goes there."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(Path("/proc", str(process), "ns/net"), os.O_RDONLY)
    try:
        _enter(there)
        try:
            return socket.socket()
        finally:
            _enter(here)
    finally:
        os.close(here)
        os.close(there)


def _enter(network: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(network, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


async def _both_ways(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    beyond_reader: asyncio.StreamReader,
    beyond_writer: asyncio.StreamWriter,
) -> None:
    try:
        await asyncio.gather(_pump(reader, beyond_writer), _pump(beyond_reader, writer))
    finally:
        beyond_writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while some := await source.read(_CHUNK):
        sink.write(some)
        await sink.drain()
    with suppress(OSError):
        sink.write_eof()
