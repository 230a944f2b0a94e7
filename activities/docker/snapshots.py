"""How does one request get exactly one image of its container, under a name that was free?

A commit can be done though its answer was lost, and a repeated one makes another image. So the
images of a request are found by its label, the oldest is kept, and the tag, which a late
duplicate could otherwise take along, comes last. The container is looked at before the commit,
between the two, and after the tag: it must have rested all the while.
"""

from __future__ import annotations

import time
from typing import Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.docker.answers import ContainerInspect, ImageInspect
from activities.docker.engine import Engine
from activities.docker.errors import failure
from activities.docker.foreign_labels import to_blank, was_labels
from activities.docker.guard import Guard
from activities.docker.heartbeat import Attempt, Heartbeat
from activities.docker.pin import find_pinned, verify_engine, verify_pin
from activities.docker.underway import Underway
from workflows.model.errors import ErrorType
from workflows.model.image_reference import reference_problem
from workflows.model.names import REQUEST_ID_FORM, REQUEST_LABEL, SOURCE_LABEL
from workflows.model.ports import SnapshotInput, SnapshotsPort, SweepInput, TagInput
from workflows.model.requests import ContainerPin
from workflows.model.state import SnapshotResult

_POLL: Final = 0.5


class Snapshots(SnapshotsPort):
    """The activities on the images of one host."""

    def __init__(self, engine: Engine, guard: Guard, *, underway: Underway | None = None) -> None:
        self._engine = engine
        self._guard = guard
        self._underway = underway or Underway()

    @activity.defn(name="ensure_snapshot", no_thread_cancel_exception=True)
    def ensure_snapshot(self, arg: SnapshotInput) -> SnapshotResult:
        """See to it that exactly one image carries the request's label, and its tag if wanted.

        A failure tells of the image, if there is one: whoever tidies must find it.
        """
        self._guard.admit(arg)
        labels = _labels(arg.request_id, arg.pin)
        _check_reference(arg.reference, needed=False)
        self._underway.prolong(arg.pin.container_id, self._engine.timing.commit_attempt())
        with Attempt(self._engine.timing.heartbeat_interval) as attempt:
            try:
                return self._snapshot(arg, labels, attempt)
            except ApplicationError as error:
                failed = error
            finally:
                self._underway.over(arg.pin.container_id)
            if not attempt.image_id:
                raise failed
            raise ApplicationError(
                failed.message,
                {"image_id": attempt.image_id},
                type=failed.type,
                non_retryable=failed.non_retryable,
            )

    @activity.defn(name="ensure_tag", no_thread_cancel_exception=True)
    def ensure_tag(self, arg: TagInput) -> SnapshotResult:
        """Tag the snapshot, never moving an existing tag, and read it all back.

        A step of its own in requests of an earlier release, and for what a cancel left complete.
        """
        self._guard.admit(arg)
        labels = _labels(arg.request_id, arg.pin)
        _check_reference(arg.reference, needed=True)
        with Attempt(self._engine.timing.heartbeat_interval) as attempt:
            self._check_circumstances(arg)
            image = self._engine.image(arg.image_id)
            if image is None:
                raise _vanished("the snapshot was removed before its tag")
            if not labels.items() <= image.labels.items():
                raise failure(ErrorType.BAD_INPUT, "the image is no snapshot of this request")
            tagged = self._tagged(arg.image_id, arg.reference, attempt)
            name = self._still_resting(arg.pin).name if arg.while_resting else ""
        return SnapshotResult(
            image_id=arg.image_id,
            reference=arg.reference,
            size_bytes=tagged.size_bytes,
            container_name=name,
        )

    @activity.defn(name="sweep_snapshots", no_thread_cancel_exception=True)
    def sweep_snapshots(self, arg: SweepInput) -> int:
        """Remove the request's untagged images but ``image_id``; ``""`` keeps none; count them.

        An image with a tag stays: it may be one that people built on a snapshot, and inherited
        the labels. Only one that failed goes with the request's own tag, if it has no other.
        """
        self._guard.admit(arg)
        labels = _labels(arg.request_id, arg.pin)
        with Heartbeat(self._engine.timing.heartbeat_interval):
            self._check_engine(arg.pin)
            deadline = time.monotonic() + arg.settle_seconds
            while True:
                removed = sum(
                    self._remove(image, with_tag=_is_failed(image, arg))
                    for image in self._engine.labelled_images(labels)
                    if image.image_id != arg.image_id
                )
                if removed or time.monotonic() >= deadline:
                    return removed
                time.sleep(_POLL)

    def _snapshot(
        self, arg: SnapshotInput, labels: dict[str, str], attempt: Attempt
    ) -> SnapshotResult:
        repeated = attempt.may_have_sent
        seen = self._resting(arg.pin)
        image_id = self._made_before(arg, labels, seen, attempt)
        image_id = image_id or self._commit(seen, labels, attempt)
        attempt.made(image_id)
        resting = self._still_resting(arg.pin)
        if arg.reference:
            image: ImageInspect | None = self._tagged(image_id, arg.reference, attempt)
            resting = self._still_resting(arg.pin)
        else:
            image = self._engine.image(image_id)
        if image is None or not labels.items() <= image.labels.items():
            raise _vanished("the image vanished after its commit")
        return SnapshotResult(
            image_id=image_id,
            reference=arg.reference,
            size_bytes=image.size_bytes,
            repeated=repeated,
            container_name=resting.name,
        )

    def _made_before(
        self,
        arg: SnapshotInput,
        labels: dict[str, str],
        seen: ContainerInspect,
        attempt: Attempt,
    ) -> str | None:
        """Find the image of an earlier attempt, and remove its duplicates.

        One whose commit was answered is not waited for: it is there, or somebody removed it.
        """
        patient = attempt.may_be_at_work and not attempt.image_id
        found = self._found(arg, labels, seen, patient=patient)
        attempt.settled()
        for duplicate in found[1:]:
            self._remove(duplicate)
        return found[0].image_id if found else None

    def _commit(self, seen: ContainerInspect, labels: dict[str, str], attempt: Attempt) -> str:
        written = {**was_labels(seen.labels), **labels}
        blank = to_blank(seen.labels)
        return attempt.send(
            lambda: self._engine.commit(seen.container_id, written, blank), "commit"
        )

    def _tagged(self, image_id: str, reference: str, attempt: Attempt) -> ImageInspect:
        """See to it that an image has its tag, which is never taken from another one."""
        holder = self._engine.image(reference)
        if holder is None:
            attempt.send(lambda: self._engine.tag(image_id, reference), "tag")
            holder = self._engine.image(reference)
        if holder is None:
            raise _vanished("the snapshot lost its tag at once")
        if holder.image_id != image_id:
            raise failure(ErrorType.REFERENCE_TAKEN, "another image has this tag")
        return holder

    def _resting(self, pin: ContainerPin) -> ContainerInspect:
        """Look at the container, which must rest: a restart policy may have started it again."""
        seen = verify_pin(self._engine, pin).container
        _check_rests(seen)
        return seen

    def _still_resting(self, pin: ContainerPin) -> ContainerInspect:
        """Look again, on an engine that was verified in this step."""
        seen = find_pinned(self._engine, pin)
        _check_rests(seen)
        return seen

    def _check_circumstances(self, arg: TagInput) -> None:
        if arg.while_resting:
            self._resting(arg.pin)
        else:
            self._check_engine(arg.pin)

    def _check_engine(self, pin: ContainerPin) -> None:
        verify_engine(self._engine, pin, "the snapshot is on another Docker engine")

    def _found(
        self,
        arg: SnapshotInput,
        labels: dict[str, str],
        seen: ContainerInspect,
        *,
        patient: bool,
    ) -> tuple[ImageInspect, ...]:
        """Find the images of earlier attempts, waiting for one that may still be in the making.

        One that is older than the container's last run shows another state than the one the
        container was stopped in, and goes: untagged, or with the request's own tag alone, for
        nobody has been told of it.
        """
        deadline = time.monotonic() + (self._engine.timing.commit_settle if patient else 0)
        while True:
            found = self._engine.labelled_images(labels)
            current = tuple(
                image
                for image in found
                if image.tags not in ((), (arg.reference,)) or image.created >= seen.finished_at
            )
            for outdated in found:
                if outdated not in current:
                    self._remove(outdated, with_tag=True)
            if current or time.monotonic() >= deadline:
                return current
            time.sleep(_POLL)

    def _remove(self, image: ImageInspect, *, with_tag: bool = False) -> bool:
        if image.tags and not with_tag:
            return False
        try:
            self._engine.remove_image(image.image_id)
        except ApplicationError as error:
            # Somebody was quicker, or made a container of it: then it is theirs.
            if error.type in (ErrorType.SNAPSHOT_VANISHED, ErrorType.STATE_CONFLICT):
                return False
            raise
        return True


def _check_reference(reference: str, *, needed: bool) -> None:
    if (needed or reference) and reference_problem(reference):
        raise failure(ErrorType.BAD_INPUT, "the image reference is malformed")


def _vanished(text: str) -> ApplicationError:
    return failure(ErrorType.SNAPSHOT_VANISHED, text)


def _check_rests(seen: ContainerInspect) -> None:
    if not seen.state.is_down:
        raise failure(ErrorType.NOT_STOPPED, f"the container is {seen.state} again")


def _is_failed(image: ImageInspect, arg: SweepInput) -> bool:
    is_it = arg.any_image or image.image_id == arg.failed_image_id
    return is_it and image.tags == (arg.reference,)


def _labels(request_id: str, pin: ContainerPin) -> dict[str, str]:
    if not REQUEST_ID_FORM.fullmatch(request_id):
        raise failure(ErrorType.BAD_INPUT, "the request id is malformed")
    return {REQUEST_LABEL: request_id, SOURCE_LABEL: pin.container_id}
