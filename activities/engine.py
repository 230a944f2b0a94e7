"""Which calls do we make to a Docker engine, and what may reach it?

The only file that talks to an engine. Containers are addressed by their full id alone (a name
or a short id can be shadowed by another container's name), images by their full id or by a
checked reference, and labels hold hexadecimal digits only. Every call takes its own time limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Never

import docker
from temporalio.exceptions import ApplicationError

from activities.connection import Connection
from activities.observed import (
    ListedContainer,
    ObservedContainer,
    ObservedImage,
    image_id as full_image_id,
    listed_container,
    observed_container,
    observed_image,
)
from activities.protection import Protection
from workflows.errors import ErrorType
from workflows.models import ContainerPin
from workflows.names import CONTAINER_ID_FORM
from workflows.references import reference_problem
from workflows.timing import TIMING, Timing

_IMAGE_ID_FORM: Final = re.compile(r"sha256:[0-9a-f]{64}")
_LABEL_VALUE: Final = re.compile(r"[0-9a-f]{12,64}")
#: These kill a container at once when the connection of a stop breaks (moby/moby#45731).
_IMPATIENT_ENGINES: Final = re.compile(r"(?:23\.0\.[0-6]|24\.0\.[0-2])\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """What an operator wants to know about an engine; ``warning`` is ``""`` when all is well."""

    engine_id: str
    version: str
    api_version: str
    storage_driver: str
    warning: str = ""


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
        self.host = host
        self.protection = protection
        self.timing = timing
        self._connection = Connection(base_url, version_limit=timing.inspect_http)

    def facts(self) -> EngineFacts:
        """Describe the engine."""
        info = self._read(lambda api: api.info())
        version = str(info.get("ServerVersion", "unknown"))
        impatient = _IMPATIENT_ENGINES.match(version)
        return EngineFacts(
            engine_id=_engine_id(info),
            version=version,
            api_version=self._connection.api_version,
            storage_driver=str(info.get("Driver", "unknown")),
            warning=(
                f"Docker {version} kills a container at once when the worker dies during a stop; "
                "upgrade to 23.0.7, 24.0.3 or later"
                if impatient
                else ""
            ),
        )

    def engine_id(self) -> str:
        """Ask which engine this is; never remembered, for the address may lead to another now."""
        return _engine_id(self._read(lambda api: api.info()))

    def containers(self) -> tuple[ListedContainer, ...]:
        """List all containers by name, without inspecting each: one may vanish meanwhile."""
        found = self._read(lambda api: api.containers(all=True))
        return tuple(sorted(map(listed_container, found), key=lambda entry: entry.name))

    def container(self, container_id: str) -> ObservedContainer:
        """Look at one container."""
        _check(CONTAINER_ID_FORM, container_id)
        return observed_container(self._read(lambda api: api.inspect_container(container_id)))

    def approved(self, pin: ContainerPin, *, guarded: bool = True) -> ObservedContainer:
        """Look at the container that was approved.

        Args:
            pin: what was approved.
            guarded: false for putting it back, which is due whatever became of it.

        Raises:
            ApplicationError: this is another engine, the container is gone or is not the one
                approved, or it is out of bounds now.
        """
        if self.engine_id() != pin.engine_id:
            text = "this is another Docker engine than the one the container was approved on"
            _fail(ErrorType.WRONG_ENGINE, text)
        seen = self.container(pin.container_id)
        if seen.image_id != pin.image_id:
            _fail(ErrorType.CONTAINER_CHANGED, "the container runs another image than approved")
        if guarded and self.protection.refusal(
            container_id=seen.container_id, name=seen.name, labels=seen.labels
        ):
            _fail(ErrorType.CONTAINER_CHANGED, "the container is protected now")
        if guarded and seen.auto_remove:
            _fail(ErrorType.CONTAINER_CHANGED, "the container is removed when it stops")
        return seen

    def stop(self, container_id: str, grace_seconds: int) -> None:
        """Stop a container; the engine kills it after the grace."""
        _check(CONTAINER_ID_FORM, container_id)
        # docker-py adds the grace to the client's time limit.
        limit = self.timing.stop_margin
        self._connection.call(limit, lambda api: api.stop(container_id, timeout=grace_seconds))

    def start(self, container_id: str) -> None:
        """Start a container; success proves nothing, the process may die at once."""
        _check(CONTAINER_ID_FORM, container_id)
        self._connection.call(self.timing.start_http, lambda api: api.start(container_id))

    def pause(self, container_id: str) -> None:
        """Pause a container."""
        _check(CONTAINER_ID_FORM, container_id)
        self._connection.call(self.timing.start_http, lambda api: api.pause(container_id))

    def unpause(self, container_id: str) -> None:
        """Unpause a container."""
        _check(CONTAINER_ID_FORM, container_id)
        self._connection.call(self.timing.start_http, lambda api: api.unpause(container_id))

    def commit(self, container_id: str, labels: Mapping[str, str]) -> str:
        """Make an image of a container and give its id.

        Without a reference, so that a late duplicate can move no tag. The labels go through the
        instruction syntax, the one way that Podman knows too: hence nothing but digits.
        """
        for value in (container_id, *labels.values()):
            _check(_LABEL_VALUE, value)
        changes = "\n".join(f"LABEL {name}={value}" for name, value in labels.items())
        limit = self.timing.commit_http
        made = self._connection.call(limit, lambda api: api.commit(container_id, changes=changes))
        return full_image_id(made["Id"])

    def image(self, name: str) -> ObservedImage | None:
        """Look at an image, by its full id or by a reference; ``None`` when there is none."""
        if not _IMAGE_ID_FORM.fullmatch(name):
            _check_reference(name)
        try:
            raw = self._read(_inspect_image(name), ErrorType.SNAPSHOT_VANISHED)
        except ApplicationError as error:
            if error.type == ErrorType.SNAPSHOT_VANISHED:
                return None
            raise
        return observed_image(raw)

    def labelled_images(self, labels: Mapping[str, str]) -> tuple[ObservedImage, ...]:
        """Find the images that carry all these labels, oldest first."""
        for value in labels.values():
            _check(_LABEL_VALUE, value)
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
        _check(_IMAGE_ID_FORM, image_id)
        _check_reference(reference)
        repository, _, tag = reference.rpartition(":")
        self._connection.call(
            self.timing.tag_http,
            lambda api: api.tag(image_id, repository, tag),
            ErrorType.SNAPSHOT_VANISHED,
        )

    def remove_image(self, image_id: str) -> None:
        """Remove an image, unless a container or another image needs it."""
        _check(_IMAGE_ID_FORM, image_id)
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
    ) -> Any:  # noqa: ANN401 - the engine's JSON, read by activities.observed
        return self._connection.call(self.timing.inspect_http, send, missing)


def _inspect_image(name: str) -> Callable[[docker.APIClient], Any]:
    return lambda api: api.inspect_image(name)  # type: ignore[no-untyped-call] # as stubbed


def _engine_id(info: Mapping[str, Any]) -> str:
    """Name an engine; Podman makes up another id for each answer, so its host's name must do."""
    if "BuildahVersion" in info:
        return f"podman:{info.get('Name', '')}"
    return str(info["ID"])


def _check(form: re.Pattern[str], value: str) -> None:
    if not form.fullmatch(value):
        _fail(ErrorType.BAD_INPUT, "an id for the Docker engine is malformed")


def _check_reference(reference: str) -> None:
    if reference_problem(reference):
        _fail(ErrorType.BAD_INPUT, "an image reference for the Docker engine is malformed")


def _fail(kind: ErrorType, text: str) -> Never:
    raise ApplicationError(text, type=kind, non_retryable=True)
