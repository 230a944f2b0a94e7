"""Which rules does the policy book hold, and which of them could apply to a request?

The book is TOML and read strictly: an unknown key, a missing approver or an impossible number
makes it useless as a whole, and is told with the name of the policy. Labels are unknown here: the
worker of the host compares them.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from workflows.model.names import GROUP_ID_FORM, USER_ID_FORM
from workflows.model.requests import MAX_EXPIRY_SECONDS, MAX_POLICIES, Policy
from workflows.operations import catalog

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")

_ID = f"(?:{USER_ID_FORM.pattern}|{GROUP_ID_FORM.pattern})"
_PersonOrGroup = Annotated[str, StringConstraints(pattern=f"^{_ID}$")]
_GroupId = Annotated[str, StringConstraints(pattern=f"^{GROUP_ID_FORM.pattern}$")]
_Glob = Annotated[str, StringConstraints(min_length=1, max_length=255)]
_KINDS = tuple(one.kind for one in catalog.OPERATIONS)
_MEANT_ALWAYS = tuple(one.kind for one in catalog.OPERATIONS if not one.must_be_named)
#: What a key takes, in words that follow "takes".
_TAKES = {
    "name": 'a name of 1 to 80 characters, like "databases"',
    "operations": f'a list of operations, like ["{_KINDS[0]}"], or ["{catalog.EVERY}"] for every '
    f"one; possible: {', '.join(_KINDS)}; left out, {' and '.join(_MEANT_ALWAYS)}",
    "hosts": 'a list of names of hosts, with * and ?, like ["edge-*"]',
    "containers": 'a list of names of containers, with * and ?, like ["db-*"]',
    "labels": 'labels with their values in quotes, like { tier = "edge" }',
    "requesters": 'a list of ids of users and user groups, like ["U024BE7LH", "S0614TZR7"]; '
    "left out, every full member may ask",
    "approvers": 'a list of ids of users and user groups, like ["U024BE7LH", "S0614TZR7"]',
    "approver_groups": 'a list of ids of user groups, like ["S0614TZR7"]',
    "required_approvals": "a whole number of at least 1, like 2",
    "expires_after": 'a time from "1s" to "30d", like "15m", "2h" or "90s"',
    "reason_required": "true or false, without quotes",
    "terminal_decides": "true or false, without quotes",
    "references": 'a list of names of images, with * and ?, like ["team/*"]; left out, any name '
    "may be given to a snapshot",
}
#: What can stand in a name of the kind that a pattern is for. Another character makes a pattern
#: that covers nothing, so that a weaker rule below it would hold.
_NAMES_HOLD = {
    "hosts": ("a-z0-9.-", "small letters, digits, dots and hyphens"),
    "containers": ("a-zA-Z0-9_.-", "letters, digits, underscores, dots and hyphens"),
    "references": ("a-zA-Z0-9_./:-", "letters, digits, dots, underscores, hyphens, / and :"),
}
_CHARACTER_CLASS = re.compile(r"\[!?\]?[^\]]+\]")


class PolicyBookError(Exception):
    """The policy book cannot be read or used; the message says what to do, a line a problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyBook:
    """All policies in their order; ``hash`` identifies the text they were read from."""

    policies: tuple[Policy, ...]
    hash: str

    @property
    def uses_groups(self) -> bool:
        """Whether members of Slack user groups may ask or decide, which needs one more scope."""
        return any(policy.approver_groups or policy.requester_groups for policy in self.policies)


def matching(book: PolicyBook, operation: str, host: str, container: str) -> tuple[Policy, ...]:
    """Give the policies that could apply, in order.

    The first one without labels applies for certain if none before it does: what stands behind
    it can be left out. That holds for each kind as which the operation may be asked for: a
    policy for one of them decides nothing about another.
    """
    needed: set[int] = set()
    for kind in catalog.kinds_of(operation):
        for place, policy in enumerate(book.policies):
            if not _covers(policy, kind, host, container):
                continue
            needed.add(place)
            if not policy.labels:
                break
    return tuple(book.policies[place] for place in sorted(needed))


def uncovered(book: PolicyBook) -> tuple[str, ...]:
    """Name the operations that no policy covers, so that nobody can ask for them."""
    return tuple(
        kind for kind in _KINDS if not any(catalog.covers(policy, kind) for policy in book.policies)
    )


def overtaken(book: PolicyBook) -> dict[str, tuple[str, ...]]:
    """Name the policies that name no operations though one below them names new ones.

    What they guard is guarded for what they have always meant alone, and for the operations that
    are given here the policy below decides.
    """
    found = {}
    for place, policy in enumerate(book.policies):
        below = book.policies[place + 1 :]
        new = (kind for kind in _KINDS if kind not in _MEANT_ALWAYS)
        named = tuple(kind for kind in new if any(catalog.covers(one, kind) for one in below))
        if named and not policy.operations:
            found[policy.name] = named
    return found


def load(path: Path) -> PolicyBook:
    """Read a policy book.

    Raises:
        PolicyBookError: it cannot be read or used; the message names every problem.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = (
            f"the policy book {path} cannot be read ({type(error).__name__}): "
            "set DOCKWARDEN_POLICIES to a readable file, or copy deploy/policies.example.toml"
        )
        raise PolicyBookError(message) from error
    return parse(text, name=str(path))


def parse(text: str, *, name: str = "policies") -> PolicyBook:
    """Read a policy book from its text; ``name`` says in errors where it came from.

    Raises:
        PolicyBookError: it cannot be used; the message names every problem.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{name} is not TOML: {error}"
        raise PolicyBookError(message) from error
    try:
        entries = _Book.model_validate(content).policy
    except ValidationError as error:
        problems = [_describe(detail, content) for detail in error.errors(include_url=False)]
        lines = [f"{name}: {problem}" for problem in dict.fromkeys(problems)]
        raise PolicyBookError("\n".join(lines)) from None
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return PolicyBook(policies=tuple(entry.as_policy() for entry in entries), hash=digest)


def _covers(policy: Policy, operation: str, host: str, container: str) -> bool:
    return (
        catalog.covers(policy, operation)
        and (not policy.hosts or any(fnmatchcase(host, glob) for glob in policy.hosts))
        and (
            not policy.containers or any(fnmatchcase(container, glob) for glob in policy.containers)
        )
    )


class _Entry(BaseModel):
    """One ``[[policy]]``, as people write it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    operations: Annotated[list[str], Field(min_length=1)] | None = None
    hosts: Annotated[list[_Glob], Field(min_length=1)] | None = None
    containers: Annotated[list[_Glob], Field(min_length=1)] | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    requesters: Annotated[list[_PersonOrGroup], Field(min_length=1)] | None = None
    approvers: list[_PersonOrGroup] = Field(default_factory=list)
    approver_groups: list[_GroupId] = Field(default_factory=list)
    required_approvals: int = Field(1, ge=1)
    expires_after: str = "15m"
    reason_required: bool = False
    references: Annotated[list[_Glob], Field(min_length=1)] | None = None
    terminal_decides: bool = False

    @field_validator("hosts", "containers", "references")
    @classmethod
    def _can_cover_something(
        cls, value: list[str] | None, info: ValidationInfo
    ) -> list[str] | None:
        characters, words = _NAMES_HOLD[str(info.field_name)]
        for pattern in value or ():
            if not re.fullmatch(f"[*?{characters}]+", _CHARACTER_CLASS.sub("?", pattern)):
                message = f'"{pattern}" covers nothing: such a name holds {words} only'
                raise ValueError(message)
        return value

    @field_validator("operations")
    @classmethod
    def _known_operations(cls, value: list[str] | None) -> list[str] | None:
        for operation in value or ():
            if operation != catalog.EVERY and catalog.find(operation) is None:
                kinds = ", ".join(_KINDS)
                message = (
                    f'there is no operation "{operation}"; possible: {kinds}, or '
                    f'"{catalog.EVERY}" for every one'
                )
                raise ValueError(message)
        return value

    @field_validator("expires_after")
    @classmethod
    def _possible_expiry(cls, value: str) -> str:
        if not 1 <= _seconds(value) <= MAX_EXPIRY_SECONDS:
            message = f"takes {_TAKES['expires_after']}"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _decidable(self) -> _Entry:
        people, groups = _sorted_out([*self.approvers, *self.approver_groups])
        if not people and not groups:
            raise ValueError("nobody could decide: name people or groups under approvers")
        if groups:
            return self
        if self.required_approvals > len(people):
            message = (
                f"required_approvals is {self.required_approvals}, but approvers names "
                f"{len(people)} only"
            )
            raise ValueError(message)
        askers, asking_groups = _sorted_out(self.requesters or ())
        left = [len({*people} - {asker}) for asker in askers]
        if left and not asking_groups and max(left) < self.required_approvals:
            raise ValueError(
                "whoever may ask could get no approval: nobody approves their own request, and "
                "approvers names too few others"
            )
        return self

    def as_policy(self) -> Policy:
        """Turn it into the type that travels with a request."""
        requesters, requester_groups = _sorted_out(self.requesters or ())
        approvers, approver_groups = _sorted_out([*self.approvers, *self.approver_groups])
        return Policy(
            name=self.name,
            operations=tuple(self.operations or ()),
            hosts=tuple(self.hosts or ()),
            containers=tuple(self.containers or ()),
            labels=self.labels,
            approvers=approvers,
            approver_groups=approver_groups,
            required_approvals=self.required_approvals,
            expires_after_seconds=_seconds(self.expires_after),
            reason_required=self.reason_required,
            requesters=requesters,
            requester_groups=requester_groups,
            references=tuple(self.references or ()),
            terminal_decides=self.terminal_decides,
        )


class _Book(BaseModel):
    """The whole file: ``[[policy]]`` tables and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)

    policy: Annotated[list[_Entry], Field(min_length=1, max_length=MAX_POLICIES)]

    @field_validator("policy")
    @classmethod
    def _own_names(cls, value: list[_Entry]) -> list[_Entry]:
        names = [entry.name for entry in value]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            message = f'the name "{double[0]}" is used twice; give each policy its own'
            raise ValueError(message)
        return value


def _sorted_out(ids: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell people from groups, each once, in their order."""
    every = dict.fromkeys(ids)
    groups = tuple(one for one in every if GROUP_ID_FORM.fullmatch(one))
    return tuple(one for one in every if one not in groups), groups


def _seconds(text: str) -> int:
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return 0
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _describe(detail: ErrorDetails, content: dict[str, Any]) -> str:
    """Say what is wrong in our own words: which policy, which key, what it takes."""
    location = list(detail["loc"])
    where = ""
    known = list(_Book.model_fields)
    if len(location) > 1 and isinstance(location[1], int):
        where = _policy_at(location[1], content) + ": "
        location = location[2:]
        known = list(_Entry.model_fields)
    key = str(location[0]) if location else ""
    if detail["type"] == "extra_forbidden":
        hint = get_close_matches(key, known, n=1)
        suggestion = f'did you mean "{hint[0]}"?' if hint else f"possible: {', '.join(known)}"
        return f'{where}unknown key "{key}"; {suggestion}'
    if key == "policy" and detail["type"] in ("missing", "too_short"):
        return "it holds no policy, so nobody could ask for anything; add a [[policy]] table"
    return f"{where}{_problem(detail, key)}"


def _problem(detail: ErrorDetails, key: str) -> str:
    """Say what is wrong with the value of a key, or with a policy as a whole."""
    named = f"{key}: " if key and key != "policy" else ""
    match detail["type"]:
        case "value_error":
            return named + detail["msg"].removeprefix("Value error, ")
        case "too_long" if key == "policy":
            return f"it holds more than {MAX_POLICIES} policies"
        case _ if not named:
            return "each policy is a table of its own, under a line [[policy]]"
        case "missing":
            return f"{key} is missing: it takes {_TAKES[key]}"
        case "string_pattern_mismatch":
            user = "" if key == "approver_groups" else " user, like U024BE7LH, nor of a Slack"
            neither = "is the id of no Slack"
            return f'{named}"{detail["input"]}" {neither}{user} user group, like S0614TZR7'
    return f"{named}takes {_TAKES[key]}"


def _policy_at(index: int, content: dict[str, Any]) -> str:
    table = content["policy"][index]
    name = table.get("name") if isinstance(table, dict) else None
    return f'policy {index + 1} ("{name}")' if isinstance(name, str) else f"policy {index + 1}"
