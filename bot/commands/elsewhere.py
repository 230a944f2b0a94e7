"""Which words do people bring along that Dockwarden has not, and what is there instead?

Nothing is guessed for them: ``stats`` looks like ``start``, and ``top`` like ``stop``.
"""

from __future__ import annotations

from typing import Final

#: What nobody can ask for: the words for it, and the sub-command that is there instead, if any.
_CANNOT: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "kill a container": (("kill",), "stop"),
    "remove a container": (("rm", "remove", "delete", "destroy", "down"), "stop"),
    "pause a container": (("pause", "freeze", "suspend"), "stop"),
    "go on with a paused container": (("unpause", "resume"), ""),
    "make a container": (("up", "run", "create", "deploy"), "start"),
    "change a container": (("update", "rename", "scale"), ""),
    "run anything in a container": (("exec", "attach", "sh", "bash", "cp"), ""),
    "show what a container writes": (("log", "logs", "events"), "inspect"),
    "show what runs in a container": (("top", "stats", "diff", "port"), "inspect"),
    "work on images": (
        ("build", "pull", "push", "image", "images", "rmi", "tag", "prune", "save", "load"),
        "",
    ),
    "bring a snapshot back": (("rollback", "restore", "revert", "undo"), ""),
    "work on networks, volumes or projects": (("network", "volume", "compose"), ""),
}
#: Other words for what is there.
_MEANT: Final = {
    "ps": "list",
    "ls": "list",
    "containers": "list",
    "commit": "snapshot",
    "reboot": "restart",
    "halt": "stop",
    "shutdown": "stop",
    "deny": "reject",
    "abort": "cancel",
}


def what_cannot(word: str) -> tuple[str, str]:
    """Say what nobody can ask for by this word, and by which one something like it; or nothing."""
    return next(
        ((what, instead) for what, (words, instead) in _CANNOT.items() if word in words), ("", "")
    )


def what_is_meant(word: str) -> str:
    """Give the sub-command that somebody means by another word, or ``""``."""
    return _MEANT.get(word, "")


def known_elsewhere() -> tuple[str, ...]:
    """List the words that are answered, and never guessed at."""
    return (*_MEANT, *(word for words, _ in _CANNOT.values() for word in words))
