"""How do tests give a request its policies, where the book is not what they are about?

A test writes them into the request, which nobody judges by any more; the control worker of the
test answers with them, whichever book it would have. Those of a request that is not known here
are none. ``activities/policies`` has tests of its own, with books.
"""

from __future__ import annotations

import asyncio

from temporalio import activity

from activities.policies.book import PolicyBook, matching
from activities.policies.judge import Judge
from activities.policies.sealing import sealed
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
from workflows.model.requests import ContainerRef, LifecycleRequest, Policy
from workflows.model.seal import NO_KEYS, SealKeys

#: What stands in the state of a request of these tests for the hash of a book.
BOOK_HASH = "0123456789ab"
_NO_BOOK = PolicyBook(policies=(), hash="")


class GivenPolicies(PolicyPort):
    """The policies of each request; of one that is not known here, those of the ``book``.

    A real ``judge`` answers instead, if there is one: it is given nothing.

    ``fault`` is raised instead of an answer, as where the book cannot be used; the answer comes
    after so many ``seconds``. ``readers`` are
    those who may read what people typed.
    """

    def __init__(self, keys: SealKeys = NO_KEYS, *, book: PolicyBook = _NO_BOOK) -> None:
        self._keys = keys
        self.book = book
        self._given: dict[str, tuple[Policy, ...]] = {}
        self.readers: set[str] = set()
        self.fault: Exception | None = None
        self.seconds = 0.0
        self.judge: Judge | None = None

    def give(self, request: LifecycleRequest) -> None:
        """Remember the policies that stand in a request."""
        self._given[request.request_id] = request.policies

    @property
    def activities(self) -> list[object]:
        """What the control worker serves of it."""
        return [self.find_policies, self.seal_plan, self.explain, self.readable]

    @activity.defn(name="find_policies")
    async def find_policies(self, arg: FindPoliciesInput) -> FoundPolicies:
        """Give those of the request."""
        if self.judge is not None:
            return await self.judge.find_policies(arg)
        await asyncio.sleep(self.seconds)
        if self.fault is not None:
            raise self.fault
        policies = self._policies(arg.request_id, arg.kind, arg.container)
        seals = (
            self._keys.seal(POLICY_SEAL, *policy_parts(arg.request_id, arg.container, policy))
            for policy in policies
        )
        return FoundPolicies(policies=policies, book_hash=BOOK_HASH, seals=tuple(seals))

    @activity.defn(name="seal_plan")
    async def seal_plan(self, arg: SealPlanInput) -> SealedPlan:
        """Seal it by the policies of the request."""
        if self.judge is not None:
            return await self.judge.seal_plan(arg)
        start = arg.start
        return sealed(
            self._keys, self._policies(start.request_id, start.operation.kind, start.container), arg
        )

    @activity.defn(name="explain_policies")
    async def explain(self, arg: ExplainInput) -> FoundPolicies:
        """Give all of the book."""
        if self.judge is not None:
            return await self.judge.explain(arg)
        await asyncio.sleep(self.seconds)
        if self.fault is not None:
            raise self.fault
        return FoundPolicies(policies=self.book.policies, book_hash=BOOK_HASH)

    @activity.defn(name="readable")
    async def readable(self, arg: ReadableInput) -> Readable:
        """Say whether this test lets them read."""
        if self.judge is not None:
            return await self.judge.readable(arg)
        return Readable(shown=arg.person.user_id in self.readers)

    def _policies(self, request_id: str, kind: str, container: ContainerRef) -> tuple[Policy, ...]:
        from_book = matching(self.book, kind, container.host, container.name)
        return self._given.get(request_id, from_book)
