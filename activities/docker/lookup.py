"""Which container does a person mean by a name?

Exactly the one that has this name, never one that it resembles: the engine itself would take a
short id, or a part of one, for a container. Pure; the words go into private refusals.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from temporalio.exceptions import ApplicationError

from activities.docker.answers import ListedContainer
from workflows.model.errors import RefusalCode
from workflows.model.names import CONTAINER_NAME

_SHOWN: Final = 3
_ID_PART: Final = re.compile(r"[0-9a-f]{2,64}")


def find_container(containers: Sequence[ListedContainer], name: str) -> ListedContainer:
    """Find the container of this name.

    Raises:
        ApplicationError: a refusal that says which names come near.
    """
    if not CONTAINER_NAME.fullmatch(name):
        text = "a container name takes letters, digits, underscores, dots and hyphens, two or more"
        raise refusal(RefusalCode.BAD_REQUEST, text)
    named = {entry.name: entry for entry in containers if entry.name}
    if name in named:
        return named[name]
    begun = sorted(
        entry.name
        for entry in named.values()
        if entry.name.startswith(name)
        or (_ID_PART.fullmatch(name) and entry.container_id.startswith(name))
    )
    if len(begun) > 1:
        text = f"it could be {_either(begun)}; write the whole name"
        raise refusal(RefusalCode.AMBIGUOUS_CONTAINER, text)
    near = begun or _near(tuple(named), name)
    hint = f"; did you mean {_either(near)}?" if near else ""
    raise refusal(RefusalCode.UNKNOWN_CONTAINER, f"no container has this name{hint}")


def refusal(code: RefusalCode, text: str) -> ApplicationError:
    """Make a refusal; no repetition of the activity changes it."""
    return ApplicationError(text, type=code, non_retryable=True)


def _near(names: Sequence[str], name: str) -> list[str]:
    lowered = {candidate.lower(): candidate for candidate in sorted(names)}
    close = get_close_matches(name.lower(), lowered, n=_SHOWN, cutoff=0.6)
    return [lowered[candidate] for candidate in close]


def _either(names: Sequence[str]) -> str:
    """Join names: ``a``, ``a or b``, ``a, b, c or 4 more``."""
    shown = [*names[:_SHOWN]]
    if len(names) > _SHOWN:
        shown.append(f"{len(names) - _SHOWN} more")
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
