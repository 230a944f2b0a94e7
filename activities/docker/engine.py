"""Which calls do we make to a Docker engine, with which client, and what may reach it?

The only file that talks to an engine: :class:`Engine` has the calls that we make, and each goes
through :class:`Connection`, with a time limit of its own, and so through the one error table.
Containers are addressed by their full id alone (a name or a short id can be shadowed by another
container's name), images by their full id or by a checked reference, and label values hold
hexadecimal digits only: nothing that a path, a filter or an instruction could be made of.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import docker
from temporalio.exceptions import ApplicationError

from activities.docker.answers import (
    ContainerInspect,
    ContainerListEntry,
    EngineFacts,
    ImageInspect,
    container_inspect,
    container_list_entry,
    engine_facts,
    engine_id,
    image_id as full_image_id,
    image_inspect,
)
from activities.docker.errors import RAW_ERRORS, failure, translate
from activities.docker.protection import Protection
from workflows.model.errors import ErrorType
from workflows.model.image_reference import reference_problem
from workflows.model.names import CONTAINER_ID_FORM, REQUEST_LABEL, SOURCE_LABEL
from workflows.model.timing import TIMING, Timing

#: The oldest API version that has all we need, and the one that all was measured with.
API_VERSION: Final = "1.41"
_IMAGE_ID_FORM: Final = re.compile(r"sha256:[0-9a-f]{64}")
_LABEL_VALUE: Final = re.compile(r"[0-9a-f]{12,64}")
#: As many as the threads of a worker; with fewer, each surplus call connects anew.
_CONNECTIONS: Final = 16
_T = TypeVar("_T")


class Engine:
    """The Docker engine of one host. Nothing is sent before the first call.

    Args:
        base_url: the engine's address, like ``unix:///var/run/docker.sock``.
        host: the name that people give the host.
        protection: which containers are out of bounds.
        timing: the time limits.
    """

    def __init__(
        self, *, base_url: str, host: str, protection: Protection, timing: Timing = TIMING
    ) -> None:
        self.base_url = base_url
        self.host = host
        self.protection = protection
        self.timing = timing
        self._connection = Connection(base_url, version_limit=timing.inspect_http)

    def facts(self) -> EngineFacts:
        """Describe the engine."""
        info = self._read(lambda api: api.info())
        return engine_facts(info, self._connection.api_version)

    def engine_id(self) -> str:
        """Ask which engine this is; never remembered, for the address may lead to another now."""
        return engine_id(self._read(lambda api: api.info()))

    def containers(self) -> tuple[ContainerListEntry, ...]:
        """List all containers by name, without inspecting each: one may vanish meanwhile."""
        found = self._read(lambda api: api.containers(all=True))
        return tuple(sorted(map(container_list_entry, found), key=lambda entry: entry.name))

    def container(self, container_id: str) -> ContainerInspect:
        """Look at one container."""
        check_container_id(container_id)
        return container_inspect(self._read(lambda api: api.inspect_container(container_id)))

    def written_bytes(self, container_id: str) -> int:
        """Ask how much a container has written to its own file system, which a commit copies.

        The engine walks through all of it: with very many files that takes longer than a look.
        """
        check_container_id(container_id)
        filters = {"id": container_id}
        found = self._read(lambda api: api.containers(all=True, size=True, filters=filters))
        return sum(int(entry.get("SizeRw") or 0) for entry in found)

    def snapshot_requests(self, container_id: str) -> frozenset[str]:
        """Ask of which requests there are snapshots of a container.

        Images that people built on a snapshot inherit its labels, and so count as one with it.
        """
        check_container_id(container_id)
        label = f"{SOURCE_LABEL}={container_id}"
        found = self._read(lambda api: api.images(filters={"label": label}))
        return frozenset((image.get("Labels") or {}).get(REQUEST_LABEL, "") for image in found)

    def stop(self, container_id: str, grace_seconds: int) -> None:
        """Stop a container; the engine kills it after the grace."""
        check_container_id(container_id)
        # docker-py adds the grace to the client's time limit.
        limit = self.timing.stop_margin
        self._connection.call(limit, lambda api: api.stop(container_id, timeout=grace_seconds))

    def start(self, container_id: str) -> None:
        """Start a container; success proves nothing, the process may die at once."""
        check_container_id(container_id)
        self._connection.call(self.timing.start_http, lambda api: api.start(container_id))

    def pause(self, container_id: str) -> None:
        """Pause a container."""
        check_container_id(container_id)
        self._connection.call(self.timing.start_http, lambda api: api.pause(container_id))

    def unpause(self, container_id: str) -> None:
        """Unpause a container."""
        check_container_id(container_id)
        self._connection.call(self.timing.start_http, lambda api: api.unpause(container_id))

    def commit(self, container_id: str, labels: Mapping[str, str]) -> str:
        """Make an image of a container and give its id.

        Without a reference, so that a late duplicate can move no tag. The labels go through the
        instruction syntax, the one way that Podman knows too: hence nothing but digits.
        """
        for value in (container_id, *labels.values()):
            check_label_value(value)
        changes = "\n".join(f"LABEL {name}={value}" for name, value in labels.items())
        limit = self.timing.commit_http
        made = self._connection.call(limit, lambda api: api.commit(container_id, changes=changes))
        return full_image_id(made["Id"])

    def image(self, name: str) -> ImageInspect | None:
        """Look at an image, by its full id or by a reference; ``None`` when there is none."""
        if not is_image_id(name):
            check_reference(name)
        try:
            raw = self._read(_inspect_image(name), ErrorType.SNAPSHOT_VANISHED)
        except ApplicationError as error:
            if error.type == ErrorType.SNAPSHOT_VANISHED:
                return None
            raise
        return image_inspect(raw)

    def labelled_images(self, labels: Mapping[str, str]) -> tuple[ImageInspect, ...]:
        """Find the images that carry all these labels, oldest first."""
        for value in labels.values():
            check_label_value(value)
        # Podman finds nothing for two labels at once, so the first must do for the question.
        name, value = next(iter(labels.items()))
        found = self._read(lambda api: api.images(filters={"label": f"{name}={value}"}))
        # One image has an entry per repository on Podman; one may vanish meanwhile.
        images = [self.image(full_image_id(raw["Id"])) for raw in found]
        distinct = {
            image.image_id: image
            for image in images
            if image is not None and labels.items() <= image.labels.items()
        }
        return tuple(sorted(distinct.values(), key=lambda image: image.created))

    def tag(self, image_id: str, reference: str) -> None:
        """Give an image a reference; the engine would take it from another image without a word."""
        check_image_id(image_id)
        check_reference(reference)
        repository, _, tag = reference.rpartition(":")
        self._connection.call(
            self.timing.tag_http,
            lambda api: api.tag(image_id, repository, tag),
            ErrorType.SNAPSHOT_VANISHED,
        )

    def remove_image(self, image_id: str) -> None:
        """Remove an image, unless a container or another image needs it."""
        check_image_id(image_id)
        self._connection.call(
            self.timing.tag_http,
            lambda api: api.remove_image(image_id),
            ErrorType.SNAPSHOT_VANISHED,
        )

    def close(self) -> None:
        """Close the connections; the next call makes new ones."""
        self._connection.close()

    def _read(
        self,
        send: Callable[[docker.APIClient], Any],
        missing: ErrorType = ErrorType.CONTAINER_GONE,
    ) -> Any:  # noqa: ANN401 - the engine's JSON, read by activities.docker.answers
        return self._connection.call(self.timing.inspect_http, send, missing)


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


def is_image_id(text: str) -> bool:
    """Tell an image's full id from a reference."""
    return _IMAGE_ID_FORM.fullmatch(text) is not None


def check_container_id(text: str) -> None:
    """Let through a container's full id alone."""
    _check(CONTAINER_ID_FORM, text)


def check_image_id(text: str) -> None:
    """Let through an image's full id alone."""
    _check(_IMAGE_ID_FORM, text)


def check_label_value(text: str) -> None:
    """Let through what can stand in a ``LABEL`` instruction without a quote."""
    _check(_LABEL_VALUE, text)


def check_reference(text: str) -> None:
    """Let through a complete image reference."""
    if reference_problem(text):
        raise failure(ErrorType.BAD_INPUT, "an image reference for the Docker engine is malformed")


def _check(form: re.Pattern[str], text: str) -> None:
    if not form.fullmatch(text):
        raise failure(ErrorType.BAD_INPUT, "an id for the Docker engine is malformed")


def _inspect_image(name: str) -> Callable[[docker.APIClient], Any]:
    return lambda api: api.inspect_image(name)  # type: ignore[no-untyped-call] # as stubbed
