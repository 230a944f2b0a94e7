"""Which activities read the policy book, with what in and what out?

The book lives with the control worker, which judges: what starts a request says what is wanted,
and nothing of the rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import activity

from workflows.model.errors import RefusalCode
from workflows.model.plan import Plan
from workflows.model.requests import ContainerRef, LifecycleRequest, Person, Policy


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

    def seal_of(self, policy: Policy) -> str:
        """Give the seal of one of the policies."""
        pairs = zip(self.policies, self.seals, strict=False)
        return next((seal for one, seal in pairs if one == policy), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainInput:
    """Asks which policies could apply to whatever somebody may ask for on this container."""

    container: ContainerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadableInput:
    """Asks whether ``person``, as Slack knows them now, may read what was typed in a request.

    ``policy`` is that of the request, and ``policy_seal`` says that it stood in a control
    worker's book. ``team_id`` is the workspace of the request.
    """

    request_id: str
    team_id: str
    container: ContainerRef
    policy: Policy
    policy_seal: str
    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """Whether it may be shown."""

    shown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPlanInput:
    """Asks to seal a plan, with all that it comes of.

    ``selectors`` are those of the policies that could apply, in the book's order, and
    ``selectors_met`` what the host's worker said of them; ``look_seal`` is its seal of the look.
    """

    start: LifecycleRequest
    plan: Plan
    selectors: tuple[dict[str, str], ...]
    selectors_met: tuple[bool, ...]
    look_seal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPlan:
    """The seal of the plan's hash; ``""`` where there is no key, or with ``refused`` why not."""

    seal: str = ""
    refused: RefusalCode | None = None


class PolicyPort:
    """What the policy book of the control workers says."""

    @activity.defn(name="find_policies")
    async def find_policies(self, arg: FindPoliciesInput) -> FoundPolicies:
        """Find the policies that could apply.

        Raises:
            ApplicationError: the book cannot be read, or two control workers have different ones.
        """
        raise NotImplementedError

    @activity.defn(name="seal_plan")
    async def seal_plan(self, arg: SealPlanInput) -> SealedPlan:
        """Seal a plan, if it is what the rules make of the start.

        Raises:
            ApplicationError: as for :meth:`find_policies`.
        """
        raise NotImplementedError

    @activity.defn(name="explain_policies")
    async def explain(self, arg: ExplainInput) -> FoundPolicies:
        """Find the policies that could apply to anything on a container; nothing is sealed.

        Raises:
            ApplicationError: as for :meth:`find_policies`.
        """
        raise NotImplementedError

    @activity.defn(name="readable")
    async def readable(self, arg: ReadableInput) -> Readable:
        """Say whether somebody may read what people typed, by being one who could decide."""
        raise NotImplementedError
