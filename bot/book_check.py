"""What does `dockwarden check` say of the policy book: can it be used, and is it the one used?

The book lives with the control worker. A check that is made beside one reads the same file; what
Temporal tells of the control workers that are there says by which book they judge.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from slack_sdk.web.async_client import AsyncWebClient
from temporalio.client import Client

from bot.finding import Finding
from bot.secrets import variable
from bot.settings import Settings
from bot.slack.approvers import look_at_approvers
from bot.temporal.errors import BotError
from bot.temporal.presence import control_books
from workflows.model.hosts import nearest_host
from workflows.model.names import GROUP_ID_FORM
from workflows.model.requests import Policy


class BookReport(Protocol):
    """What the policy book of a control worker holds, or what is wrong with it."""

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies, in their order."""

    @property
    def hash(self) -> str:
        """What identifies the book."""

    @property
    def uses_groups(self) -> bool:
        """Whether members of Slack user groups may ask or decide."""

    @property
    def uncovered(self) -> tuple[str, ...]:
        """The operations that no policy covers."""

    @property
    def overtaken(self) -> dict[str, tuple[str, ...]]:
        """By the name of a policy, what one below it allows and it says nothing of."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Why it is of no use, a line each; empty for one that can be used."""


#: Reads a policy book.
PolicyCheck = Callable[[Path], BookReport]


def about_the_book(settings: Settings, book: BookReport) -> list[Finding]:
    """Say what the file that is set here holds, and what it leaves out."""
    if not (settings.has_book or settings.policies.exists()):
        words = (
            f"none here: right where no control worker runs; one that does reads the file that "
            f"{variable('policies')} names"
        )
        return [Finding(True, "policies", words)]
    if book.problems:
        return [Finding(False, "policies", line) for line in book.problems]
    words = f"{len(book.policies)} in {settings.policies} (hash {book.hash})"
    if book.uncovered:
        words += (
            f"; none covers {', '.join(book.uncovered)}: nobody can ask for that unless a policy "
            "names it under operations"
        )
    return [Finding(True, "policies", words), *_overtaken(book)]


def _overtaken(book: BookReport) -> list[Finding]:
    """Name the strict rules that say nothing of what a weaker one below them allows."""
    return [
        Finding(
            True,
            "policies",
            f"{name!r} names no operations, so a policy below it decides about "
            f"{', '.join(kinds)}; name them in it too if it is to guard against those",
        )
        for name, kinds in book.overtaken.items()
    ]


async def about_approvers(book: BookReport, client: AsyncWebClient) -> list[Finding]:
    """Look whether those who are to decide can; a policy book with a fault has a line already."""
    thing = "approvers"
    named: dict[str, list[str]] = {}
    for policy in book.policies:
        for one in (*policy.approvers, *policy.approver_groups):
            named.setdefault(one, []).append(policy.name)
    groups = [one for one in named if GROUP_ID_FORM.fullmatch(one)]
    report = await look_at_approvers(
        client, people=[one for one in named if one not in groups], groups=groups
    )
    found = [
        Finding(False, thing, f"{one} {wrong}: mend {_policies_named(named[one])}")
        for one, wrong in report.wrong.items()
    ]
    looked = len(named) - report.left_out
    if not found and looked:
        words = f"all {looked} people and groups" if not report.left_out else f"{looked} of them"
        found.append(Finding(True, thing, f"{words} are there and can decide"))
    if report.left_out:
        words = f"{report.left_out} were not looked at: {report.why_left_out}"
        found.append(Finding(True, thing, words))
    return found


def _policies_named(names: list[str]) -> str:
    distinct = list(dict.fromkeys(names))
    return f"the polic{'ies' if len(distinct) > 1 else 'y'} {', '.join(map(repr, distinct))}"


async def about_the_control_workers(
    client: Client, settings: Settings, book: BookReport
) -> list[Finding]:
    """Say by which books the control workers judge; that two differ is wrong."""
    thing = "policy books"
    try:
        hashes = await control_books(client)
    except BotError as error:
        return [Finding(False, thing, f"who judges by which is not known: {error}")]
    if not hashes:
        words = "no control worker tells of one yet; each does so when it starts"
        return [Finding(True, thing, words)]
    told = ", ".join(hashes)
    if len(hashes) > 1:
        words = (
            f"the control workers have different ones ({told}), and refuse every request: give "
            "all of them the same file; one that has ended is listed for a minute still"
        )
        return [Finding(False, thing, words)]
    here = (
        ""
        if book.hash in ("", *hashes)
        else (
            f"; the one here, {settings.policies} (hash {book.hash}), is another: it counts where "
            "a control worker starts with it"
        )
    )
    return [Finding(True, thing, f"every control worker judges by {told}{here}")]


def about_hosts(book: BookReport, known: Sequence[str]) -> list[Finding]:
    """Name what the policy book says of hosts that nobody knows: a slip, or one that is to come."""
    patterns: dict[str, list[str]] = {}
    for policy in book.policies:
        for pattern in policy.hosts:
            if not fnmatch.filter(known, pattern):
                patterns.setdefault(pattern, []).append(policy.name)
    found = []
    for pattern, names in patterns.items():
        near = nearest_host(pattern, known)
        meant = f"; did you mean {near}?" if near else ""
        words = f"{pattern!r} in {_policies_named(names)} fits none that is known{meant}"
        found.append(Finding(True, "hosts", words))
    return found
