"""Can whoever owns the docker worker do to the engine what the matrix says, and nothing else?

Debian's haproxy with the configuration of the installation, before an engine that is real. What
stands between the two writes down what arrives there.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Final

import pytest

from activities.checks import check_docker
from tests.integration.activities.docker import proxy_matrix as matrix
from tests.rigs.docker_proxy import DockerProxy, Moment
from tests.rigs.dockerd import DockerEngine
from tests.rigs.socket_proxy import CONFIG, SocketProxy
from tests.rigs.waiting import wait_until
from workflows.model.timing import MAX_GRACE_SECONDS, TIMING

_ID: Final = "0123456789abcdef" * 4
#: The last call of a connection.
_EXEC: Final = (
    f"POST /v1.41/containers/{_ID}/exec HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
)
_COMMIT: Final = next(call for what, call, _ in matrix.ALLOWED if what == "make an image of it")
_HEADERS: Final = {"Content-Type": "application/json"}
_CANARY: Final = "hunter2"
_NOBODY, _GROUP = 65534, 7777


@pytest.fixture
def behind(engine: DockerEngine) -> Iterator[DockerProxy]:
    """Write down what arrives at the engine."""
    with DockerProxy(engine.base_url) as behind:
        yield behind


@pytest.fixture
def proxy(behind: DockerProxy) -> Iterator[SocketProxy]:
    """Put the socket proxy before it."""
    with SocketProxy(behind.base_url) as proxy:
        yield proxy


def _arrived(behind: DockerProxy) -> list[str]:
    return [exchange.line for exchange in behind.passed("")]


def _ask(proxy: SocketProxy, call: str, body: str = "", **headers: str) -> tuple[int, str]:
    """Make a call, and give status and body of its answer."""
    method, _, url = call.partition(" ")
    with closing(http.client.HTTPConnection(*proxy.address, timeout=20)) as client:
        client.putrequest(method, url, skip_accept_encoding=True)
        for name, value in {**_HEADERS, "Content-Length": str(len(body)), **headers}.items():
            client.putheader(name.replace("_", "-"), value)
        client.endheaders(body.encode())
        answer = client.getresponse()
        return answer.status, answer.read().decode()


def _send(proxy: SocketProxy, data: bytes) -> list[int]:
    """Send bytes as they are, and give the status of each answer."""
    received = b""
    with socket.create_connection(proxy.address, timeout=20) as client:
        client.sendall(data)
        while chunk := client.recv(65536):
            received += chunk
    lines = received.split(b"HTTP/1.1 ")[1:]
    return [int(line[:3]) for line in lines]


def _calls(proxy: SocketProxy) -> list[str]:
    """Give the lines of its log that are about a call; others tell how the engine is."""
    return [line for line in proxy.log() if line.endswith(" from 127.0.0.1")]


def test_what_the_worker_needs_is_done(
    proxy: SocketProxy, behind: DockerProxy, engine: DockerEngine
) -> None:
    """Each call of the first table reaches the engine, which does it."""
    container, image = engine.run(name="web-1"), ""
    for what, call, status in matrix.ALLOWED:
        body = "{}" if call == _COMMIT else ""
        asked = matrix.of(call, container, image)
        answered, told = _ask(proxy, asked, body)
        while "unable to freeze" in told:  # as runc says now and then on a busy machine
            answered, told = _ask(proxy, asked, body)
        assert (what, answered) == (what, status), told
        assert _arrived(behind)[-1] == asked
        if call == _COMMIT:
            image = engine.api.images(filters={"label": f"dockwarden.source={container}"})[0]["Id"]
    assert proxy.refused() == 0
    assert proxy.log() == []


@pytest.mark.parametrize("what", matrix.REFUSED)
def test_nothing_else_reaches_the_engine(
    what: str, proxy: SocketProxy, behind: DockerProxy
) -> None:
    """Each call of the second table is refused, counted and logged, and never arrives."""
    calls = [matrix.of(call, _ID, f"sha256:{_ID}") for call in matrix.REFUSED[what]]
    body = "{}" if "commit" in what else ""
    assert {call: _ask(proxy, call, body)[0] for call in calls} == dict.fromkeys(calls, 403)
    assert _arrived(behind) == []
    assert proxy.refused() == len(calls)
    wait_until(lambda: len(proxy.log()) >= len(calls), "the last one is logged")
    assert len(proxy.log()) == len(calls)


def test_no_header_makes_a_look_something_else(proxy: SocketProxy, behind: DockerProxy) -> None:
    """No other protocol, and no body."""
    for headers, body in (
        ({"Upgrade": "tcp", "Connection": "Upgrade"}, ""),
        ({"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2_Settings": "A"}, ""),
        ({"Upgrade": "websocket"}, ""),
        ({"Transfer_Encoding": "chunked"}, "0\r\n\r\n"),
        ({"Transfer_Encoding": "identity"}, ""),
        ({"Content_Length": "2"}, "{}"),
        ({"Content_Length": "60"}, ""),
    ):
        assert _ask(proxy, "GET /version", body, **headers)[0] in (400, 403, 422), headers
    assert _arrived(behind) == []


def test_a_commit_has_no_configuration(proxy: SocketProxy, behind: DockerProxy) -> None:
    """What an image would run can stand in the body too; docker-py sends an empty one."""
    call = matrix.of(_COMMIT, _ID)
    body = '{"Entrypoint": ["/evil"]}'
    assert _ask(proxy, call, body)[0] == 403
    assert _ask(proxy, call, Transfer_Encoding="chunked")[0] == 403
    assert _ask(proxy, f"POST /v1.41/containers/{_ID}/start", "{}")[0] == 403
    assert _arrived(behind) == []


def test_no_second_call_hides_behind_the_first(proxy: SocketProxy, behind: DockerProxy) -> None:
    """What comes after a call that is let through is looked at like the first."""
    look, end = b"GET /version HTTP/1.1\r\nHost: x\r\n", b"\r\n\r\n"
    length, chunks = b"Content-Length: %d" % len(_EXEC), b"\r\nTransfer-Encoding: chunked"
    answers = {
        "pipelined": (look + b"\r\n" + _EXEC, [200, 403]),
        "two lengths": (look + b"Content-Length: 0\r\n" + length + end + _EXEC, [400]),
        "length and chunks": (look + length + chunks + end + b"0\r\n\r\n" + _EXEC, [403]),
        "chunks after a space": (look + b"Transfer-Encoding : chunked" + end + _EXEC, [400]),
        "chunks after a tab": (look + b"Transfer-Encoding:\x0bchunked" + end + _EXEC, [400]),
        "a folded header": (look + b"X: y\r\n " + length + end + _EXEC, [200, 403]),
        "space after the version": (b"GET /version HTTP/1.1 \r\nHost: x" + end + _EXEC, [400]),
        "a fragment": (b"GET /version#x HTTP/1.1\r\nHost: x" + end + _EXEC, [400]),
        "HTTP 0.9": (b"GET /version\r\n" + _EXEC, [400]),
        "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), [400]),
        "a tunnel": (b"CONNECT x:80 HTTP/1.1\r\nHost: x:80" + end + _EXEC, [403, 403]),
    }
    assert {what: _send(proxy, sent) for what, (sent, _) in answers.items()} == {
        what: expected for what, (_, expected) in answers.items()
    }
    assert set(_arrived(behind)) == {"GET /version"}


def test_the_log_names_what_was_refused_and_no_secret(
    proxy: SocketProxy, behind: DockerProxy
) -> None:
    """Method, address, status; no value of a parameter, no header, no body. Nothing else."""
    assert _ask(proxy, f"GET /v1.41/containers/{_ID}/json")[0] == 404
    build = f"POST /v1.41/build?buildargs=%7B%22TOKEN%22%3A%22{_CANARY}%22%7D&remote={_CANARY}"
    _ask(proxy, build, _CANARY, X_Registry_Auth=_CANARY)
    behind.down()
    status, told = _ask(proxy, "GET /version")
    assert (status, told) == (503, '{"message": "the socket proxy does not reach the engine"}')
    wait_until(lambda: len(_calls(proxy)) >= 2, "both are logged")
    assert _calls(proxy) == [
        "POST /v1.41/build?buildargs=&remote= 403 PR from 127.0.0.1",
        "GET /version 503 SC from 127.0.0.1",
    ]
    assert _CANARY not in "".join(proxy.log())
    assert proxy.refused() == 1


def test_a_proxy_that_may_not_open_the_socket_says_so(behind: DockerProxy) -> None:
    """With a wrong DOCKER_GID nothing is wrong with the engine, and `check` does not say so."""
    behind.path.chmod(0o660)
    behind.path.parent.chmod(0o711)
    os.chown(behind.path, 0, _GROUP)
    with SocketProxy(behind.base_url, user_and_group=(_NOBODY, _GROUP)) as proxy:
        assert check_docker(proxy.base_url, 1, None).usable
    with SocketProxy(behind.base_url, user_and_group=(_NOBODY, _GROUP + 1)) as proxy:
        told = check_docker(proxy.base_url, 1, None)
        assert not told.usable
        assert told.words == (
            f"the socket proxy may not connect to the engine: permission denied ({proxy.base_url})"
        )
        assert any("Permission denied" in line for line in proxy.log())
        assert proxy.refused() == 0


def test_the_counts_lead_nowhere_else(proxy: SocketProxy, behind: DockerProxy) -> None:
    """Who reads them reaches no engine by their port, nor they by the worker's."""
    assert _ask(proxy, "GET /metrics")[0] == 403
    with closing(http.client.HTTPConnection(*proxy.monitor, timeout=20)) as client:
        for call in ("GET /version", "POST /metrics", "GET /metrics?scope=info", "GET /stats"):
            client.request(*call.split())
            answer = client.getresponse()
            assert (call, answer.status, bool(answer.read())) == (call, 403, True)
    assert _arrived(behind) == []


def test_what_takes_long_is_not_cut(behind: DockerProxy, tmp_path: Path) -> None:
    """A stop takes its grace, and a commit as long: the worker gives up before the proxy does."""
    text = CONFIG.read_text(encoding="utf-8")
    limits = {name: int(limit) for name, limit in re.findall(r"timeout (\S+) (\d+)m\n", text)}
    assert set(limits) == {"client", "server", "http-keep-alive"}
    longest = max(TIMING.stop_http(MAX_GRACE_SECONDS), TIMING.commit_http, 15 * 60)
    assert all(60 * minutes > longest for minutes in limits.values())

    # The limits in seconds are for other things: with a second each a call still takes longer.
    hasty, replaced = re.subn(r"(timeout (?:connect|http-request)) \d+s\n", r"\1 1s\n", text)
    assert replaced == 2
    (tmp_path / CONFIG.name).write_text(hasty, encoding="utf-8")
    shutil.copy(CONFIG.with_suffix(".lua"), tmp_path)
    with SocketProxy(behind.base_url, config=tmp_path / CONFIG.name) as proxy:
        held = behind.trap("/stop", Moment.UNDERWAY, lambda: Event().wait(3) or None)
        assert _ask(proxy, f"POST /v1.41/containers/{_ID}/stop?t=600")[0] == 404
        assert held.fired == 1
        assert behind.passed("/stop")[0].ended - behind.passed("/stop")[0].began >= 3
