"""What is an operation, and what is a step of one?

Both are data. The parser, the help, the policy book, the cards, the lists and the executor read
them; nobody else asks which operation it is. An operation that is made of known steps is one file
beside this one, and its line in ``catalog.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.requests import ContainerPin, OperationSpec
from workflows.model.state import RequestState, StepName


class Option(StrEnum):
    """What may stand behind the name of a container, as people write it."""

    HOST = "on"
    SNAPSHOT = "snapshot"
    REFERENCE = "as"
    GRACE = "grace"
    REASON = "reason"
    REPLACE = "replace"


class Undo(StrEnum):
    """How a step is undone; the executor registers it right before the step.

    ``restore`` brings the container back to the state in which it was approved, ``tidy_images``
    leaves no image without a tag.
    """

    RESTORE = "restore"
    TIDY_IMAGES = "tidy_images"

    @property
    def can_wait(self) -> bool:
        """Whether it comes after all others: it may take minutes, and nothing is down for it."""
        return self is Undo.TIDY_IMAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One part of an operation, with its undo.

    ``to_do``, ``doing`` and ``done`` name it when it is still to come, under way and over;
    ``proof`` is added when it is over, and says what was verified. ``plan`` tells people who are
    to decide what it will do; ``{name}``, ``{grace}`` and ``{reference}`` are filled in by the
    door. ``skipped`` is said when there was nothing to do, ``not_begun`` when it failed before
    anything was touched. After one of the errors of ``begins_anew_after`` the work begins anew
    with the first step. ``is_way_back`` says that it leads where its undo leads too, to the
    container as it was approved: then nothing is left to be cancelled, and what its undo made good
    was late, not undone.
    """

    name: StepName
    to_do: str
    doing: str
    done: str
    plan: str
    proof: str = ""
    skipped: str = ""
    not_begun: str = ""
    undo: Undo | None = None
    begins_anew_after: frozenset[ErrorType] = frozenset()
    is_way_back: bool = False


def _nothing_refused(_spec: OperationSpec, _pin: ContainerPin) -> RefusalCode | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What people can ask to be done to a container.

    Attributes:
        kind: the word for it: the sub-command, the word of the policy book, the value on the wire.
        summary: what it does, as a sentence, for the help.
        example: one right command, without the slash command's own name.
        options: what may be added to it; the parser, the help and a form read them.
        steps: what is done to this container, in order.
        outcome: what was done, in a few words that follow an emoji: ``Stopped and snapshotted``.
        refusal: why it makes no sense for a container that was found so, or ``None``.
        asks_as: the kind as which it is asked for, and judged, for a container that was found so:
            to restart what is stopped is to start it.
        may_ask_as: the kinds besides its own that ``asks_as`` may give; the policies for those
            go along with a request.
        with_snapshot: what it is called when a snapshot is asked for with it.
        always_snapshots: whether it is a snapshot, whatever is asked for with it.
        leaves_down: whether the container is down when it was done.
        wakes: whether it is for what is stopped, and starts that; undone by stopping it again.
        must_be_named: whether a policy covers it only by naming it. False for those that a
            policy without ``operations`` has always meant.
        stays_done: what no way leads back from, as a sentence for the card; ``""`` for nothing.
    """

    kind: str
    summary: str
    example: str
    options: tuple[Option, ...]
    steps: Callable[[OperationSpec, ContainerPin], tuple[Step, ...]]
    outcome: Callable[[RequestState], str]
    refusal: Callable[[OperationSpec, ContainerPin], RefusalCode | None] = _nothing_refused
    asks_as: Callable[[OperationSpec, ContainerPin], str] = lambda spec, _pin: spec.kind
    may_ask_as: tuple[str, ...] = ()
    with_snapshot: str = ""
    always_snapshots: bool = False
    leaves_down: bool = False
    wakes: bool = False
    must_be_named: bool = True
    stays_done: str = ""
