"""Where is the state of a request kept while its workflow runs?

One holder, shared by the parts of a workflow. Each change is also told to Temporal's own UI.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from temporalio import workflow

from workflows.model.requests import ContainerPin
from workflows.model.state import RequestState, RequestStatus


class Record:
    """Holds the state of one request; every change is a new revision."""

    def __init__(self, state: RequestState) -> None:
        self.state = state

    @property
    def pin(self) -> ContainerPin:
        """The exact container; only a planned request has one."""
        assert self.state.pin is not None  # noqa: S101 - nothing unplanned is operated on
        return self.state.pin

    @property
    def host(self) -> str:
        """The host of the container."""
        return self.state.container.host

    def change(self, **fields: Any) -> None:  # noqa: ANN401 - names are checked by replace
        """Replace fields of the state."""
        self.state = replace(self.state, revision=self.state.revision + 1, **fields)
        workflow.set_current_details(describe(self.state))

    def change_to(self, state: RequestState) -> None:
        """Take over the state that another workflow of the same request ended with."""
        self.state = replace(state, operation_workflow_id=self.state.operation_workflow_id)
        workflow.set_current_details(describe(self.state))


def describe(state: RequestState) -> str:
    """Describe the state in a few lines of Markdown; only names and ids, never user text."""
    lines = [f"**{state.status}** · `{state.container.name}` on `{state.container.host}`"]
    if state.status is RequestStatus.WAITING and state.policy and state.expires_at:
        approvals = f"{len(state.approvals)} of {state.policy.required_approvals} approvals"
        until = f"until {state.expires_at:%Y-%m-%d %H:%M:%S} UTC"
        lines.append(f"{approvals} by policy `{state.policy.name}`, {until}")
    lines += [f"- {step.name}: {step.status}" for step in state.steps]
    if state.refusal is not None:
        lines.append(f"refused: {state.refusal.code}")
    if state.cause is not None:
        lines.append(f"cause: {state.cause}")
    if state.attempts:
        lines.append(f"tries to put it back: {state.attempts}")
    return "\n".join(lines)
