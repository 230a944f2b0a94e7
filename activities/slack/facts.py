"""What does a person need to know to decide about a request?"""

from __future__ import annotations

from activities.slack.mrkdwn import code, group, person, safe, short_id, shorten, some
from workflows.model.state import RequestState

_MOST_MOUNTS = 12
_MOST_PEOPLE = 20
_PATH_LENGTH = 60
_IMAGE_LENGTH = 200


def people(state: RequestState) -> list[str]:
    """Say who asked and who approved, as fields: a bold name, and the value below."""
    return [
        f"*Requested by*\n{person(state.requester)}",
        f"*Approvals*\n{approvals(state)}",
    ]


def container(state: RequestState) -> str:
    """Say which container exactly is meant; an image's name is too long for a field."""
    pin = state.pin
    if pin is None:
        return ""
    named, policy = code(short_id(pin.container_id)), code(pin.restart_policy or "no", 40)
    image = code(pin.image or short_id(pin.image_id), _IMAGE_LENGTH)
    health = ", unhealthy" if pin.unhealthy else ""
    return f"*Container* {named} · {pin.state}{health} · restart policy {policy}\n*Image* {image}"


def approvals(state: RequestState) -> str:
    """Count the approvals and name who gave them: ``1 of 2 · ✅ @bob``."""
    count = f"{len(state.approvals)} of {_needed(state)}"
    return f"{count} · ✅ {_approvers(state)}" if state.approvals else count


def votes(state: RequestState) -> str:
    """Name who approved, to be added to a line; nothing when nobody did."""
    if not state.approvals:
        return ""
    if len(state.approvals) < _needed(state):
        return f" · {len(state.approvals)} of {_needed(state)} approvals: {_approvers(state)}"
    return f" · approved by {_approvers(state)}"


def deciders(state: RequestState) -> str:
    """Name who may decide. They are mentioned, so that Slack tells them once, at the posting."""
    if state.policy is None:
        return ""
    people = [person(user) for user in state.policy.approvers if user != state.requester]
    groups = [group(group_id) for group_id in state.policy.approver_groups]
    names = some([*groups, *people], _MOST_PEOPLE)
    return f"May decide: {names} (never the requester)" if names else ""


def not_in_the_snapshot(state: RequestState) -> str:
    """List the mounts, whose content ``docker commit`` leaves out."""
    if not state.operation.snapshot or state.pin is None or not state.pin.mounts:
        return ""
    mounts = [
        f"{safe(mount.type, 20)} {code(shorten(mount.destination, _PATH_LENGTH))}"
        for mount in state.pin.mounts
    ]
    return f"⚠️ Not in the snapshot: {some(mounts, _MOST_MOUNTS)}"


def _approvers(state: RequestState) -> str:
    return some([person(d.approver_id) for d in state.approvals], _MOST_PEOPLE)


def _needed(state: RequestState) -> int:
    return state.policy.required_approvals if state.policy else 1
