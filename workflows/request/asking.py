"""May this person ask for this, now?

Judged in the workflow, so that no door evades it: by a look-up made for this request and by
Temporal's list, both before the look at the container. Who somebody is fails closed. How many
requests wait does not: a list that cannot be read must keep nobody from asking. But one that came
with a seal counts once, and not long after it was sealed: whether it is the first is told by the
same list, and that fails closed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import activity_options, failures
from workflows.local_first import local_first
from workflows.model import policy
from workflows.model.asker_ports import AskersPort, OpenRequests, OpenRequestsInput
from workflows.model.continued import is_continuation
from workflows.model.errors import RefusalCode
from workflows.model.ports import DirectoryPort, LookUpInput
from workflows.model.releases import judges_itself
from workflows.model.requests import LifecycleRequest, Person, Policy
from workflows.model.state import Refusal, waiting_attributes
from workflows.model.timing import aware

_PERSON_WITHIN = timedelta(milliseconds=500)
#: Temporal's list lags behind, which is waited for.
_COUNTED_WITHIN = timedelta(seconds=1)
#: So long after it was sealed a start may reach Temporal; a clock may be so wrong, too.
_START_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """The one who asks: ``person`` is ``None`` when Slack could not say who that is.

    ``open_requests`` is ``None`` when Temporal's list could not be read.
    """

    request: LifecycleRequest
    person: Person | None
    open_requests: OpenRequests | None

    @property
    def earlier(self) -> int | None:
        """How often a container of this name was asked for lately; ``None``: that is not known."""
        return self.open_requests.earlier if self.open_requests is not None else None

    @property
    def beside(self) -> int:
        """How many others of the same person wait; nobody counts them where any number may."""
        return self.open_requests.waiting if self.open_requests is not None else 0

    def refusal_by_any_policy(self) -> Refusal | None:
        """Refuse whoever could ask by none of the policies, before anything else is told."""
        if self.person is None:
            return Refusal(code=RefusalCode.NOT_VERIFIED)
        return policy.stranger(self.person, self.request) or self._refusal_of_start()

    def refusal_by(self, chosen: Policy) -> Refusal | None:
        """Refuse whoever may not ask by the policy that covers the request, or has too many."""
        if self.person is None:
            return Refusal(code=RefusalCode.NOT_VERIFIED)
        refusal = policy.may_ask(self.person, chosen)
        if refusal is None and self.open_requests is not None and self.open_requests.too_many:
            detail = str(self.open_requests.limit)
            return Refusal(code=RefusalCode.TOO_MANY_OPEN, detail=detail)
        return refusal

    def _refusal_of_start(self) -> Refusal | None:
        """Refuse a start that was kept, or that came before; without a seal there is no telling."""
        sealed_at = self.request.sealed_at
        if not self.request.seal or sealed_at is None:
            return None
        # The time that Temporal's server wrote down, however late a worker took it up. What comes
        # in the place of another begins only when the rejection that it came with was judged, be
        # it hours after both were sent; and then it was not started by a door.
        age = abs(workflow.info().workflow_start_time - aware(sealed_at))
        if age > _START_WITHIN and not is_continuation():
            return Refusal(code=RefusalCode.START_TOO_OLD)
        if self.open_requests is None:
            return Refusal(code=RefusalCode.NOT_VERIFIED)
        return Refusal(code=RefusalCode.START_USED) if self.open_requests.used else None


async def look_up(request: LifecycleRequest) -> Asker:
    """Ask who the requester is now, and how many requests of that person wait."""
    is_listed = not _make_findable(request)
    counted = _open_requests(request, is_listed=is_listed)
    person, open_requests = await asyncio.gather(_person(request), counted)
    return Asker(request=request, person=person, open_requests=open_requests)


async def _person(request: LifecycleRequest) -> Person | None:
    groups = dict.fromkeys(g for policy_ in request.policies for g in policy_.requester_groups)
    try:
        return await local_first(
            DirectoryPort.look_up_person,
            LookUpInput(
                user_id=request.requester,
                groups=tuple(groups),
                # The rules that somebody brought along are none, and nothing of the wish.
                start=replace(request, policies=()) if judges_itself() else None,
            ),
            activity_options.look_up("who asks"),
            within=_PERSON_WITHIN,
        )
    except ActivityError as error:
        if failures.is_cancellation(error):
            raise
        return None


async def _open_requests(request: LifecycleRequest, *, is_listed: bool) -> OpenRequests | None:
    arg = OpenRequestsInput(
        requester=request.requester,
        request_id=request.request_id,
        first_run_id=workflow.info().first_execution_run_id if request.seal else "",
        container=request.container,
    )
    options = activity_options.count_open_requests()
    try:
        if not is_listed:
            # What makes it so is told to Temporal only with the end of this workflow task.
            return await workflow.execute_activity_method(
                AskersPort.count_open_requests, arg, **options
            )
        return await local_first(
            AskersPort.count_open_requests, arg, options, within=_COUNTED_WITHIN
        )
    except ActivityError as error:
        if failures.is_cancellation(error):
            raise
        workflow.logger.warning(
            "open requests not counted", extra={"error_type": str(failures.error_type(error))}
        )
        return None


def _make_findable(request: LifecycleRequest) -> bool:
    """See to it that the request is counted, and listed, by whatever door it came.

    Returns:
        Whether anything was to be done for it.
    """
    known = workflow.info().typed_search_attributes
    updates = [
        pair.key.value_set(pair.value)
        for pair in waiting_attributes(request).search_attributes
        if known.get(pair.key) != pair.value
    ]
    if updates:
        workflow.upsert_search_attributes(updates)
    return bool(updates)
