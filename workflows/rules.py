"""What does the policy book of the control workers say about a request, or about a container?

A workflow has no book: the worker that carries it on has one, and what that said is kept in the
history. What is not answered allows nothing.
"""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import activity_options, failures
from workflows.model.errors import RefusalCode
from workflows.model.policy_ports import FindPoliciesInput, FoundPolicies, PolicyPort
from workflows.model.requests import LifecycleRequest
from workflows.model.state import Refusal

_CODES = frozenset({RefusalCode.BOOK_UNREADABLE, RefusalCode.BOOKS_DIFFER})


async def candidates(request: LifecycleRequest) -> FoundPolicies | Refusal:
    """Find the policies that could apply to a request, or say why none can be found."""
    arg = FindPoliciesInput(
        request_id=request.request_id, kind=request.operation.kind, container=request.container
    )
    try:
        found = await workflow.execute_local_activity_method(
            PolicyPort.find_policies, arg, **activity_options.find_policies()
        )
    except ActivityError as error:
        if failures.is_cancellation(error):
            raise
        refusal = failures.refusal_of(error, request.container.host)
        return refusal if refusal.code in _CODES else Refusal(code=RefusalCode.BOOK_UNREADABLE)
    return found if found.policies else Refusal(code=RefusalCode.NO_POLICY)
