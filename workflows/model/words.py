"""How is each fact of a request called, at whatever door it is told?

The words of one fact stand here once, plain: a door adds its mark-up, and no other words. What an
operation and its steps are called stands with them, in ``workflows/operations``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from workflows.model.errors import RefusalCode
from workflows.model.requests import ContainerState
from workflows.model.start_ports import RestoreResult
from workflows.model.state import RequestStatus, StepStatus, StopResult
from workflows.model.symbols import Symbol

_SHORTEST = 0.1
_LONGEST_IN_TENTHS = 10
_LARGEST_IN_THREE_DIGITS = 999.5
_LONGEST_IN_SECONDS = 120


@dataclass(frozen=True, slots=True)
class StatusWords:
    """What stands before a status, and what is true of all requests that have it."""

    emoji: str
    words: str


@dataclass(frozen=True, slots=True)
class Condition:
    """How a container is that could not be put back.

    ``told`` follows its name, ``short`` a form of "to be", and ``could_not`` says what Dockwarden
    did not bring about.
    """

    told: str
    short: str
    could_not: str


STATUS: Final = MappingProxyType(
    {
        RequestStatus.WAITING: StatusWords(Symbol.WAITS, "Waiting for approval"),
        RequestStatus.REJECTED: StatusWords(Symbol.NO, "Rejected or refused"),
        RequestStatus.EXPIRED: StatusWords(Symbol.TOO_LATE, "Expired, nothing was changed"),
        RequestStatus.CANCELLED: StatusWords(
            Symbol.ENDED_BY_PERSON, "Cancelled, nothing was changed"
        ),
        RequestStatus.STALE: StatusWords(Symbol.MIND, "Not done, nothing was changed"),
        RequestStatus.RUNNING: StatusWords(Symbol.WORKING, "Working"),
        RequestStatus.SUCCEEDED: StatusWords(Symbol.YES, "Done"),
        RequestStatus.PUT_BACK: StatusWords(Symbol.PUT_BACK, "Put back as it was"),
        RequestStatus.FAILED: StatusWords(Symbol.MIND, "Not done, nothing was changed"),
        RequestStatus.NEEDS_PERSON: StatusWords(Symbol.NEEDS_PERSON, "Needs a person"),
    }
)
STEP_EMOJI: Final = MappingProxyType(
    {
        StepStatus.TODO: Symbol.TO_DO,
        StepStatus.QUEUED: Symbol.DOING,
        StepStatus.RUNNING: Symbol.DOING,
        StepStatus.DONE: Symbol.DONE,
        StepStatus.SKIPPED: Symbol.NOT_RUN,
        StepStatus.FAILED: Symbol.FAILED,
        StepStatus.NOT_RUN: Symbol.NOT_RUN,
    }
)
PUT_BACK_EMOJI: Final = Symbol.PUT_BACK

COULD_NOT_START: Final = "Dockwarden could not start it again"
COULD_NOT_STOP: Final = "Dockwarden could not stop it again"
_COULD_NOT_PUT_BACK = "Dockwarden could not put it back as it was"
#: How the engine described, at the last, what could not be brought up again. What rests is DOWN.
SEEN: Final = MappingProxyType(
    {
        ContainerState.RUNNING: Condition(
            "runs, but is not proven to stay up", "running, but not proven to stay up", "look at it"
        ),
        ContainerState.PAUSED: Condition("is paused", "paused", _COULD_NOT_PUT_BACK),
        ContainerState.RESTARTING: Condition(
            "ends and restarts, again and again", "restarting again and again", "look at its log"
        ),
        ContainerState.REMOVING: Condition(
            "is being removed", "being removed", "Dockwarden cannot put it back"
        ),
        ContainerState.STOPPING: Condition("is stopping", "stopping", COULD_NOT_START),
    }
)
DOWN: Final = Condition("is DOWN", "DOWN", COULD_NOT_START)
GONE: Final = Condition("is gone", "gone", "Dockwarden cannot put it back")
NOT_HEALTHY: Final = Condition(
    "runs, but its health check fails",
    "running, but its health check fails",
    "it is not back as it was",
)
NOT_PAUSED: Final = Condition(
    "runs, and was paused", "running, not paused", "Dockwarden could not pause it again"
)
NOT_KNOWN: Final = Condition("needs a person", "perhaps down", "whether it runs is not known")
STATE_UNKNOWN: Final = Condition("needs a person", "in an unknown state", "its state is unknown")
#: The same of what was stopped when people decided about it, and is to be so again.
SEEN_AFTER_START: Final = MappingProxyType(
    {
        **SEEN,
        ContainerState.RUNNING: Condition(
            "runs, and was stopped before", "running, not stopped again", COULD_NOT_STOP
        ),
        ContainerState.RESTARTING: Condition(
            "ends and restarts, again and again", "restarting again and again", COULD_NOT_STOP
        ),
        ContainerState.STOPPING: Condition("is stopping", "stopping", "it has not ended yet"),
    }
)
DOWN_AS_IT_WAS: Final = Condition(
    "is stopped, as it was", "stopped, as it was", "that it stays so is not proven"
)
PERHAPS_UP: Final = replace(NOT_KNOWN, short="perhaps running")

#: Why a request is not let in, behind what was asked for. In braces stand facts that a door marks
#: up.
REFUSED: Final = MappingProxyType(
    {
        RefusalCode.BAD_REQUEST: "it cannot be asked for so",
        RefusalCode.UNKNOWN_HOST: "no Dockwarden worker serves the host {host}",
        RefusalCode.HOST_BUSY: (
            "nobody looked at {host} in time: its Dockwarden worker is busy, or has just ended"
        ),
        RefusalCode.OLD_WORKER: (
            "the Dockwarden worker of {host} is of an earlier release than the rest of Dockwarden"
        ),
        RefusalCode.ENGINE_UNREACHABLE: (
            "the engine of {host} does not answer, or denies Dockwarden permission"
        ),
        RefusalCode.UNKNOWN_CONTAINER: "there is no container {name} on {host}",
        RefusalCode.AMBIGUOUS_CONTAINER: "{name} could be more than one container on {host}",
        RefusalCode.AUTO_REMOVE: (
            "{name} was started with {rm}, so stopping it would delete it for good"
        ),
        RefusalCode.PROTECTED: "{name} is protected, by its label or by the settings of its host",
        RefusalCode.OWN_CONTAINER: "{name} is Dockwarden's own container",
        RefusalCode.UNUSABLE_STATE: "{name} cannot be worked on as it is",
        RefusalCode.ALREADY_STOPPED: "{name} on {host} is stopped already",
        RefusalCode.BAD_REFERENCE: "the name for the snapshot is not a valid image reference",
        RefusalCode.REFERENCE_TAKEN: (
            "there is an image of that name already, and a tag is never moved"
        ),
        RefusalCode.SNAPSHOT_QUOTA: "{name} has as many snapshots as {host} keeps of one container",
        RefusalCode.DISK_FULL: "the disk of {host} is too full for a snapshot of {name}",
        RefusalCode.IMAGE_MISSING: (
            "the image of {name} was removed from {host}: the engine makes no snapshot without it"
        ),
        RefusalCode.TOO_MANY_LAYERS: (
            "the image of {name} has as many layers as the engine of {host} can stack"
        ),
        RefusalCode.OWNER_GONE: (
            "{name} could not be {started}: it uses the network, IPC or process space of a "
            "container that was removed"
        ),
        RefusalCode.OWNER_MISSING: (
            "{name} could not be {started}: it uses the network, IPC or process space of a "
            "container that does not run"
        ),
        RefusalCode.NO_POLICY: (
            "no policy covers this operation on {name} on {host}, so nobody could approve it"
        ),
        RefusalCode.REASON_REQUIRED: "the policy for {name} asks for a reason",
        RefusalCode.NO_ELIGIBLE_APPROVER: (
            "the policy {policy} leaves too few people who could approve this, for nobody approves "
            "what they asked for themselves"
        ),
        RefusalCode.CARD_NOT_POSTED: "the card could not be posted to the channel",
        RefusalCode.HOST_AWAY: (
            "nobody serves {host} now: its Dockwarden worker has ended, or waits for its engine"
        ),
        RefusalCode.ORCHESTRATED: "an orchestrator runs {name}",
        RefusalCode.NOT_A_REQUESTER: "by the policy {policy} only {requesters} may ask for this",
        RefusalCode.TOO_MANY_OPEN: (
            "as many requests of yours wait for an approval as one person may have at once "
            "({count})"
        ),
        RefusalCode.REFERENCE_OUTSIDE: (
            "the policy {policy} does not allow {detail} as the name of a snapshot, only "
            "{references}"
        ),
        RefusalCode.ALREADY_RUNNING: "{name} on {host} runs already",
        RefusalCode.BOOK_UNREADABLE: (
            "Dockwarden's policy book cannot be read or used now, so nothing says who may decide"
        ),
        RefusalCode.LOOK_NOT_SEALED: (
            "the Dockwarden worker of {host} has no seal key, or another one than the rest of "
            "Dockwarden"
        ),
        RefusalCode.RULES_UNKNOWN: (
            "Dockwarden could not find out just now which policies there are and whether all its "
            "control workers have the same"
        ),
        RefusalCode.BOOKS_DIFFER: (
            "Dockwarden's control workers have different policy books ({detail}), so nothing says "
            "for sure who may decide"
        ),
        RefusalCode.GUEST: "guests ask for nothing, unless the policy names them",
        RefusalCode.BOT: "apps ask for nothing",
        RefusalCode.DEACTIVATED: "the account that asked is deactivated",
        RefusalCode.UNKNOWN_PERSON: "Slack does not know the account that asked",
        RefusalCode.WRONG_TEAM: "the account that asked is not of this workspace",
        RefusalCode.NOT_VERIFIED: (
            "Slack or Temporal could not say just now who you are, who could approve this, or "
            "whether it came before"
        ),
        RefusalCode.START_TOO_OLD: (
            "it reached Temporal more than ten minutes after it was asked for, so it may be an old "
            "one that was sent again"
        ),
        RefusalCode.START_USED: "this very request was begun before, and each one counts once",
        RefusalCode.NOT_SEALED: (
            "it came without the seal by which Dockwarden's control worker knows what its own bot "
            "and terminals have sent"
        ),
        RefusalCode.BAD_SEAL: (
            "its seal is none that Dockwarden's control worker knows: another key has made it, or "
            "of something else"
        ),
        RefusalCode.SEAL_UNKNOWN: (
            "it is sealed, and Dockwarden's control worker has no key to tell by whom"
        ),
    }
)

#: What a door that does not name these says of them.
_UNNAMED = MappingProxyType(
    {
        "policy": "that covers it",
        "requesters": "others",
        "references": "others",
        "started": "started",
        "rm": "--rm",
    }
)
#: Why what was typed at a terminal does not count, after "That did not count:".
TYPED: Final = MappingProxyType(
    {
        RefusalCode.NOT_AT_A_TERMINAL: (
            "the policy {policy} takes nothing of the kind from a terminal, which proves no person"
        ),
        RefusalCode.UNNAMED_TERMINAL: (
            "it comes from a terminal, and does not say from which, and by which user there"
        ),
        RefusalCode.OWN_TERMINAL: (
            "the same user of the operating system asked for this, and it takes another to decide"
        ),
        RefusalCode.SAME_TERMINAL_USER: (
            "the same user of the operating system has approved this already, as somebody else, "
            "and each user there counts once"
        ),
    }
)

#: What the rules are for a container, of some kinds of operations.
BY_POLICY: Final = (
    "{kinds}: {askers} may ask, and it takes {needed} of {deciders} (policy {policy})"
)
BY_NO_POLICY: Final = "{kinds}: nobody may ask, for no policy covers it"
RULES_UNKNOWN: Final = "who may ask, and who decides, is not known just now"
ALL_MEMBERS: Final = "every full member"

#: What keeps an operation from being carried out, found by the core itself.
ANOTHER_AT_WORK: Final = "another operation is at work on this container"
ENDED_FROM_OUTSIDE: Final = "the operation was ended from outside"
NOBODY_CAME: Final = "no worker of the host took the stop up"

#: What became of a container that was gone when it was its turn; a provider says which.
REMOVED: Final = "it was removed"
RECREATED: Final = "it was recreated"

#: Notes of steps.
CANCELLED: Final = "cancelled"
CUT_SHORT: Final = "cut short by the cancel"
#: So ends the note of a start whose health check has said nothing yet.
HEALTH_UNKNOWN: Final = "health not known yet"


def refused(code: RefusalCode, **facts: str) -> str:
    """Say what is wrong with a request, with the facts of it that a door shows."""
    return REFUSED.get(code, str(code)).format(**{**_UNNAMED, **facts})


def changed(now: ContainerState, before: ContainerState) -> str:
    """Say that a container is no longer as people decided about it."""
    return f"it is {now} now, and was {before}"


def stop_note(result: StopResult, grace_seconds: int) -> str:
    """Tell how a container ended: a kill may have cost it data."""
    if not result.graceful:
        when = "after the grace" if grace_seconds else "at once"
        return f"killed {when}, exit code {result.exit_code}"
    return "" if result.exit_code is None else f"exit code {result.exit_code}"


def start_note(*, health_pending: bool) -> str:
    """Tell what is not known yet of a container that was started."""
    return f"up, {HEALTH_UNKNOWN}" if health_pending else ""


def restore_note(result: RestoreResult, *, ran_anew: bool, rested: bool) -> str:
    """Tell what had to be done to have a container again as it was: ``rested``, or up."""
    if rested and not result.state.is_down:
        return "somebody has started it since"
    health = {None: "", True: ", healthy", False: ", not healthy"}[result.healthy]
    if result.health_pending:
        health = f", {HEALTH_UNKNOWN}"
    if result.started:
        paused = " and paused" if result.state is ContainerState.PAUSED else ""
        return f"started again{paused}{health}"
    if result.stopped:
        return "stopped again"
    if ran_anew:
        return f"it had been started again meanwhile{health}"
    return f"it was still {result.state}{health}"


def duration(span: timedelta) -> str:
    """Write how long something took or takes: ``0.1 s``, ``12 s``, ``15 min``, ``2 h 5 min``."""
    seconds = max(span.total_seconds(), 0.0)
    if 0 < seconds < _SHORTEST:
        return f"less than {_SHORTEST} s"
    if seconds < _LONGEST_IN_SECONDS:
        digits = 0 if round(seconds, 1) >= _LONGEST_IN_TENTHS else 1
        return f"{round(seconds, digits):g} s"
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if n]
    return " ".join(parts[:2])


def ordinal(count: int) -> str:
    """Write which one in a row it is: ``3rd``."""
    is_teen = count // 10 % 10 == 1
    return f"{count}{'th' if is_teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(count % 10, 'th')}"


def size(count: int) -> str:
    """Write a number of bytes as Docker does: three digits, in powers of a thousand."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < _LARGEST_IN_THREE_DIGITS:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}"


def capital(words: str) -> str:
    """Write words as the beginning of a sentence."""
    return f"{words[:1].upper()}{words[1:]}"
