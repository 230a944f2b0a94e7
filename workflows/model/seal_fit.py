"""Have the processes of one installation the same seal keys, and what is to be set if not?

Each worker tells by its poller which keys it has, never the keys themselves. What a process with a
key sends to one without it, or with another one, is refused; nothing worse comes of it, so every
process starts all the same: the other may be about to be restarted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from workflows.model.hosts import told_by

_SETTING = "DOCKWARDEN_SEAL_KEY"
CONTROL_WORKER = "the control worker"
#: What the log says of each.
MISFIT = "seal keys do not fit, so what is sent with one is refused with the other: %s"


class SealFit(StrEnum):
    """How the keys of this process and of another one fit."""

    FITS = "fits"
    OURS_MISSING = "ours missing"
    THEIRS_MISSING = "theirs missing"
    OTHER = "other"


def docker_worker(host: str) -> str:
    """Name the worker of a host."""
    return f"the docker worker of {host}"


def seal_fit(ours: str, theirs: str) -> SealFit:
    """Compare two fingerprints: each must know the key that the other one seals with, its first."""
    if not ours or not theirs:
        missing = SealFit.THEIRS_MISSING if ours else SealFit.OURS_MISSING
        return SealFit.FITS if ours == theirs else missing
    our_keys, their_keys = ours.split("+"), theirs.split("+")
    fits = our_keys[0] in their_keys and their_keys[0] in our_keys
    return SealFit.FITS if fits else SealFit.OTHER


def misfits(ours: str, identities: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Say in a line each whose keys do not fit those of this process.

    Args:
        ours: the fingerprint of the keys of this process; ``""`` where it has none.
        identities: the pollers, by who they are for people.
    """
    lines = [
        _words(who, ours, told_by(identity).get("seal", ""))
        for who, told in identities.items()
        for identity in told
    ]
    return tuple(dict.fromkeys(line for line in lines if line))


def _words(who: str, ours: str, theirs: str) -> str:
    same = f"set the same {_SETTING} for both"
    match seal_fit(ours, theirs):
        case SealFit.OURS_MISSING:
            return f"{who} has a seal key ({theirs}), and this process has none: {same}"
        case SealFit.THEIRS_MISSING:
            return f"{who} has no seal key, and this process has one ({ours}): {same}"
        case SealFit.OTHER:
            return f"{who} has another seal key ({theirs}) than this process ({ours}): {same}"
    return ""
