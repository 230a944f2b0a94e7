"""What does a raw error of docker-py or requests mean: nothing done, perhaps done, or hopeless?

One table for every call to the engine, and one way to make the errors that we find out about
ourselves. The message is always ours: ``str(APIError)`` holds the
URL with its parameters, and an engine's explanation can quote a command line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import docker.errors
import requests.exceptions
import urllib3.exceptions
from temporalio.exceptions import ApplicationError

from workflows.model.errors import ErrorType, RefusalCode

#: What a call through docker-py can raise. A time-out and a dead engine are errors of
#: ``requests`` and no ``DockerException``.
RAW_ERRORS: Final = (
    docker.errors.DockerException,
    requests.exceptions.RequestException,
    OSError,
    TypeError,
    ValueError,
)

_FATAL: Final = frozenset(
    {
        ErrorType.ENGINE_FORBIDDEN,
        ErrorType.BAD_ENGINE_REQUEST,
        ErrorType.DISK_FULL,
        ErrorType.CONTAINER_GONE,
        ErrorType.SNAPSHOT_VANISHED,
        ErrorType.BAD_INPUT,
    }
)

_WORDS: Final = {
    ErrorType.ENGINE_UNAVAILABLE: "the Docker engine does not answer",
    ErrorType.ENGINE_AMBIGUOUS: "the Docker engine did not say whether it was done",
    ErrorType.ENGINE_FORBIDDEN: "the Docker engine, or a proxy before it, does not let us in",
    ErrorType.ENGINE_ERROR: "the Docker engine failed",
    ErrorType.BAD_ENGINE_REQUEST: "the Docker engine does not take this request",
    ErrorType.DISK_FULL: "the disk of the Docker engine is full",
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
    ("port is already allocated", ErrorType.PORT_BUSY),
    ("address already in use", ErrorType.PORT_BUSY),
    ("container state improper", ErrorType.STATE_CONFLICT),
    ("invalid reference", ErrorType.BAD_ENGINE_REQUEST),
    ("invalid tag", ErrorType.BAD_ENGINE_REQUEST),
    ("must be lowercase", ErrorType.BAD_ENGINE_REQUEST),
    ("multiple ids", ErrorType.BAD_ENGINE_REQUEST),
    ("strconv", ErrorType.BAD_ENGINE_REQUEST),
)

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


def translate(raw: Exception, *, missing: ErrorType = ErrorType.CONTAINER_GONE) -> ApplicationError:
    """Turn a raw error into one that says whether to try again.

    Args:
        raw: what docker-py, requests or the socket raised.
        missing: what "not found" means for this call.

    Returns:
        An error of ours; raise it outside the ``except`` block, or Temporal stores the raw one
        with it as its context.
    """
    kind = _kind(raw, missing)
    status = raw.status_code if isinstance(raw, docker.errors.APIError) else None
    words = _WORDS.get(kind, "the Docker engine failed")
    text = f"{words} (HTTP {status})" if kind is ErrorType.ENGINE_ERROR and status else words
    return ApplicationError(text, type=kind, non_retryable=kind in _FATAL)


def _kind(raw: Exception, missing: ErrorType) -> ErrorType:
    match raw:
        case docker.errors.APIError():
            return _kind_of_answer(raw, missing)
        case docker.errors.NullResource():
            return ErrorType.BAD_INPUT
        case docker.errors.DockerException():
            # The version look-up wraps what really happened.
            if isinstance(raw.__cause__, Exception):
                return _kind(raw.__cause__, missing)
            return ErrorType.BAD_ENGINE_REQUEST
        case requests.exceptions.RequestException() | OSError():
            return _kind_of_failed_call(raw)
    return ErrorType.BAD_INPUT


def _kind_of_answer(raw: docker.errors.APIError, missing: ErrorType) -> ErrorType:
    explanation = str(raw.explanation or "").lower()
    if isinstance(raw, docker.errors.ImageNotFound):
        return ErrorType.SNAPSHOT_VANISHED
    if isinstance(raw, docker.errors.NotFound):
        if "page not found" in explanation:  # no engine, or one that lacks the call
            return ErrorType.ENGINE_ERROR
        return ErrorType.NETWORK_MISSING if "network" in explanation else missing
    for fragment, kind in _EXPLANATIONS:
        if fragment in explanation:
            return kind
    return _STATUS.get(raw.status_code or 0, ErrorType.ENGINE_ERROR)


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
