"""Who wrote this: a process of ours, or somebody else who can reach Temporal?

Whoever can write to the namespace of Temporal can start a workflow, send a signal or schedule an
activity with anything in it. With a key that only our own processes have, each of them marks what
it sends with a seal (HMAC-SHA256), and whoever acts upon it verifies that first. A workflow has no
key and verifies nothing itself: its history is read by whoever reads the namespace.

A field that holds its default is left out of what is sealed, so that a field that a later release
adds changes no seal of an earlier one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from workflows.model.errors import RefusalCode
from workflows.model.timing import aware

#: A shorter key can be guessed.
MIN_KEY_LENGTH = 32
#: While one is being replaced, the new key and the old one.
MAX_KEYS = 2
_SEAL_FORM = re.compile(r"[0-9a-f]{64}")
_FINGERPRINT_LENGTH = 8


@dataclass(frozen=True, slots=True, repr=False)
class SealKeys:
    """The keys of this process: the first one seals, each of them verifies; none, no seals."""

    keys: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is a key."""
        return bool(self.keys)

    def __repr__(self) -> str:
        """Show no key."""
        return f"SealKeys({len(self.keys)})"

    @property
    def fingerprint(self) -> str:
        """Tell keys apart without telling them: what is set alike is the same; ``""``: no key."""
        return "+".join(_hmac(key, "fingerprint")[:_FINGERPRINT_LENGTH] for key in self.keys)

    def seal(self, kind: str, *parts: object) -> str:
        """Seal what is said with these parts, as being of this kind; ``""`` without a key."""
        return _hmac(self.keys[0], content(kind, *parts)) if self.keys else ""

    def holds(self, seal: str, kind: str, *parts: object) -> bool:
        """Say whether one of the keys has made this seal of it."""
        if not _SEAL_FORM.fullmatch(seal):
            return False
        said = content(kind, *parts)
        return any(hmac.compare_digest(seal, _hmac(key, said)) for key in self.keys)

    def refusal(self, seal: str, kind: str, *parts: object) -> RefusalCode | None:
        """Say why what came with this seal must not be acted upon; ``None``: nothing is wrong."""
        if not self.keys:
            return RefusalCode.SEAL_UNKNOWN if seal else None
        if not seal:
            return RefusalCode.NOT_SEALED
        return None if self.holds(seal, kind, *parts) else RefusalCode.BAD_SEAL


NO_KEYS = SealKeys()


def content(kind: str, *parts: object) -> str:
    """Write down what is sealed or hashed: the same for the same meaning, and for no other."""
    return json.dumps([kind, *map(_plain, parts)], sort_keys=True, separators=(",", ":"))


def digest(kind: str, *parts: object) -> str:
    """Identify what is said with these parts, by anybody, without a key; SHA-256."""
    return hashlib.sha256(content(kind, *parts).encode()).hexdigest()


def _hmac(key: str, said: str) -> str:
    return hmac.new(key.encode(), said.encode(), hashlib.sha256).hexdigest()


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return _told(value)
    match value:
        case datetime():
            return aware(value).astimezone(UTC).isoformat(timespec="microseconds")
        case Mapping():
            return {str(key): _plain(one) for key, one in value.items()}
        case tuple() | list():
            return [_plain(one) for one in value]
        case str():
            return str(value)
        case int() | float() | None:
            return value
    message = f"nothing of the type {type(value).__name__} is sealed"
    raise TypeError(message)


def _told(value: Any) -> dict[str, object]:  # noqa: ANN401 - any dataclass
    """Give the fields that hold something else than their defaults; a seal seals all but itself."""
    told = {}
    for field in fields(value):
        held = attrgetter(field.name)(value)
        if field.name != "seal" and held != field.default:
            told[field.name] = _plain(held)
    return told
