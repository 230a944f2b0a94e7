"""How does a call reach the engine: with which client, API version and time limit?

Every call to an engine goes through here, and so through the one error table.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

import docker

from activities.docker.errors import RAW_ERRORS, translate
from workflows.model.errors import ErrorType

#: The oldest API version that has all we need, and the one that all was measured with.
API_VERSION: Final = "1.41"

#: As many as the threads of a worker; with fewer, each surplus call connects anew.
_CONNECTIONS: Final = 16

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
        missing: ErrorType = ErrorType.CONTAINER_GONE,
    ) -> _T:
        """Make one call.

        Args:
            limit: how many seconds the engine may keep silent.
            send: what makes the call.
            missing: what "not found" means for it.

        Raises:
            ApplicationError: it failed; the error is one of ours and carries nothing of the raw.
        """
        try:
            return send(self._client(limit))
        except RAW_ERRORS as raw:
            error = translate(raw, missing=missing)
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
        return client


def choose_api_version(oldest: str | None, newest: str | None) -> str:
    """Choose the API version closest to ours among those that an engine speaks."""

    def number(version: str) -> tuple[int, ...]:
        return tuple(int(part) for part in version.split("."))

    version = max(API_VERSION, oldest or API_VERSION, key=number)
    return min(version, newest or version, key=number)
