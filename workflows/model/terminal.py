"""At which terminal was something typed, and by which user of its operating system?

A terminal proves no person: what Slack account somebody names there is a claim. The operating
system's own user is what is left to tell one human from another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: A name that is none of these was made up by somebody, and names nobody.
TERMINAL_NAME = re.compile(r"[A-Za-z0-9_.@+-]{1,64}")
#: How the source of what came from a terminal begins.
TERMINAL_SOURCE = "terminal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """A host, and the user who typed there.

    ``logged_in_as`` is who logged in, where the kernel knows it and it is another: whoever became
    ``root`` is still that one human.
    """

    host: str
    user: str
    logged_in_as: str = ""

    @property
    def is_named(self) -> bool:
        """Whether it says which host and which user, in names that such have."""
        names = (self.host, self.user, self.logged_in_as or self.user)
        return all(TERMINAL_NAME.fullmatch(name) for name in names)

    @property
    def words(self) -> str:
        """Say where, for people; only for one that is named."""
        login = f" (logged in as {self.logged_in_as})" if self.logged_in_as else ""
        return f"at the terminal of {self.host} by {self.user}{login}"

    def is_of_same_user(self, other: Terminal | None) -> bool:
        """Tell whether one human may sit at both.

        The hosts are not compared: who has accounts on two machines mostly has one name.
        """
        if other is None:
            return False
        return bool(self.users & other.users)

    @property
    def users(self) -> set[str]:
        """All names of the one who sits there."""
        return {self.user, self.logged_in_as} - {""}


def is_from_terminal(source: str) -> bool:
    """Tell whether something says by its source that it was typed at a terminal."""
    return source.partition(":")[0].strip().lower() == TERMINAL_SOURCE
