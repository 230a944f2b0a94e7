"""Which activities read the policy book, with what in and what out?

The book lives with the control worker, which judges: what starts a request says what is wanted,
and nothing of the rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import activity

from workflows.model.requests import ContainerRef, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class FindPoliciesInput:
    """Asks which policies could apply to an operation of this kind on this container."""

    request_id: str
    kind: str
    container: ContainerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPolicies:
    """The policies that could apply, in the book's order; the first whose labels fit applies.

    ``book_hash`` identifies the book. ``seals`` are of request id, container and policy, one for
    each policy; ``""`` each where there is no key.
    """

    policies: tuple[Policy, ...]
    book_hash: str
    seals: tuple[str, ...] = ()


class PolicyPort:
    """What the policy book of the control workers says."""

    @activity.defn(name="find_policies")
    async def find_policies(self, arg: FindPoliciesInput) -> FoundPolicies:
        """Find the policies that could apply.

        Raises:
            ApplicationError: the book cannot be read, or two control workers have different ones.
        """
        raise NotImplementedError
