"""What does a raw error of docker-py or requests mean: nothing done, perhaps done, or hopeless?

One table for every call to the engine, and one way to make the errors that we find out about
ourselves. The message is always ours: ``str(APIError)`` holds the
URL with its parameters, and an engine's explanation can quote a command line. What "not found" is
about is read from the answer's words and from the id in them, never from its status alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import docker.errors
import requests.exceptions
import urllib3.exceptions
from temporalio.exceptions import ApplicationError

from activities.docker.refused_start import missing_for_start, names_another
from workflows.model.errors import ErrorType, RefusalCode

#: What a call through docker-py can raise. A time-out and a dead engine are errors of
#: ``requests`` and no ``DockerException``.
RAW_ERRORS: Final = (
    docker.errors.DockerException,
    requests.exceptions.RequestException,
    OSError,
    KeyError,
    TypeError,
    ValueError,
)

_FATAL: Final = frozenset(
    {
        ErrorType.ENGINE_FORBIDDEN,
        ErrorType.BAD_ENGINE_REQUEST,
        ErrorType.DISK_FULL,
        ErrorType.IMAGE_MISSING,
        ErrorType.TOO_MANY_LAYERS,
        ErrorType.CONTAINER_GONE,
        ErrorType.SNAPSHOT_VANISHED,
        ErrorType.BAD_INPUT,
    }
)

_WORDS: Final = {
    ErrorType.ENGINE_UNAVAILABLE: "the Docker engine does not answer",
    ErrorType.ENGINE_AMBIGUOUS: "the Docker engine did not say whether it was done",
    ErrorType.ENGINE_FORBIDDEN: (
        "the Docker engine, or a proxy before it, does not let Dockwarden do this"
    ),
    ErrorType.ENGINE_ERROR: "the Docker engine failed",
    ErrorType.BAD_ENGINE_REQUEST: "the Docker engine does not take this request",
    ErrorType.DISK_FULL: "the disk of the Docker engine is full",
    ErrorType.IMAGE_MISSING: "the image of the container is missing on the host",
    ErrorType.TOO_MANY_LAYERS: "the image of the container has as many layers as can be stacked",
    ErrorType.OWNER_GONE: "a container whose namespace it uses was removed",
    ErrorType.OWNER_MISSING: "a container that it depends on does not run",
    ErrorType.MOUNT_MISSING: "one of its mounts is missing on the host",
    ErrorType.DEVICE_MISSING: "one of its devices is missing on the host",
    ErrorType.CANNOT_RUN: "the engine cannot run it as it is set up",
    ErrorType.PORT_BUSY: "a port that the container publishes is in use",
    ErrorType.NETWORK_MISSING: "a network of the container is missing",
    ErrorType.STATE_CONFLICT: "the container is in another state than expected",
    ErrorType.CONTAINER_GONE: "the container no longer exists",
    ErrorType.SNAPSHOT_VANISHED: "the image no longer exists",
    ErrorType.BAD_INPUT: "the engine client does not take these arguments",
}

#: Explanations of an engine error, most telling first; Podman answers many conflicts with 500.
_EXPLANATIONS: Final = (
    ("is too old", ErrorType.ENGINE_UNAVAILABLE),  # the engine was upgraded under our client
    ("is too new", ErrorType.ENGINE_UNAVAILABLE),
    ("no space left", ErrorType.DISK_FULL),
    ("failed to get digest", ErrorType.IMAGE_MISSING),  # of the image that a commit is based on
    ("max depth exceeded", ErrorType.TOO_MANY_LAYERS),
    ("container state improper", ErrorType.STATE_CONFLICT),
    ("invalid reference", ErrorType.BAD_ENGINE_REQUEST),
    ("invalid tag", ErrorType.BAD_ENGINE_REQUEST),
    ("must be lowercase", ErrorType.BAD_ENGINE_REQUEST),
    ("multiple ids", ErrorType.BAD_ENGINE_REQUEST),
    ("strconv", ErrorType.BAD_ENGINE_REQUEST),
)

#: What the socket proxy of an installation (deploy/haproxy.cfg) says in the engine's place. It
#: has sent nothing then.
PROXY_ANSWERS: Final = {
    "the socket proxy does not let this call through": ErrorType.ENGINE_FORBIDDEN,
    "the socket proxy may not connect to the engine: permission denied": (
        ErrorType.ENGINE_FORBIDDEN
    ),
    "the socket proxy does not reach the engine": ErrorType.ENGINE_UNAVAILABLE,
}

_STATUS: Final = {
    400: ErrorType.BAD_ENGINE_REQUEST,
    401: ErrorType.ENGINE_FORBIDDEN,
    403: ErrorType.ENGINE_FORBIDDEN,
    405: ErrorType.ENGINE_FORBIDDEN,
    409: ErrorType.STATE_CONFLICT,
    # A proxy before the engine lost it: the request may have arrived.
    502: ErrorType.ENGINE_AMBIGUOUS,
    503: ErrorType.ENGINE_AMBIGUOUS,
    504: ErrorType.ENGINE_AMBIGUOUS,
}

#: How Docker and Podman both say it; a proxy, and an engine that lacks something else, do not.
_NO_CONTAINER: Final = "no such container"

_NOT_SENT: Final = (
    FileNotFoundError,
    ConnectionRefusedError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.NameResolutionError,
    requests.exceptions.ConnectTimeout,
)


def failure(
    kind: ErrorType | RefusalCode, text: str, *, repeatable: bool = False
) -> ApplicationError:
    """Make an error of ours, to be raised by whoever found out.

    Args:
        kind: what went wrong, or why nothing was begun.
        text: a short text of ours; people read it as a detail.
        repeatable: true when another attempt of the activity may end better.
    """
    return ApplicationError(text, type=kind, non_retryable=not repeatable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a call is about.

    ``missing`` is what "not found" means for it. ``container_id`` is the container that the call
    would change, and ``starting`` says that the call would start it, for which much around the
    container must be there too.
    """

    missing: ErrorType = ErrorType.CONTAINER_GONE
    container_id: str = ""
    starting: bool = False


#: What most calls are about: a container that they only look at.
CONTAINER: Final = Subject()
IMAGE: Final = Subject(missing=ErrorType.SNAPSHOT_VANISHED)


def translate(raw: Exception, subject: Subject = CONTAINER) -> ApplicationError:
    """Turn a raw error into one that says whether to try again.

    Args:
        raw: what docker-py, requests or the socket raised.
        subject: what the call was about.

    Returns:
        An error of ours; raise it outside the ``except`` block, or Temporal stores the raw one
        with it as its context.
    """
    kind = _kind(raw, subject)
    status = raw.status_code if isinstance(raw, docker.errors.APIError) else None
    words = _own_words(raw) or _WORDS.get(kind, "the Docker engine failed")
    text = f"{words} (HTTP {status})" if kind is ErrorType.ENGINE_ERROR and status else words
    return ApplicationError(text, type=kind, non_retryable=kind in _FATAL)


def _own_words(raw: Exception) -> str:
    """Say more exactly what is wrong where it can be told: nothing of it comes from an engine."""
    said = answered_words(raw)
    if said in PROXY_ANSWERS:
        return said
    is_denied = any(isinstance(cause, PermissionError) for cause in _causes(raw))
    return "the Docker engine does not let Dockwarden in: permission denied" if is_denied else ""


def answered_words(raw: Exception) -> str | None:
    """Give the engine's own words when it answered with a no; they may quote a secret."""
    if isinstance(raw, docker.errors.APIError):
        return str(raw.explanation or f"HTTP {raw.status_code}")
    return None


def _kind(raw: Exception, subject: Subject) -> ErrorType:
    kind = ErrorType.BAD_INPUT
    match raw:
        case docker.errors.APIError():
            kind = _kind_of_answer(raw, subject)
        case docker.errors.NullResource():
            pass
        case docker.errors.DockerException(__cause__=Exception() as cause):
            # The version look-up wraps what really happened.
            kind = _kind(cause, subject)
        case docker.errors.DockerException():
            kind = ErrorType.BAD_ENGINE_REQUEST
        case requests.exceptions.RequestException() | OSError():
            kind = _kind_of_failed_call(raw)
        case KeyError():
            # docker-py looks for a message in every refusal, and a proxy may send none.
            kind = ErrorType.ENGINE_ERROR
    return kind


def _kind_of_answer(raw: docker.errors.APIError, subject: Subject) -> ErrorType:
    words = str(raw.explanation or "")
    if words in PROXY_ANSWERS:
        return PROXY_ANSWERS[words]
    explanation = words.lower()
    missing = missing_for_start(words, subject.container_id) if subject.starting else None
    if missing is not None:
        return missing.kind
    if raw.status_code == HTTPStatus.NOT_FOUND:
        return _kind_of_not_found(raw, explanation, subject)
    for fragment, kind in _EXPLANATIONS:
        if fragment in explanation:
            return kind
    if subject.starting and raw.status_code == HTTPStatus.BAD_REQUEST:
        return ErrorType.CANNOT_RUN  # the call itself holds nothing but an id
    return _STATUS.get(raw.status_code or 0, ErrorType.ENGINE_ERROR)


def _kind_of_not_found(
    raw: docker.errors.APIError, explanation: str, subject: Subject
) -> ErrorType:
    if "page not found" in explanation:  # no engine, or one that lacks the call
        return ErrorType.ENGINE_ERROR
    if isinstance(raw, docker.errors.ImageNotFound):
        # Of a container that is started or committed, it is the image that it was made of.
        return ErrorType.IMAGE_MISSING if subject.container_id else ErrorType.SNAPSHOT_VANISHED
    if subject.missing is not ErrorType.CONTAINER_GONE:
        return subject.missing
    is_ours = not (subject.container_id and names_another(explanation, subject.container_id))
    if _NO_CONTAINER in explanation and is_ours:
        return ErrorType.CONTAINER_GONE
    return ErrorType.ENGINE_ERROR


def _kind_of_failed_call(raw: Exception) -> ErrorType:
    causes = tuple(_causes(raw))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return ErrorType.ENGINE_FORBIDDEN
    if any(isinstance(cause, _NOT_SENT) for cause in causes):
        return ErrorType.ENGINE_UNAVAILABLE
    if isinstance(raw, ValueError) and not isinstance(raw, requests.exceptions.JSONDecodeError):
        return ErrorType.BAD_ENGINE_REQUEST  # an address that is none
    return ErrorType.ENGINE_AMBIGUOUS


def _causes(error: BaseException, depth: int = 5) -> Iterator[BaseException]:
    """Walk through the errors that requests and urllib3 wrap into each other."""
    yield error
    if depth:
        inner = [*error.args, getattr(error, "reason", None), error.__cause__]
        for cause in inner:
            if isinstance(cause, BaseException):
                yield from _causes(cause, depth - 1)
