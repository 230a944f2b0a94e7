"""What does Temporal's own UI say about a request while it is open?"""

from __future__ import annotations

from workflows.state import RequestState, RequestStatus


def describe(state: RequestState) -> str:
    """Describe the state in a few lines of Markdown; only names and ids, never user text."""
    lines = [f"**{state.status}** · `{state.container.name}` on `{state.container.host}`"]
    if state.status is RequestStatus.WAITING and state.policy and state.expires_at:
        needed = state.policy.required_approvals
        until = f"{state.expires_at:%Y-%m-%d %H:%M:%S} UTC"
        lines.append(
            f"{len(state.approvals)} of {needed} approvals by policy `{state.policy.name}`, {until}"
        )
    lines += [f"- {step.name}: {step.status}" for step in state.steps]
    if state.cause is not None:
        lines.append(f"cause: {state.cause}")
    if state.attempts:
        lines.append(f"tries to put it back: {state.attempts}")
    return "\n".join(lines)
