"""How is one HTTP message read whole from a connection that stays open?

Enough of HTTP for a Docker engine and its client: lengths, chunks, and answers without a body.
"""

from __future__ import annotations

import re
from io import BufferedReader
from typing import Final

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_NO_BODY: Final = re.compile(rb"HTTP/1\.[01] (?:1\d\d|204|304) ")


def read_message(source: BufferedReader, *, is_answer: bool = False) -> bytes:
    """Read one message whole; nothing when the other side has hung up."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = source.readline()
        if not line:
            return b""
        head += line
    if _NO_BODY.match(head):
        return head
    if _CHUNKED.search(head):
        return head + _chunks(source)
    if length := _LENGTH.search(head):
        return head + source.read(int(length[1]))
    return head + source.read() if is_answer else head


def _chunks(source: BufferedReader) -> bytes:
    read = b""
    while True:
        size = source.readline()
        chunk = source.read(int(size.split(b";")[0], 16) + 2)
        read += size + chunk
        if int(size.split(b";")[0], 16) == 0:
            return read
