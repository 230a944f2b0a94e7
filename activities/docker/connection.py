"""Which client carries our calls to an engine, and which API version does it speak?

A client for each time limit, all of whose calls share their connections. Nothing is sent before
the first call, and no raw error leaves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

import docker
from docker.transport import UnixHTTPAdapter
from docker.transport.unixconn import UnixHTTPConnectionPool
from requests.adapters import HTTPAdapter

from activities.docker.errors import CONTAINER, RAW_ERRORS, Subject, answered_words, translate
from workflows.model.errors import ErrorType

#: The oldest API version that has all we need, and the one that all was measured with.
API_VERSION: Final = "1.41"
#: At least as many as the threads of a worker (64 stops, 64 commits, 80 quick ones); with fewer,
#: each surplus call connects anew. They are made as they are needed.
_CONNECTIONS: Final = 256
_T = TypeVar("_T")


class Connection:
    """The way to one engine, through one client per time limit.

    Nothing is sent before the first call. The API version is agreed upon then, and again after
    the engine was away: it may have been upgraded.

    Args:
        base_url: the engine's address, like ``unix:///var/run/docker.sock``.
        version_limit: how many seconds the question for the version may take.
    """

    def __init__(self, base_url: str, *, version_limit: int) -> None:
        self.api_version = ""
        self._base_url = base_url
        self._version_limit = version_limit
        self._clients: dict[int, docker.APIClient] = {}
        self._lock = threading.Lock()

    def call(
        self,
        limit: int,
        send: Callable[[docker.APIClient], _T],
        subject: Subject = CONTAINER,
        hear: Callable[[str], None] | None = None,
    ) -> _T:
        """Make one call.

        Args:
            limit: how many seconds the engine may keep silent.
            send: what makes the call.
            subject: what it is about.
            hear: is given the engine's own words when it answers with a no.

        Raises:
            ApplicationError: it failed; the error is one of ours and carries nothing of the raw.
        """
        try:
            return send(self._client(limit))
        except RAW_ERRORS as raw:
            error, words = translate(raw, subject), answered_words(raw)
        if words is not None and hear is not None:
            hear(words)
        if error.type == ErrorType.ENGINE_UNAVAILABLE:
            self.close()
        # Not inside the handler: the raw error would travel along as the context of ours.
        raise error

    def close(self) -> None:
        """Close all connections; the next call makes new ones."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()
            self.api_version = ""

    def _client(self, limit: int) -> docker.APIClient:
        # Asked outside the lock: a hung engine must not make its callers queue up.
        version = self.api_version or self._agree_on_version()
        with self._lock:
            self.api_version = version
            if limit not in self._clients:
                self._clients[limit] = self._connect(version, limit)
            return self._clients[limit]

    def _agree_on_version(self) -> str:
        client = self._connect(API_VERSION, self._version_limit)
        try:
            offered = client.version(api_version=False)
        finally:
            client.close()
        return choose_api_version(offered.get("MinAPIVersion"), offered.get("ApiVersion"))

    def _connect(self, version: str, limit: int) -> docker.APIClient:
        client = docker.APIClient(
            base_url=self._base_url, version=version, timeout=limit, max_pool_size=_CONNECTIONS
        )
        # No proxy and no netrc of the environment may come between us and the engine.
        client.trust_env = False
        _share_connections(client)
        return client


class _OnePool(UnixHTTPAdapter):
    """Keeps one pool for the socket; docker-py keeps one for each address that is called."""

    def get_connection(self, *_: object, **__: object) -> UnixHTTPConnectionPool:
        """Give the one pool, whatever is called."""
        return super().get_connection(self.socket_path)


def _share_connections(client: docker.APIClient) -> None:
    """Let all calls of a client take the connections that others have left.

    docker-py pools by the whole address, in which each container has its own; and over a network
    it keeps ten connections, whatever it was told.
    """
    if client.base_url.startswith("http+docker://"):
        adapter = client.get_adapter(client.base_url)
        if isinstance(adapter, UnixHTTPAdapter):
            shared = _OnePool(adapter.socket_path, client.timeout, max_pool_size=_CONNECTIONS)
            client.mount("http+docker://", shared)
    else:
        client.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=_CONNECTIONS))


def choose_api_version(oldest: str | None, newest: str | None) -> str:
    """Choose the API version closest to ours among those that an engine speaks."""

    def number(version: str) -> tuple[int, ...]:
        return tuple(int(part) for part in version.split("."))

    version = max(API_VERSION, oldest or API_VERSION, key=number)
    return min(version, newest or version, key=number)
