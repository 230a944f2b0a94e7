"""What can be refused and what can go wrong, by name?

Every ``ApplicationError`` that leaves an activity carries one of these names as its ``type``.
The words that people read of a refusal stand in ``words.py`` beside this file; each door adds what
helps. Those about an error stand in ``activities/slack/error_help.py``.
"""

from __future__ import annotations

from enum import StrEnum


class ErrorType(StrEnum):
    """What went wrong in an activity; the ``type`` of its ``ApplicationError``."""

    # The engine
    ENGINE_UNAVAILABLE = "EngineUnavailable"
    ENGINE_AMBIGUOUS = "EngineAmbiguous"
    ENGINE_FORBIDDEN = "EngineForbidden"
    ENGINE_ERROR = "EngineError"
    WRONG_ENGINE = "WrongEngine"
    BAD_ENGINE_REQUEST = "BadEngineRequest"
    DISK_FULL = "DiskFull"
    IMAGE_MISSING = "ImageMissing"
    TOO_MANY_LAYERS = "TooManyLayers"
    PORT_BUSY = "PortBusy"
    NETWORK_MISSING = "NetworkMissing"
    OWNER_MISSING = "NamespaceOwnerMissing"
    OWNER_GONE = "NamespaceOwnerGone"
    MOUNT_MISSING = "MountMissing"
    DEVICE_MISSING = "DeviceMissing"
    CANNOT_RUN = "CannotRun"
    STATE_CONFLICT = "StateConflict"
    # The container
    CONTAINER_GONE = "ContainerGone"
    CONTAINER_CHANGED = "ContainerChanged"
    NOT_STOPPED = "NotStopped"
    NOT_RUNNING = "NotRunning"
    UNHEALTHY = "Unhealthy"
    STOPPED_BY_PERSON = "StoppedByPerson"
    ORCHESTRATED = "OrchestratedContainer"
    # The snapshot
    SNAPSHOT_VANISHED = "SnapshotVanished"
    REFERENCE_TAKEN = "ReferenceTaken"
    SNAPSHOT_QUOTA = "SnapshotQuota"
    # Slack
    SLACK_UNAVAILABLE = "SlackUnavailable"
    SLACK_RATE_LIMITED = "SlackRateLimited"
    SLACK_REFUSED = "SlackRefused"
    SLACK_FORBIDDEN = "SlackForbidden"
    # Ours
    BAD_INPUT = "BadInput"
    WORKER_UNAVAILABLE = "WorkerUnavailable"
    NOT_PERMITTED = "NotPermitted"
    UNEXPECTED = "Unexpected"


class RefusalCode(StrEnum):
    """Why a request was not let in, or a decision did not count. Always told in private.

    Some are errors too: found while a request is planned they refuse it, found later they end it.
    """

    BAD_REQUEST = "BadRequest"
    UNKNOWN_HOST = "UnknownHost"
    HOST_BUSY = "HostBusy"
    OLD_WORKER = "OldWorker"
    ENGINE_UNREACHABLE = "EngineUnreachable"
    UNKNOWN_CONTAINER = "UnknownContainer"
    AMBIGUOUS_CONTAINER = "AmbiguousContainer"
    AUTO_REMOVE = "AutoRemoveContainer"
    PROTECTED = "ProtectedContainer"
    OWN_CONTAINER = "OwnContainer"
    UNUSABLE_STATE = "UnusableState"
    ALREADY_STOPPED = "AlreadyStopped"
    BAD_REFERENCE = "BadReference"
    REFERENCE_TAKEN = ErrorType.REFERENCE_TAKEN.value
    SNAPSHOT_QUOTA = ErrorType.SNAPSHOT_QUOTA.value
    DISK_FULL = ErrorType.DISK_FULL.value
    IMAGE_MISSING = ErrorType.IMAGE_MISSING.value
    TOO_MANY_LAYERS = ErrorType.TOO_MANY_LAYERS.value
    OWNER_MISSING = ErrorType.OWNER_MISSING.value
    OWNER_GONE = ErrorType.OWNER_GONE.value
    NO_POLICY = "NoPolicy"
    REASON_REQUIRED = "ReasonRequired"
    NO_ELIGIBLE_APPROVER = "NoEligibleApprover"
    CARD_NOT_POSTED = "CardNotPosted"
    HOST_AWAY = "HostAway"
    ORCHESTRATED = ErrorType.ORCHESTRATED.value
    NOT_A_REQUESTER = "NotARequester"
    TOO_MANY_OPEN = "TooManyOpenRequests"
    REFERENCE_OUTSIDE = "ReferenceOutsidePolicy"
    ALREADY_RUNNING = "AlreadyRunning"
    BOOK_UNREADABLE = "PolicyBookUnreadable"
    BOOKS_DIFFER = "PolicyBooksDiffer"
    RULES_UNKNOWN = "RulesUnknown"
    LOOK_NOT_SEALED = "LookNotSealed"
    START_TOO_OLD = "StartTooOld"
    START_USED = "StartUsed"

    WRONG_REQUEST = "WrongRequest"
    WRONG_CARD = "WrongCard"
    WRONG_TEAM = "WrongTeam"
    OWN_REQUEST = "OwnRequest"
    NOT_AN_APPROVER = "NotAnApprover"
    GUEST = "Guest"
    BOT = "Bot"
    DEACTIVATED = "Deactivated"
    UNKNOWN_PERSON = "UnknownPerson"
    NOT_VERIFIED = "NotVerified"
    ALREADY_APPROVED = "AlreadyApproved"
    NOT_OPEN = "NotOpen"
    NOT_REQUESTER = "NotRequester"
    PUTTING_BACK = "PuttingBack"
    NOT_TRYING = "NotTrying"
    TOO_LATE = "TooLate"
    NOT_AT_A_TERMINAL = "NotAtATerminal"
    UNNAMED_TERMINAL = "UnnamedTerminal"
    OWN_TERMINAL = "OwnTerminal"
    SAME_TERMINAL_USER = "SameTerminalUser"
    NOT_SEALED = "NotSealed"
    BAD_SEAL = "BadSeal"
    SEAL_UNKNOWN = "SealUnknown"
    OTHER_PLAN = "OtherPlan"


#: Errors after which the container was found to be another than the one approved.
_OTHER_CONTAINER = frozenset(
    {ErrorType.CONTAINER_GONE, ErrorType.CONTAINER_CHANGED, ErrorType.WRONG_ENGINE}
)

#: There is no room for a snapshot.
NO_ROOM_ERRORS = frozenset({ErrorType.SNAPSHOT_QUOTA, ErrorType.DISK_FULL})

#: It could not be done, or not be undone: what the preflight finds out before anything is touched.
PREFLIGHT_ERRORS = NO_ROOM_ERRORS | {
    ErrorType.IMAGE_MISSING,
    ErrorType.TOO_MANY_LAYERS,
    ErrorType.OWNER_MISSING,
    ErrorType.OWNER_GONE,
    ErrorType.ORCHESTRATED,
}

#: What may have become true since the request was planned: when one of these comes before
#: anything was touched, the request is stale.
STALE_ERRORS = _OTHER_CONTAINER | PREFLIGHT_ERRORS

#: Errors that no repetition of a compensation can mend: a person is needed at once and for good.
HOPELESS_ERRORS = _OTHER_CONTAINER | {ErrorType.STOPPED_BY_PERSON, ErrorType.OWNER_GONE}
