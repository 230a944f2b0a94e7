"""What does each kind of failure mean to a person, and what can a person do about it?

The one word list for :class:`ErrorType`, and what is made of it: what went wrong, and what is
left to a person when Dockwarden could not put a container back. No text of an exception is shown:
it may hold what the host does not tell. Commands hold only the container's name, which Docker's
own rule for names keeps free of anything that a shell would read.
"""

from __future__ import annotations

from dataclasses import dataclass

from activities.slack.mrkdwn import code, person, safe
from workflows.model.errors import ErrorType
from workflows.model.names import CONTAINER_NAME
from workflows.model.state import RequestState, RequestStatus, StepName

_LOOK = "docker inspect --format '{{{{.State.Status}}}}' {name}"
_PORTS = "docker ps --format '{{{{.Names}}}}: {{{{.Ports}}}}'"
_NETWORKS = "docker inspect --format '{{{{json .NetworkSettings.Networks}}}}' {name}"
_LOGS = "docker logs --tail 50 {name}"
_SIMILAR = "docker ps --all --filter name={name}"
#: Failures of which a detail tells more than these words: what changed, how it ended.
HAVE_DETAILS = frozenset(
    {
        ErrorType.ENGINE_ERROR,
        ErrorType.STATE_CONFLICT,
        ErrorType.CONTAINER_CHANGED,
        ErrorType.NOT_RUNNING,
        ErrorType.UNHEALTHY,
        ErrorType.BAD_INPUT,
        ErrorType.UNEXPECTED,
    }
)


@dataclass(frozen=True, slots=True)
class Cause:
    """Words for one kind of failure: ``advice`` is a sentence, ``commands`` run on the host."""

    meaning: str
    advice: str
    commands: tuple[str, ...] = ("docker start {name}",)


CAUSES = {
    ErrorType.ENGINE_UNAVAILABLE: Cause(
        "the Docker engine does not answer",
        "See to it that the engine runs on the host.",
        ("systemctl status docker", "docker start {name}"),
    ),
    ErrorType.ENGINE_AMBIGUOUS: Cause(
        "the Docker engine did not answer in time, so it is not known what it did",
        "Look at the container before anything else.",
        (_LOOK, "docker start {name}"),
    ),
    ErrorType.ENGINE_FORBIDDEN: Cause(
        "the Docker engine, or the proxy before it, does not let Dockwarden do this",
        "Allow the call in the socket proxy, or fix the worker's rights.",
    ),
    ErrorType.ENGINE_ERROR: Cause(
        "the Docker engine failed by itself",
        "The engine's own log says more.",
        ("journalctl --unit docker --since -15min", "docker start {name}"),
    ),
    ErrorType.WRONG_ENGINE: Cause(
        "another Docker engine answers for this host than the one that was approved",
        "See which engine the worker of this host talks to.",
        ("docker info --format '{{{{.ID}}}}'", _SIMILAR),
    ),
    ErrorType.BAD_ENGINE_REQUEST: Cause(
        "the Docker engine does not accept the call",
        "This is a fault in Dockwarden or a setting of the container that it does not know.",
    ),
    ErrorType.DISK_FULL: Cause(
        "the disk of the host is too full",
        "Free some space, then ask again.",
        ("docker system df", "docker start {name}"),
    ),
    ErrorType.IMAGE_MISSING: Cause(
        "the image of the container was removed from the host, and the engine makes no snapshot "
        "without it",
        "Bring the image back, or stop the container without a snapshot.",
    ),
    ErrorType.TOO_MANY_LAYERS: Cause(
        "the image of the container has as many layers as the engine can stack",
        "Build the image anew with fewer layers, or stop the container without a snapshot.",
    ),
    ErrorType.OWNER_MISSING: Cause(
        "a container whose network, IPC or process space it uses does not run",
        "Start that container first; if it was made anew, this one has to be made anew too.",
    ),
    ErrorType.MOUNT_MISSING: Cause(
        "a directory or file that it mounts is missing on the host",
        "Bring it back.",
    ),
    ErrorType.DEVICE_MISSING: Cause(
        "a device that it uses is missing on the host",
        "Bring the device back.",
    ),
    ErrorType.CANNOT_RUN: Cause(
        "its program cannot be run",
        "The program, or what it needs, is missing in the image or in a mount.",
    ),
    ErrorType.PORT_BUSY: Cause(
        "a port that the container publishes is taken by something else",
        "Find what took the port and stop it.",
        (_PORTS, "docker start {name}"),
    ),
    ErrorType.NETWORK_MISSING: Cause(
        "a network of the container is gone",
        "A new network of the same name is another one to Docker: the container must leave the "
        "old one and join the new one.",
        (
            _NETWORKS,
            "docker network create NETWORK",
            "docker network disconnect NETWORK {name}",
            "docker network connect NETWORK {name}",
        ),
    ),
    ErrorType.STATE_CONFLICT: Cause(
        "the container is in a state in which the engine does not do this",
        "Look at its state; somebody else may be at work on it.",
        (_LOOK, "docker start {name}"),
    ),
    ErrorType.CONTAINER_GONE: Cause(
        "the container is gone",
        "It was removed, so it cannot be started again: create it again.",
        (_SIMILAR,),
    ),
    ErrorType.CONTAINER_CHANGED: Cause(
        "the container is no longer as the card showed it",
        "Look at it, then ask again.",
        (_SIMILAR,),
    ),
    ErrorType.NOT_STOPPED: Cause(
        "the container was running again after the stop",
        "Its restart policy or somebody else starts it again and again.",
        (_LOOK,),
    ),
    ErrorType.NOT_RUNNING: Cause(
        "the container was started and then ended by itself",
        "Its log says why.",
        (_LOGS, "docker start {name}"),
    ),
    ErrorType.UNHEALTHY: Cause(
        "the container runs, but its health check fails",
        "Its log says why.",
        (_LOGS, "docker inspect --format '{{{{json .State.Health}}}}' {name}"),
    ),
    ErrorType.STOPPED_BY_PERSON: Cause(
        "the container was started meanwhile and stopped again, by somebody or because the Docker "
        "engine ended",
        "It is left so, for somebody may want it so; start it when it is meant to run.",
    ),
    ErrorType.SNAPSHOT_VANISHED: Cause(
        "the snapshot was removed before it got its tag",
        "An image clean-up may run on the host; ask again when it is done.",
    ),
    ErrorType.REFERENCE_TAKEN: Cause(
        "the tag belongs to another image by now, and a tag is never moved",
        "Ask again with another tag.",
    ),
    ErrorType.SNAPSHOT_QUOTA: Cause(
        "the container has as many snapshots as its host keeps of one",
        "Whoever runs the host can remove one that nobody needs any more; then ask again.",
    ),
    ErrorType.SLACK_UNAVAILABLE: Cause("Slack does not answer", "Nothing: it is tried again."),
    ErrorType.SLACK_RATE_LIMITED: Cause(
        "Slack asks to slow down", "Nothing: it is tried again when Slack allows it."
    ),
    ErrorType.SLACK_REFUSED: Cause(
        "Slack refuses the call", "Run `dockwarden check`: it names what the app may not do."
    ),
    ErrorType.SLACK_FORBIDDEN: Cause(
        "Slack does not accept Dockwarden's token", "Run `dockwarden check`: it says why."
    ),
    ErrorType.BAD_INPUT: Cause(
        "the request holds something that cannot be worked on", "Ask again."
    ),
    ErrorType.WORKER_UNAVAILABLE: Cause(
        "no Dockwarden worker serves this host",
        "Start the worker of this host: it then goes on by itself.",
        ("docker start {name}",),
    ),
    ErrorType.UNEXPECTED: Cause(
        "something happened that Dockwarden does not know",
        "The worker's log and Temporal's history say more.",
        (_LOOK, "docker start {name}"),
    ),
}


def what_to_do(state: RequestState) -> str:
    """Say what is left, what to run where, and whether Dockwarden goes on trying."""
    if state.status is not RequestStatus.NEEDS_PERSON:
        return ""
    cause = _restore_error(state)
    lines = [
        f"*What is left:* {_left(state)}",
        f"*What is in the way:* {cause.meaning}. {cause.advice}",
    ]
    to_run = _commands(state)
    if to_run:
        lines += [f"*Run on {safe(state.container.host)}:*", *(code(command) for command in to_run)]
    return "\n".join([*lines, _tries(state)])


def failure_summary(state: RequestState) -> str:
    """Say what went wrong and what helps, for an operation that failed and was put back."""
    if state.status is not RequestStatus.PUT_BACK or state.cause is None:
        return ""
    cause = cause_of(state.cause)
    return f"*What went wrong:* {cause.meaning}. {cause.advice}"


def mentions(state: RequestState) -> str:
    """Mention who is called: the requester, and whoever approved."""
    people = dict.fromkeys([state.requester, *(d.approver_id for d in state.approvals)])
    return " ".join(person(user_id) for user_id in people)


def cause_of(error: ErrorType | None) -> Cause:
    """Look up the words for a failure."""
    return CAUSES[error or ErrorType.UNEXPECTED]


def _restore_error(state: RequestState) -> Cause:
    """Say what keeps the container from being put back; the first failure is another matter."""
    put_back = next((s for s in state.steps if s.name is StepName.PUT_BACK and s.error), None)
    return cause_of(put_back.error if put_back else state.cause)


def _commands(state: RequestState) -> list[str]:
    """Say what a person runs on the host to put the container back."""
    name = state.container.name
    if not CONTAINER_NAME.fullmatch(name):
        return []
    return [command.format(name=name) for command in _restore_error(state).commands]


def _left(state: RequestState) -> str:
    name = code(state.container.name)
    if state.pin is not None and state.pin.state.is_up:
        return f"{name} was running before, and is not proven to run now."
    return f"{name} is not proven to be as it was."


def _tries(state: RequestState) -> str:
    tried = f"Tried {state.attempts} time{'' if state.attempts == 1 else 's'}. "
    if state.closed:
        return f"🔕 {tried}Dockwarden has stopped trying."
    return f"🔁 {tried}Dockwarden goes on trying, and notices when you have mended it."
