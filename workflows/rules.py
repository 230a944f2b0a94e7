"""What does the policy book of the control workers say about a request, or about a container?

A workflow has no book: the worker that carries it on has one, and what that said is kept in the
history. What is not answered allows nothing.
"""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import FailureError

from workflows import activity_options, failures
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.policy_ports import FindPoliciesInput, FoundPolicies, PolicyPort
from workflows.model.requests import LifecycleRequest
from workflows.model.state import Refusal


async def candidates(request: LifecycleRequest) -> FoundPolicies | Refusal:
    """Find the policies that could apply to a request, or say why none can be found."""
    arg = FindPoliciesInput(
        request_id=request.request_id, kind=request.operation.kind, container=request.container
    )
    try:
        found = await workflow.execute_local_activity_method(
            PolicyPort.find_policies, arg, **activity_options.find_policies()
        )
    except FailureError as error:
        # What a local activity raises comes as it is, and not as the failure of an activity.
        if failures.is_cancellation(error):
            raise
        if failures.error_type(error) is ErrorType.BOOKS_DIFFER:
            return Refusal(code=RefusalCode.BOOKS_DIFFER, detail=failures.error_text(error))
        return Refusal(code=RefusalCode.BOOK_UNREADABLE)
    return found if found.policies else Refusal(code=RefusalCode.NO_POLICY)
