"""Which image reference does a snapshot get, and is a reference that somebody asks for valid?

Checked before anything happens: Docker 20.10 validates a reference only after the commit, and
leaks an untagged image with each refusal. The grammar is Docker's own (distribution/reference):
what stands before the first slash is a host if it looks like one, or else a part of the path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
#: Docker would take more digits, which no port has.
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]{{1,5}})?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_HEX_ID = re.compile(r"[0-9a-f]{64}")
#: Names that nobody but Dockwarden gives to images, and runs.
OWN_REFERENCES = ("dockwarden/*",)
#: What Docker leaves out of a name, and puts back before it measures and compares it.
_HUB = "docker.io"
_HUB_HOSTS = ("", _HUB, "index.docker.io")
_HUB_PATH = "library/"
_SLUG_LENGTH = 60
#: Newer engines count the path alone, older ones the host too. Every engine takes this.
_REPOSITORY_LENGTH = 255


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
    """Say what is wrong with a full image reference, or ``""`` when nothing is."""
    if "@" in reference:
        return "it holds a digest, which nobody can give: name it by a tag alone"
    repository, colon, tag = reference.rpartition(":")
    if not colon or "/" in tag:
        return "it has no tag; write one, like team/web:before-upgrade"
    host, path = _split(repository)
    problem = _problem_of_name(repository, host, path)
    if problem:
        return problem
    if not _TAG.fullmatch(tag):
        return (
            "the tag takes up to 128 letters, digits, underscores, dots and hyphens, "
            "and does not begin with a dot or hyphen"
        )
    return ""


def _split(repository: str) -> tuple[str, str]:
    """Split off the host as Docker does; ``""`` when there is none."""
    first, slash, rest = repository.partition("/")
    is_host = slash and (
        "." in first or ":" in first or first == "localhost" or first != first.lower()
    )
    return (first, rest) if is_host else ("", repository)


def _problem_of_name(repository: str, host: str, path: str) -> str:
    if len(_normalised(host, path)) > _REPOSITORY_LENGTH:
        return f"with its host the name is longer than {_REPOSITORY_LENGTH} characters"
    # What looks like a host and is none may still be a part of the path: a_b.c
    if host and not (_HOST.fullmatch(host) or _COMPONENT.fullmatch(host)):
        return (
            "what stands before the first slash is no host: those take letters, digits, "
            "hyphens and dots, and a port"
        )
    if _HEX_ID.fullmatch(repository) or not all(map(_COMPONENT.fullmatch, path.split("/"))):
        return (
            "the name before the tag takes small letters and digits, "
            "joined by single dots, underscores, hyphens or slashes"
        )
    name = path.removeprefix(_HUB_PATH)
    if host in _HUB_HOSTS and name in ("sha256", "scratch"):
        return f"{name} is reserved by Docker"
    return ""


def familiar(reference: str) -> str:
    """Write a reference as Docker shows it: Podman names the hub, which Docker leaves out."""
    host, path = _split(reference)
    if host not in _HUB_HOSTS:
        return reference
    name = path.removeprefix(_HUB_PATH)
    return name if "/" not in name else path


def _normalised(host: str, path: str) -> str:
    if host not in _HUB_HOSTS:
        return f"{host}/{path}"
    return f"{_HUB}/{path if '/' in path else _HUB_PATH + path}"
