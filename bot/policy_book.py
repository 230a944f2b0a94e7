"""Which rules does the policy book hold, and which of them could apply to a request?

The book is TOML and read strictly: an unknown key, a missing approver or an impossible number
refuses the start and names the policy. Labels are unknown here: the workflow compares them once
it has seen the container.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
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
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from bot.settings import ConfigurationError
from workflows.model.names import GROUP_ID_FORM, USER_ID_FORM
from workflows.model.requests import MAX_EXPIRY_SECONDS, MAX_POLICIES, OperationKind, Policy

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")

_UserId = Annotated[str, StringConstraints(pattern=f"^{USER_ID_FORM.pattern}$")]
_GroupId = Annotated[str, StringConstraints(pattern=f"^{GROUP_ID_FORM.pattern}$")]
_Glob = Annotated[str, StringConstraints(min_length=1, max_length=255)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyBook:
    """All policies in their order; ``hash`` identifies the text they were read from."""

    policies: tuple[Policy, ...]
    hash: str

    @property
    def uses_groups(self) -> bool:
        """Whether members of Slack user groups may decide, which needs one more scope."""
        return any(policy.approver_groups for policy in self.policies)


def matching(
    book: PolicyBook, operation: OperationKind, host: str, container: str
) -> tuple[Policy, ...]:
    """Give the policies that could apply, in order.

    The first one without labels applies for certain if none before it does: what stands behind
    it can be left out.
    """
    candidates: list[Policy] = []
    for policy in book.policies:
        if not _covers(policy, operation, host, container):
            continue
        candidates.append(policy)
        if not policy.labels:
            break
    return tuple(candidates)


def load(path: Path) -> PolicyBook:
    """Read a policy book.

    Raises:
        ConfigurationError: it cannot be read or used; the message names every problem.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = (
            f"the policy book {path} cannot be read ({type(error).__name__}): "
            "set DOCKWARDEN_POLICIES to a readable file, or copy deploy/policies.example.toml"
        )
        raise ConfigurationError(message) from error
    return parse(text, name=str(path))


def parse(text: str, *, name: str = "policies") -> PolicyBook:
    """Read a policy book from its text; ``name`` says in errors where it came from.

    Raises:
        ConfigurationError: it cannot be used; the message names every problem.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{name} is not TOML: {error}"
        raise ConfigurationError(message) from error
    try:
        entries = _Book.model_validate(content).policy
    except ValidationError as error:
        problems = [_describe(detail, content) for detail in error.errors(include_url=False)]
        raise ConfigurationError("\n".join(f"{name}: {problem}" for problem in problems)) from None
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return PolicyBook(policies=tuple(entry.as_policy() for entry in entries), hash=digest)


def _covers(policy: Policy, operation: OperationKind, host: str, container: str) -> bool:
    return (
        (not policy.operations or operation in policy.operations)
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
    approvers: list[_UserId] = Field(default_factory=list)
    approver_groups: list[_GroupId] = Field(default_factory=list)
    required_approvals: int = Field(1, ge=1)
    expires_after: str = "15m"
    reason_required: bool = False

    @field_validator("operations")
    @classmethod
    def _known_operations(cls, value: list[str] | None) -> list[str] | None:
        for operation in value or ():
            if operation not in list(OperationKind):
                message = f'there is no operation "{operation}"; possible: stop, snapshot'
                raise ValueError(message)
        return value

    @field_validator("expires_after")
    @classmethod
    def _possible_expiry(cls, value: str) -> str:
        if not 1 <= _seconds(value) <= MAX_EXPIRY_SECONDS:
            raise ValueError('takes a time from "1s" to "30d", like "15m", "2h" or "90s"')
        return value

    @model_validator(mode="after")
    def _decidable(self) -> _Entry:
        if not self.approvers and not self.approver_groups:
            raise ValueError("nobody could decide: name approvers or approver_groups")
        people = len(set(self.approvers))
        if not self.approver_groups and self.required_approvals > people:
            message = (
                f"required_approvals is {self.required_approvals}, but approvers names "
                f"{people} only"
            )
            raise ValueError(message)
        return self

    def as_policy(self) -> Policy:
        """Turn it into the type that travels with a request."""
        return Policy(
            name=self.name,
            operations=tuple(OperationKind(kind) for kind in self.operations or ()),
            hosts=tuple(self.hosts or ()),
            containers=tuple(self.containers or ()),
            labels=self.labels,
            approvers=tuple(dict.fromkeys(self.approvers)),
            approver_groups=tuple(dict.fromkeys(self.approver_groups)),
            required_approvals=self.required_approvals,
            expires_after_seconds=_seconds(self.expires_after),
            reason_required=self.reason_required,
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


def _seconds(text: str) -> int:
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return 0
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _describe(detail: ErrorDetails, content: dict[str, Any]) -> str:
    """Say what is wrong in the words of the file: which policy, which key, what to do."""
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
    if detail["type"] == "missing":
        return f"{where}{key} is missing"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "string_pattern_mismatch":
        kinds = {"approvers": "a Slack user id, like U024BE7LH"}
        wanted = kinds.get(key, "a Slack user group id, like S0614TZR7")
        message = f'"{detail["input"]}" is not {wanted}'
    return f"{where}{key}: {message}" if key and key != "policy" else f"{where}{message}"


def _policy_at(index: int, content: dict[str, Any]) -> str:
    table = content["policy"][index]
    name = table.get("name") if isinstance(table, dict) else None
    return f'policy {index + 1} ("{name}")' if isinstance(name, str) else f"policy {index + 1}"
