"""Which calls do we make to a Docker engine, and what may reach it?

The only file that talks to an engine: each call goes through a ``Connection``, with a time limit
of its own, and so through the one error table.
Containers are addressed by their full id alone (a name or a short id can be shadowed by another
container's name), images by their full id or by a checked reference, and labels that we write
have names of our own lists, with hexadecimal digits or nothing for a value: nothing that a path, a
filter or an instruction could be made of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
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
    container_state,
    engine_facts,
    image_id as full_image_id,
    image_inspect,
)
from activities.docker.connection import Connection
from activities.docker.engine_words import log_refusal
from activities.docker.errors import (
    CONTAINER,
    IMAGE,
    Subject,
    failure,
)
from activities.docker.foreign_labels import FOREIGN_LABELS
from activities.docker.kept import KeptSnapshots
from activities.docker.protection import Protection
from activities.docker.refused_start import missing_for_start, name_it
from workflows.model.errors import ErrorType
from workflows.model.image_reference import reference_problem
from workflows.model.listing import in_natural_order
from workflows.model.names import CONTAINER_ID_FORM, SOURCE_LABEL
from workflows.model.timing import TIMING, Timing

_IMAGE_ID_FORM: Final = re.compile(r"sha256:[0-9a-f]{64}")
_LABEL_VALUE: Final = re.compile(r"[0-9a-f]{2,128}")
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
        """Describe the engine; never remembered, for the address may lead to another now."""
        info = self._read(lambda api: api.info())
        return engine_facts(info, self._connection.api_version)

    def containers(self) -> tuple[ContainerListEntry, ...]:
        """List all containers by name, without inspecting each: one may vanish meanwhile."""
        found = self._read(lambda api: api.containers(all=True))
        return tuple(
            sorted(map(container_list_entry, found), key=lambda one: in_natural_order(one.name))
        )

    def container(self, container_id: str) -> ContainerInspect:
        """Look at one container."""
        check_container_id(container_id)
        return container_inspect(self._read(lambda api: api.inspect_container(container_id)))

    def find(self, container_id: str) -> ContainerInspect | None:
        """Look at one container; ``None`` when it no longer exists."""
        try:
            return self.container(container_id)
        except ApplicationError as error:
            if error.type == ErrorType.CONTAINER_GONE:
                return None
            raise

    def written_bytes(self, container_id: str) -> int:
        """Ask how much a container has written to its own file system, which a commit copies.

        The engine walks through all of it: with very many files that takes longer than a look.
        """
        check_container_id(container_id)
        filters = {"id": container_id}
        found = self._read(lambda api: api.containers(all=True, size=True, filters=filters))
        return sum(int(entry.get("SizeRw") or 0) for entry in found)

    def snapshots(self, container_id: str = "") -> KeptSnapshots:
        """Ask by one question for the snapshots of a container, or of all of them."""
        label = SOURCE_LABEL
        if container_id:
            check_container_id(container_id)
            label = f"{SOURCE_LABEL}={container_id}"
        return KeptSnapshots(self._read(lambda api: api.images(filters={"label": label})))

    def stop(self, container_id: str, grace_seconds: int) -> None:
        """Stop a container; the engine kills it after the grace, and at once without one."""
        # docker-py adds the grace to the client's time limit.
        limit = self.timing.stop_margin
        self._change("stop", container_id, limit, lambda api: api.stop(container_id, grace_seconds))

    def start(self, container_id: str) -> None:
        """Start a container; success proves nothing, the process may die at once."""
        limit = self.timing.start_http
        self._change("start", container_id, limit, lambda api: api.start(container_id))

    def pause(self, container_id: str) -> None:
        """Pause a container."""
        limit = self.timing.start_http
        self._change("pause", container_id, limit, lambda api: api.pause(container_id))

    def unpause(self, container_id: str) -> None:
        """Unpause a container."""
        limit = self.timing.start_http
        self._change("unpause", container_id, limit, lambda api: api.unpause(container_id))

    def commit(
        self, container_id: str, labels: Mapping[str, str], blank: Collection[str] = ()
    ) -> str:
        """Make an image of a container and give its id.

        Without a reference, so that a late duplicate can move no tag. The labels go through the
        instruction syntax, the one way that Podman knows too: hence nothing but digits. The names
        to ``blank`` keep no value in the image; they are names of our own list alone.
        """
        for value in (container_id, *labels.values()):
            check_label_value(value)
        if not FOREIGN_LABELS.issuperset(blank):
            raise failure(ErrorType.BAD_INPUT, "only labels that are known are blanked")
        values = {**dict.fromkeys(blank, ""), **labels}
        changes = "\n".join(f"LABEL {name}={value}" for name, value in values.items())
        limit = self.timing.commit_http
        made = self._change(
            "commit", container_id, limit, lambda api: api.commit(container_id, changes=changes)
        )
        return full_image_id(made["Id"])

    def image(self, name: str) -> ImageInspect | None:
        """Look at an image, by its full id or by a reference; ``None`` when there is none."""
        if not is_image_id(name):
            check_reference(name)
        try:
            raw = self._read(_inspect_image(name), IMAGE)
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
            IMAGE,
        )

    def remove_image(self, image_id: str) -> None:
        """Remove an image, unless a container or another image needs it."""
        check_image_id(image_id)
        self._connection.call(
            self.timing.tag_http,
            lambda api: api.remove_image(image_id),
            IMAGE,
        )

    def close(self) -> None:
        """Close the connections; the next call makes new ones."""
        self._connection.close()

    def _read(self, send: Callable[[docker.APIClient], Any], subject: Subject = CONTAINER) -> Any:  # noqa: ANN401 - the engine's JSON, read by activities.docker.answers
        return self._connection.call(self.timing.inspect_http, send, subject)

    def _change(
        self, verb: str, container_id: str, limit: int, send: Callable[[docker.APIClient], _T]
    ) -> _T:
        """Make a call that changes a container; what the engine says to refuse it is logged."""
        check_container_id(container_id)
        subject = Subject(container_id=container_id, starting=verb == "start")
        answers: list[str] = []
        try:
            return self._connection.call(limit, send, subject, answers.append)
        except ApplicationError as error:
            failed = error
        if answers and failed.type != ErrorType.CONTAINER_GONE:
            failed = self._explained(failed, verb, container_id, answers[0])
        raise failed

    def _explained(
        self, failed: ApplicationError, verb: str, container_id: str, words: str
    ) -> ApplicationError:
        """Log what the engine said, and name what the container lacks as far as that is no secret.

        The container's own settings, which say what is a secret, are asked for this alone.
        """
        raw = self._raw_container(container_id)
        log_refusal(verb, container_id, words, raw)
        missing = missing_for_start(words, container_id) if verb == "start" and raw else None
        found = name_it(missing, words, raw, self._find_owner) if missing and raw else None
        if found is None or not found.text:
            return failed
        return ApplicationError(found.text, type=found.kind, non_retryable=failed.non_retryable)

    def _find_owner(self, owner: str) -> tuple[str, str] | None:
        """Give name and state of another container; ``None``: the engine did not say."""
        if not CONTAINER_ID_FORM.fullmatch(owner):
            return "", ""
        try:
            raw = self._read(lambda api: api.inspect_container(owner))
        except ApplicationError as error:
            return ("", "") if error.type == ErrorType.CONTAINER_GONE else None
        return raw["Name"].removeprefix("/"), container_state(raw["State"].get("Status"))

    def _raw_container(self, container_id: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._read(lambda api: api.inspect_container(container_id))
        except ApplicationError:
            return None
        return found


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
