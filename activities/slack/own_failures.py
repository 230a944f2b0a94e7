"""What does a failure mean that lies in how Dockwarden itself is set up, and who can mend it?

The rest of the word list, and how it is looked up, stands in ``error_help.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from workflows.model.errors import ErrorType

#: What stands for a command of the provider's.
LOOK = "{look}"
START = "{start}"
STOP = "{stop}"
PAUSE = "{pause}"
UNPAUSE = "{unpause}"


class Do(NamedTuple):
    """One thing to do on the host: what, and the command that helps, if there is one."""

    words: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """Words for one kind of failure.

    ``meaning`` continues "failed:". ``advice`` are sentences for somebody who wants to ask again.
    ``do`` is for somebody who wants the container back; ``then_start`` says that it can be started
    by hand after that.
    """

    meaning: str
    advice: str = ""
    do: tuple[Do, ...] = ()
    then_start: bool = True


OWN_CAUSES = {
    ErrorType.NOT_PERMITTED: Cause(
        "the Dockwarden worker of the host has no proof that people approved this",
        "Whoever runs Dockwarden can run `dockwarden check`: it says which process has no seal "
        "key (`DOCKWARDEN_SEAL_KEY`), or another one. Then ask again.",
        (
            Do(
                "Set `DOCKWARDEN_SEAL_KEY` of the Dockwarden worker of {host} as it was when this "
                "was approved, with the new key before it if there is one, and start it again"
            ),
            Do("If that takes long, see whether it runs, and start it only if it is down", LOOK),
        ),
        then_start=False,
    ),
}
#: What helps with what was started and is to be stopped again, where it is not the same.
OWN_CAUSES_TO_STOP = {
    ErrorType.NOT_PERMITTED: (
        OWN_CAUSES[ErrorType.NOT_PERMITTED].do[0],
        Do("If that takes long, see whether it runs, and stop it only if it does", LOOK),
    ),
}
