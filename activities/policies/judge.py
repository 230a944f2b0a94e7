"""Which policies does the book of this control worker hold for a request?

The book is read once, when the worker starts: a change of the file counts from the next start on.
One that cannot be used allows nothing, and nothing else stands in for it; the worker goes on all
the same, for there may be containers to put back.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.policies import book as books, sealing
from activities.policies.book import PolicyBook, PolicyBookError
from workflows.model import policy
from workflows.model.errors import RefusalCode
from workflows.model.hosts import books_of
from workflows.model.plan import POLICY_SEAL, policy_parts
from workflows.model.policy_ports import (
    ExplainInput,
    FindPoliciesInput,
    FoundPolicies,
    PolicyPort,
    Readable,
    ReadableInput,
    SealedPlan,
    SealPlanInput,
)
from workflows.model.seal import NO_KEYS, SealKeys
from workflows.operations import catalog

#: Where two control workers have different books, what is allowed would hang on chance.
ControlWorkers = Callable[[], Awaitable[Iterable[str]]]

_log = logging.getLogger(__name__)

#: What a worker whose book cannot be used tells the others instead of a hash.
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBook:
    """The book of this process; without one, ``problem`` says in a line what is wrong with it."""

    book: PolicyBook | None = None
    problem: str = ""

    @property
    def hash(self) -> str:
        """What identifies it to other workers."""
        return self.book.hash if self.book is not None else UNREADABLE


def read_own(path: Path) -> OwnBook:
    """Read the book of this process, and say in the log what it is or what is wrong with it."""
    try:
        book = books.load(path)
    except PolicyBookError as error:
        problems = str(error).splitlines()
        for line in problems:
            _log.error(
                "the policy book is of no use: every request is refused", extra={"why": line}
            )
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return OwnBook(problem=f"{problems[0]}{more}")
    _log.info("policy book", extra={"policies": len(book.policies), "policy_book": book.hash})
    return OwnBook(book=book)


class Judge(PolicyPort):
    """The activities that read the book.

    ``control_workers`` names those that are there, by their pollers.
    """

    def __init__(
        self, own: OwnBook, control_workers: ControlWorkers, *, keys: SealKeys = NO_KEYS
    ) -> None:
        self._own = own
        self._control_workers = control_workers
        self._keys = keys

    @activity.defn(name="find_policies")
    async def find_policies(self, arg: FindPoliciesInput) -> FoundPolicies:
        """Find the policies that could apply, and seal that they stood in this book."""
        book = await self._agreed()
        found = books.matching(book, arg.kind, arg.container.host, arg.container.name)
        seals = (
            self._keys.seal(POLICY_SEAL, *policy_parts(arg.request_id, arg.container, one))
            for one in found
        )
        return FoundPolicies(policies=found, book_hash=book.hash, seals=tuple(seals))

    @activity.defn(name="seal_plan")
    async def seal_plan(self, arg: SealPlanInput) -> SealedPlan:
        """Seal a plan, if it is what this book makes of the start."""
        book, start = await self._agreed(), arg.start
        host, name = start.container.host, start.container.name
        return sealing.sealed(
            self._keys, books.matching(book, start.operation.kind, host, name), arg
        )

    @activity.defn(name="explain_policies")
    async def explain(self, arg: ExplainInput) -> FoundPolicies:
        """Find the policies that could apply to anything on a container."""
        book, container = await self._agreed(), arg.container
        found = {
            id(one)
            for operation in catalog.OPERATIONS
            for one in books.matching(book, operation.kind, container.host, container.name)
        }
        in_order = tuple(one for one in book.policies if id(one) in found)
        return FoundPolicies(policies=in_order, book_hash=book.hash)

    @activity.defn(name="readable")
    async def readable(self, arg: ReadableInput) -> Readable:
        """Say whether somebody could decide by a policy that did stand in a book."""
        is_of_team = arg.person.team_id == arg.team_id
        words = policy_parts(arg.request_id, arg.container, arg.policy)
        stood_in_one = self._keys.refusal(arg.policy_seal, POLICY_SEAL, *words) is None
        could_decide = is_of_team and policy.could_decide(arg.policy, arg.person)
        return Readable(shown=stood_in_one and could_decide)

    async def _agreed(self) -> PolicyBook:
        """Give the book, if it is the one by which every control worker judges."""
        book = self._own.book
        if book is None:
            raise ApplicationError(
                "the policy book of a control worker is of no use",
                type=RefusalCode.BOOK_UNREADABLE,
                non_retryable=True,
            )
        others = await self._besides(book.hash)
        if others:
            hashes = ", ".join((book.hash, *others))
            _log.error(
                "control workers have different policy books: requests are refused",
                extra={"policy_book": book.hash, "others": ", ".join(others)},
            )
            raise ApplicationError(hashes, type=RefusalCode.BOOKS_DIFFER, non_retryable=True)
        return book

    async def _besides(self, own: str) -> tuple[str, ...]:
        """Give the hashes of other books by which somebody judges now.

        A worker that has ended seems to be there for a minute still; one of an earlier release
        tells of no book, and judges by none.

        Raises:
            RPCError: Temporal does not say.
        """
        return tuple(book for book in books_of(await self._control_workers()) if book != own)
