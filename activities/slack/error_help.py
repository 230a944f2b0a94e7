"""What does each kind of failure mean to a person, and what can a person do about it?

The one word list for :class:`ErrorType`. No text of an exception is shown: it may hold what the
host does not tell. A command is what the container's provider has written for it, and here only
what it is for.
"""

from __future__ import annotations

from activities.slack.mrkdwn import code, safe
from activities.slack.own_failures import LOOK, OWN_CAUSES, START, Cause, Do
from workflows.model.errors import ErrorType
from workflows.model.state import RequestState
from workflows.operations import catalog

_LOGS = "{logs}"
_BY_ID = "{find}"
_ENGINE_LOG = "{engine_log}"
_WORKER_LOG = "The engine's own words are in the log of the Dockwarden worker of {host}."
#: Failures whose detail says the same more exactly: which mount, which port, which container.
TOLD_BY_DETAIL = frozenset(
    {
        ErrorType.ENGINE_FORBIDDEN,
        ErrorType.IMAGE_MISSING,
        ErrorType.TOO_MANY_LAYERS,
        ErrorType.OWNER_GONE,
        ErrorType.OWNER_MISSING,
        ErrorType.MOUNT_MISSING,
        ErrorType.DEVICE_MISSING,
        ErrorType.CANNOT_RUN,
        ErrorType.PORT_BUSY,
        ErrorType.NETWORK_MISSING,
        ErrorType.ORCHESTRATED,
    }
)
#: Failures whose detail adds something to the words: what changed, how it ended.
HAVE_DETAILS = frozenset(
    {
        ErrorType.ENGINE_ERROR,
        ErrorType.STATE_CONFLICT,
        ErrorType.CONTAINER_CHANGED,
        ErrorType.NOT_RUNNING,
        ErrorType.UNHEALTHY,
        ErrorType.BAD_INPUT,
        ErrorType.NOT_PERMITTED,
        ErrorType.UNEXPECTED,
    }
)
_DETAIL_LIMIT = 400

_NAMES_THE_REASON = Do(
    "Start it by hand: the answer names the reason, which is also in the log of the Dockwarden "
    "worker of {host}",
    START,
)

CAUSES = {
    ErrorType.ENGINE_UNAVAILABLE: Cause(
        "the engine does not answer",
        "See to it that the engine of {host} runs, then ask again.",
        (Do("See to it that the engine runs", "{engine_status}"),),
    ),
    ErrorType.ENGINE_AMBIGUOUS: Cause(
        "the engine did not answer in time, so it is not known what it did",
        "See to it that the engine of {host} answers, then ask again.",
        (
            Do("Look at the container before anything else", LOOK),
            Do("If the engine hangs, its log may say why", _ENGINE_LOG),
        ),
    ),
    ErrorType.ENGINE_FORBIDDEN: Cause(
        "the engine, or the proxy before it, does not let Dockwarden do this",
        "Whoever runs {host} can allow the call in the socket proxy, or correct the rights of the "
        "proxy or the worker.",
        (
            Do("Allow the call in the socket proxy, or give the proxy or the worker its rights"),
            Do("Until then you can start it by hand, if it is down", START),
        ),
        then_start=False,
    ),
    ErrorType.ENGINE_ERROR: Cause(
        "the engine failed at it, for a reason that Dockwarden does not know",
        _WORKER_LOG,
        (_NAMES_THE_REASON,),
        then_start=False,
    ),
    ErrorType.WRONG_ENGINE: Cause(
        "another engine answers for this host than the one that was approved",
        "Whoever runs {host} can see which engine its worker talks to.",
        (
            Do("See which engine the worker talks to", "{engine_id}"),
            Do("On the engine that was meant, look whether the container runs", _BY_ID),
        ),
    ),
    ErrorType.BAD_ENGINE_REQUEST: Cause(
        "the engine did not accept it, for a reason that Dockwarden does not know",
        _WORKER_LOG,
        (_NAMES_THE_REASON,),
        then_start=False,
    ),
    ErrorType.DISK_FULL: Cause(
        "the disk of the host is too full",
        "Free some space, then ask again.",
        (Do("Free some space. This shows what takes it", "{space}"),),
    ),
    ErrorType.IMAGE_MISSING: Cause(
        "the image of the container was removed from the host, and the engine makes no snapshot "
        "without it",
        "Bring back that very image from where it is kept, or "
        "ask for a {without} without a snapshot.",
        (
            Do(
                "Bring back that very image from where it is kept. This shows which one it is",
                "{image}",
            ),
        ),
    ),
    ErrorType.TOO_MANY_LAYERS: Cause(
        "the image of the container has as many layers as the engine can stack",
        "Build the image anew with fewer layers, or ask for a {without} without a snapshot.",
        (Do("See whether the container is down", LOOK),),
    ),
    ErrorType.OWNER_GONE: Cause(
        "a container whose network, IPC or process space it uses was removed",
        "Make {name} anew: that container is gone for good, and a new one of the same name is "
        "another one to the engine. Then ask again.",
        (
            Do(
                "Make {name} anew: that container is gone for good, and a new one of the same name "
                "is another one to the engine"
            ),
        ),
        then_start=False,
    ),
    ErrorType.OWNER_MISSING: Cause(
        "a container whose network, IPC or process space it uses does not run",
        "Start that container, then ask again.",
        (
            Do(
                "Start that container. This shows which one it is",
                "{owners}",
            ),
        ),
    ),
    ErrorType.MOUNT_MISSING: Cause(
        "a directory or file that it mounts is missing on the host",
        "Bring it back on the host, then ask again.",
        (
            Do(
                "Bring it back on the host. This shows what is mounted from where",
                "{mounts}",
            ),
        ),
    ),
    ErrorType.DEVICE_MISSING: Cause(
        "a device that it uses is missing on the host",
        "Bring it back, or its driver, then ask again.",
        (
            Do(
                "Bring the device back, or its driver. This shows what it asks for",
                "{devices}",
            ),
        ),
    ),
    ErrorType.CANNOT_RUN: Cause(
        "the engine cannot run it as it is set up",
        _WORKER_LOG,
        (
            Do("See what it runs", "{program}"),
            Do("If that is missing in the container, copy it back", "{copy}"),
            Do(_WORKER_LOG.rstrip(".")),
        ),
    ),
    ErrorType.PORT_BUSY: Cause(
        "a port that the container publishes is taken by something else",
        "Free the port, then ask again.",
        (
            Do(
                "Stop what took the port, if it is a container",
                "{ports}",
            ),
            Do("If it is none", "ss --listening --tcp --udp --numeric --processes"),
        ),
    ),
    ErrorType.NETWORK_MISSING: Cause(
        "a network of the container is gone",
        "Make the network anew and join the container to it, then ask again.",
        (
            Do(
                "See the name of each network that it is in",
                "{networks}",
            ),
            Do("Make the one that is gone anew", "{make_network}"),
            Do(
                "It is another one to the engine, so leave the old one",
                "{leave_network}",
            ),
            Do("And join the new one", "{join_network}"),
        ),
    ),
    ErrorType.STATE_CONFLICT: Cause(
        "the container is in a state in which the engine does not do this",
        "Look at it, for somebody else may be at work on it; then ask again.",
        (Do("Look at it, for somebody else may be at work on it", LOOK),),
    ),
    ErrorType.CONTAINER_GONE: Cause(
        "the container is gone",
        "Ask again for the one that there is now.",
        (
            Do("See whether there is a container of its id after all", _BY_ID),
            Do("If there is none, Dockwarden cannot help: make it anew"),
        ),
        then_start=False,
    ),
    ErrorType.CONTAINER_CHANGED: Cause(
        "the container is no longer as the card showed it",
        "Look at it, then ask again.",
        (Do("Look at it", _BY_ID),),
    ),
    ErrorType.NOT_STOPPED: Cause(
        "the container was running again after the stop",
        "Its restart policy or somebody else starts it again and again.",
        (Do("Look whether it runs", LOOK),),
    ),
    ErrorType.NOT_RUNNING: Cause(
        "it was started, and did not stay up",
        "Its own log may say why.",
        (Do("Its own log may say why", _LOGS),),
    ),
    ErrorType.UNHEALTHY: Cause(
        "it runs, but its health check fails",
        "Its own log says why.",
        (
            Do("Its own log may say why", _LOGS),
            Do("What the check said", "{health}"),
        ),
        then_start=False,
    ),
    ErrorType.STOPPED_BY_PERSON: Cause(
        "it was started meanwhile and stopped again, by somebody or because the engine ended",
        "It is left so, for somebody may want it so.",
        (
            Do("Ask who stopped it: somebody may want it so"),
            Do("If it is meant to run", START),
        ),
        then_start=False,
    ),
    ErrorType.SNAPSHOT_VANISHED: Cause(
        "the snapshot was removed before it got its tag",
        "An image clean-up may run on {host}; ask again when it is done.",
        (Do("See whether the container is down", LOOK),),
    ),
    ErrorType.REFERENCE_TAKEN: Cause(
        "the tag belongs to another image by now, and a tag is never moved",
        "Ask again with another tag.",
        (Do("See whether the container is down", LOOK),),
    ),
    ErrorType.SNAPSHOT_QUOTA: Cause(
        "the container has as many snapshots as its host keeps of one",
        "Whoever runs {host} can remove one that nobody needs any more; then ask again.",
        (Do("See whether the container is down", LOOK),),
    ),
    ErrorType.SLACK_UNAVAILABLE: Cause(
        "Slack does not answer",
        "Ask again when it does.",
        (Do("See whether the container is down", LOOK),),
    ),
    ErrorType.SLACK_RATE_LIMITED: Cause(
        "Slack asks to slow down",
        "Ask again in a minute.",
        (Do("See whether the container is down", LOOK),),
    ),
    ErrorType.SLACK_REFUSED: Cause(
        "Slack does not take the message",
        "Whoever runs Dockwarden can run `dockwarden check`: it names what the app may not do.",
        (Do("See whether the container is down", LOOK),),
    ),
    ErrorType.SLACK_FORBIDDEN: Cause(
        "Slack does not accept Dockwarden's token, or the app lacks a right",
        "Whoever runs Dockwarden can run `dockwarden check`: it says which. Then ask again.",
        (Do("See whether the container is down", LOOK),),
    ),
    ErrorType.BAD_INPUT: Cause(
        "the request holds something that cannot be worked on",
        "Ask again.",
        (Do("See whether the container is down", LOOK),),
    ),
    ErrorType.ORCHESTRATED: Cause(
        "an orchestrator runs the container, and would start another in its place",
        "Stop it there: whatever runs it would start another in its place.",
        (Do("See whether the container is down", LOOK),),
    ),
    ErrorType.WORKER_UNAVAILABLE: Cause(
        "no Dockwarden worker of the host answers",
        "Start the Dockwarden worker of {host}, then ask again.",
        (
            Do("Start the Dockwarden worker of {host}"),
            Do(
                "If that takes long, see whether it runs, and start it only if it is down",
                LOOK,
            ),
        ),
        then_start=False,
    ),
    ErrorType.UNEXPECTED: Cause(
        "something happened that Dockwarden does not know",
        "The log of the Dockwarden worker of {host}, and Temporal's history, say more.",
        (
            Do("Look whether it runs", LOOK),
            Do(
                "If it does not, start it by hand. The log of the Dockwarden worker of {host}, and "
                "Temporal's history, say more",
                START,
            ),
        ),
        then_start=False,
    ),
    **OWN_CAUSES,
}


def cause_of(error: ErrorType | None) -> Cause:
    """Look up the words for a failure."""
    return CAUSES[error or ErrorType.UNEXPECTED]


def reason(error: ErrorType | None, detail: str) -> str:
    """Say what a failure means, as exactly as its detail does, without a capital and an end."""
    if error in TOLD_BY_DETAIL and detail:
        return short_detail(detail)
    return cause_of(error).meaning


def short_detail(detail: str) -> str:
    """Escape a detail that continues a sentence of ours."""
    return safe(detail.rstrip(". "), _DETAIL_LIMIT)


def advice_for(state: RequestState) -> str:
    """Say what helps before one asks again, or nothing where asking again is all."""
    return fill(cause_of(state.cause).advice, state)


def fill(text: str, state: RequestState) -> str:
    """Put the host, and the container's name, into words of this list."""
    bare = catalog.without_snapshot(state.operation).kind
    named = {"{host}": safe(state.container.host), "{name}": code(state.name_now)}
    for gap, value in {"{without}": bare, **named}.items():
        text = text.replace(gap, value)
    return text
