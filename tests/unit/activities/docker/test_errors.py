"""Does each raw error of the engine's client mean what it must?"""

from __future__ import annotations

import gc
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import docker
import docker.errors
import pytest
import requests
import requests.exceptions
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from activities.docker.errors import CONTAINER, IMAGE, RAW_ERRORS, Subject, translate
from workflows.model.errors import ErrorType

CANARY = "hunter2"
FATAL = True
RETRIED = False


def _answer(status: int, message: str, rest: str = f" {CANARY}") -> Exception:
    """Make the exception that docker-py makes of an engine's answer."""
    response = requests.Response()
    response.status_code = status
    response.url = f"http+docker://localhost/v1.41/commit?changes={CANARY}"
    response._content = json.dumps({"message": f"{message}{rest}"}).encode()
    try:
        response.raise_for_status()
    except requests.exceptions.HTTPError as error:
        with pytest.raises(docker.errors.APIError) as caught:
            docker.errors.create_api_error_from_http_exception(error)
        return caught.value
    raise AssertionError(status)


def _broken(cause: Exception) -> Exception:
    return requests.exceptions.ConnectionError(ProtocolError("Connection aborted.", cause))


@pytest.mark.parametrize(
    ("status", "message", "kind", "fatal"),
    [
        (404, "No such container: abc", ErrorType.CONTAINER_GONE, FATAL),
        (404, "something else is not found", ErrorType.ENGINE_ERROR, RETRIED),
        (404, "No such image: sha256:abc", ErrorType.SNAPSHOT_VANISHED, FATAL),
        (404, "page not found", ErrorType.ENGINE_ERROR, RETRIED),
        (409, "container abc is paused, unpause it", ErrorType.STATE_CONFLICT, RETRIED),
        (409, "removal is already in progress", ErrorType.STATE_CONFLICT, RETRIED),
        (400, "bad parameter", ErrorType.BAD_ENGINE_REQUEST, FATAL),
        (400, "client version 1.41 is too old", ErrorType.ENGINE_UNAVAILABLE, RETRIED),
        (403, "forbidden by the proxy", ErrorType.ENGINE_FORBIDDEN, FATAL),
        (405, "method not allowed", ErrorType.ENGINE_FORBIDDEN, FATAL),
        (500, "invalid reference format", ErrorType.BAD_ENGINE_REQUEST, FATAL),
        (500, "repository name must be lowercase", ErrorType.BAD_ENGINE_REQUEST, FATAL),
        (500, "Multiple IDs found with provided prefix", ErrorType.BAD_ENGINE_REQUEST, FATAL),
        (500, 'strconv.Atoi: parsing "1.5"', ErrorType.BAD_ENGINE_REQUEST, FATAL),
        (500, "write /x: no space left on device", ErrorType.DISK_FULL, FATAL),
        (500, "failed to get digest sha256:abc: no such file", ErrorType.IMAGE_MISSING, FATAL),
        (500, "max depth exceeded", ErrorType.TOO_MANY_LAYERS, FATAL),
        (500, "container state improper", ErrorType.STATE_CONFLICT, RETRIED),
        (500, "something new", ErrorType.ENGINE_ERROR, RETRIED),
        (502, "bad gateway", ErrorType.ENGINE_AMBIGUOUS, RETRIED),
        (504, "gateway time-out", ErrorType.ENGINE_AMBIGUOUS, RETRIED),
    ],
)
def test_an_answer_is_named(status: int, message: str, kind: ErrorType, *, fatal: bool) -> None:
    """Status and explanation decide, and neither URL nor explanation is told."""
    error = translate(_answer(status, message))
    assert (error.type, error.non_retryable) == (kind, fatal)
    assert CANARY not in str(error)
    assert error.__cause__ is None


@pytest.mark.parametrize(
    ("status", "words", "kind", "fatal"),
    [
        (
            403,
            "the socket proxy does not let this call through",
            ErrorType.ENGINE_FORBIDDEN,
            FATAL,
        ),
        (
            403,
            "the socket proxy may not connect to the engine: permission denied",
            ErrorType.ENGINE_FORBIDDEN,
            FATAL,
        ),
        (503, "the socket proxy does not reach the engine", ErrorType.ENGINE_UNAVAILABLE, RETRIED),
    ],
)
def test_what_the_socket_proxy_says_is_told(
    status: int, words: str, kind: ErrorType, *, fatal: bool
) -> None:
    """It sent nothing, whatever the call was, and its words are ours."""
    for subject in (CONTAINER, Subject(container_id="a" * 64, starting=True)):
        error = translate(_answer(status, words, ""), subject)
        assert (error.type, error.non_retryable, error.message) == (kind, fatal, words)


def test_a_socket_that_may_not_be_opened_is_told_from_an_engine_that_is_away() -> None:
    """Which of the two it is decides who can mend it."""
    denied = translate(_broken(PermissionError(13, CANARY)))
    assert denied.message == "the Docker engine does not let Dockwarden in: permission denied"
    assert translate(_broken(FileNotFoundError(2, CANARY))).message.endswith("does not answer")


@pytest.mark.parametrize(
    ("raw", "kind", "fatal"),
    [
        (requests.exceptions.ReadTimeout("read"), ErrorType.ENGINE_AMBIGUOUS, RETRIED),
        (requests.exceptions.ConnectTimeout("c"), ErrorType.ENGINE_UNAVAILABLE, RETRIED),
        (_broken(ConnectionResetError(104, "reset")), ErrorType.ENGINE_AMBIGUOUS, RETRIED),
        (_broken(BrokenPipeError(32, "pipe")), ErrorType.ENGINE_AMBIGUOUS, RETRIED),
        (_broken(PermissionError(13, "denied")), ErrorType.ENGINE_FORBIDDEN, FATAL),
        (
            requests.exceptions.ConnectionError(ReadTimeoutError(None, "/", "late")),  # type: ignore[arg-type]
            ErrorType.ENGINE_AMBIGUOUS,
            RETRIED,
        ),
        (requests.exceptions.ChunkedEncodingError("cut"), ErrorType.ENGINE_AMBIGUOUS, RETRIED),
        (requests.exceptions.JSONDecodeError("x", "", 0), ErrorType.ENGINE_AMBIGUOUS, RETRIED),
        (requests.exceptions.InvalidURL("x"), ErrorType.BAD_ENGINE_REQUEST, FATAL),
        (docker.errors.DockerException("Invalid bind"), ErrorType.BAD_ENGINE_REQUEST, FATAL),
        (docker.errors.NullResource("x"), ErrorType.BAD_INPUT, FATAL),
        (KeyError("message"), ErrorType.ENGINE_ERROR, RETRIED),
        (TypeError("x"), ErrorType.BAD_INPUT, FATAL),
        (ValueError("x"), ErrorType.BAD_INPUT, FATAL),
    ],
)
def test_a_failed_call_is_named(raw: Exception, kind: ErrorType, *, fatal: bool) -> None:
    """What was never sent, what may be done, and what is hopeless are told apart."""
    assert isinstance(raw, RAW_ERRORS)
    error = translate(raw)
    assert (error.type, error.non_retryable) == (kind, fatal)


def test_a_missing_thing_is_what_the_caller_asked_for() -> None:
    """The same 404 means an image when the call was about an image."""
    error = translate(_answer(404, "not known"), IMAGE)
    assert error.type == ErrorType.SNAPSHOT_VANISHED


_OURS, _OTHER = "a1" * 32, "b2" * 32


@pytest.mark.parametrize(
    ("starting", "status", "message", "kind"),
    [
        (True, 404, f"No such container: {_OURS}", ErrorType.CONTAINER_GONE),
        (True, 404, f"No such container: {_OTHER}", ErrorType.OWNER_MISSING),
        (True, 404, "network lan not found", ErrorType.NETWORK_MISSING),
        (True, 404, "nothing that is known", ErrorType.ENGINE_ERROR),
        (True, 409, f"container {_OTHER} is restarting, wait", ErrorType.OWNER_MISSING),
        (True, 409, f"container {_OURS} is restarting, wait", ErrorType.STATE_CONFLICT),
        (True, 409, "cannot start a paused container", ErrorType.STATE_CONFLICT),
        (True, 400, "nothing that is known", ErrorType.CANNOT_RUN),
        (True, 500, "nothing that is known", ErrorType.ENGINE_ERROR),
        (True, 404, "No such image: sha256:abc", ErrorType.IMAGE_MISSING),
        (False, 404, f"No such container: {_OURS}", ErrorType.CONTAINER_GONE),
        (False, 404, f"No such container: {_OTHER}", ErrorType.ENGINE_ERROR),
        (False, 400, "nothing that is known", ErrorType.BAD_ENGINE_REQUEST),
    ],
)
def test_the_id_in_an_answer_says_what_it_is_about(
    status: int, message: str, kind: ErrorType, *, starting: bool
) -> None:
    """A start is refused because of other things too, and never blames the call for them."""
    subject = Subject(container_id=_OURS, starting=starting)
    assert translate(_answer(status, message), subject).type == kind


@pytest.fixture
def _no_socket_left() -> Iterator[None]:
    """Collect the sockets that docker-py leaves open when nobody listens."""
    yield
    gc.collect()


def _raised(base_url: str, version: str | None) -> Exception:
    with pytest.raises(RAW_ERRORS) as caught, docker.APIClient(base_url, version, timeout=1) as api:
        api.ping()
    return caught.value


@pytest.mark.usefixtures("_no_socket_left")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("version", ["1.41", None])
@pytest.mark.parametrize(
    ("engine", "kind"),
    [
        ("missing", ErrorType.ENGINE_UNAVAILABLE),
        ("refusing", ErrorType.ENGINE_UNAVAILABLE),
        ("silent", ErrorType.ENGINE_AMBIGUOUS),
        ("hanging up", ErrorType.ENGINE_AMBIGUOUS),
    ],
)
def test_real_sockets_raise_what_the_table_knows(
    tmp_path: Path, engine: str, kind: ErrorType, version: str | None
) -> None:
    """The client itself raises it, also wrapped by the look-up of the version."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        if engine != "missing":
            server.bind(str(path))
        if engine in ("silent", "hanging up"):
            server.listen()
        if engine == "hanging up":
            threading.Thread(target=_hang_up, args=(server,), daemon=True).start()
        assert translate(_raised(f"unix://{path}", version)).type == kind


def _hang_up(server: socket.socket) -> None:
    client, _ = server.accept()
    with client:
        client.recv(4096)
