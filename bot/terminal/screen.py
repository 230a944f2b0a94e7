"""Where does what a command says go, and what if nobody reads it any more?

For people all goes to standard output, but mistakes. For scripts that holds one JSON object and
nothing else, and what happens meanwhile goes to standard error. A pipe that is closed early ends no
command: what was recorded is recorded.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from bot.terminal.exits import Exit


class Screen:
    """The two streams of one command."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def tell(self, *lines: str) -> None:
        """Tell people what happens; scripts find it beside the object."""
        _write(sys.stderr if self._as_json else sys.stdout, lines)

    def end(
        self,
        exit_: Exit,
        lines: Iterable[str],
        *,
        error: str = "",
        **fields: Any,  # noqa: ANN401
    ) -> Exit:
        """Say how it ended: to people in lines, to scripts as one object."""
        told = [*lines, *([f"dockwarden: {error}"] if error else [])]
        if self._as_json:
            answer = {"exit": int(exit_), "error": error or None, **fields}
            _write(sys.stdout, [json.dumps(answer, ensure_ascii=True)])
            _write(sys.stderr, told[-1:] if error else [])
        else:
            _write(sys.stdout, told[:-1] if error else told)
            _write(sys.stderr, told[-1:] if error else [])
        return exit_


def _write(stream: TextIO, lines: Iterable[str]) -> None:
    """Write lines; when nobody reads them any more, the rest goes nowhere."""
    try:
        for line in lines:
            stream.write(f"{line}\n")
        stream.flush()
    except BrokenPipeError:
        # The interpreter flushes once more at its end, and would complain.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
