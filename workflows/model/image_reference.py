"""Which image reference does a snapshot get, and is a reference that somebody asks for valid?

Checked before anything happens: Docker 20.10 validates a reference only after the commit, and
leaks an untagged image with each refusal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_DOMAIN = rf"(?:localhost|{_LABEL}(?:\.{_LABEL})+)(?::[0-9]{{1,5}})?"
_REPOSITORY = re.compile(rf"(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_HEX_ID = re.compile(r"[0-9a-f]{64}")
#: Names that nobody but Dockwarden gives to images, and runs.
OWN_REFERENCES = ("dockwarden/*",)
_SLUG_LENGTH = 60
_REPOSITORY_LENGTH = 200


def slug(name: str) -> str:
    """Turn a container name into a repository component: ``A__b..C-`` becomes ``a-b-c``."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:_SLUG_LENGTH].strip("-") or "container"


def default_reference(container: str, request_id: str) -> str:
    """Name the snapshot that nobody named: unique by the request id."""
    return f"dockwarden/{slug(container)}:req-{request_id}"


def complete_reference(reference: str | None, container: str, request_id: str) -> str:
    """Give the full reference of a snapshot: the default one, or the one asked for with a tag.

    A missing tag becomes the request's own, never ``latest``: that would move with every request.
    """
    if not reference:
        return default_reference(container, request_id)
    last = reference.rpartition("/")[2]
    return reference if ":" in last else f"{reference}:req-{request_id}"


def is_within(reference: str, patterns: Sequence[str]) -> bool:
    """Say whether a pattern covers a full reference, or its name without the tag."""
    names = (reference, reference.rpartition(":")[0])
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def reference_problem(reference: str) -> str:
    """Say what is wrong with a full image reference, or ``""`` when nothing is.

    Docker's grammar, without digests: a digest cannot be tagged.
    """
    repository, colon, tag = reference.rpartition(":")
    if not colon or "/" in tag:
        return "it has no tag; write one, like team/web:before-upgrade"
    if len(repository) > _REPOSITORY_LENGTH:
        return f"the name before the tag is longer than {_REPOSITORY_LENGTH} characters"
    if _HEX_ID.fullmatch(repository) or not _REPOSITORY.fullmatch(repository):
        return (
            "the name before the tag takes small letters and digits, "
            "joined by single dots, underscores, hyphens or slashes"
        )
    if repository in ("sha256", "scratch"):
        return f"{repository} is reserved by Docker"
    if not _TAG.fullmatch(tag):
        return "the tag takes up to 128 letters, digits, underscores, dots and hyphens"
    return ""
