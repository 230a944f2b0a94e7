"""Who sits at this terminal, by the word of the operating system?

Never by an environment variable, which whoever sits there can set. The kernel remembers who logged
in, also of somebody who became another user since.
"""

from __future__ import annotations

import os
import pwd
import re
import socket
from pathlib import Path

from workflows.model.terminal import TERMINAL_NAME, Terminal

_LOGIN = Path("/proc/self/loginuid")
#: What the kernel says where nobody logged in: a service, or a container.
_NOBODY = 2**32 - 1
_LONGEST = 64
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.@+-]")


def this_terminal() -> Terminal:
    """Say at which host this program runs, and which user has started it."""
    user = _user(os.getuid())
    login = _logged_in()
    return Terminal(
        host=_tamed(socket.gethostname()),
        user=user,
        logged_in_as="" if login == user else login,
    )


def _logged_in() -> str:
    try:
        uid = int(_LOGIN.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return ""
    return "" if uid == _NOBODY else _user(uid)


def _user(uid: int) -> str:
    try:
        return _tamed(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return f"uid-{uid}"


def _tamed(name: str) -> str:
    """Write a name in the characters that a request takes; two that come out alike count as one."""
    tamed = _NOT_IN_NAMES.sub("_", name)[:_LONGEST]
    return tamed if TERMINAL_NAME.fullmatch(tamed) else "unknown"
