"""Which steps are there, what are they called, and how is each undone?

How a step is done stands in ``workflows/execution/steps.py``. The words are plain: each door adds
its own mark-up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from workflows.model.errors import ErrorType
from workflows.model.requests import ContainerPin, ContainerState
from workflows.model.state import StepName
from workflows.operations.operation import Step, Undo

STOP: Final = Step(
    name=StepName.STOP,
    to_do="Stop",
    doing="Stopping",
    done="Stopped",
    plan="Stop {name}: {grace}",
    skipped="Already stopped, nothing to stop",
    not_begun="Not stopped",
    undo=Undo.RESTORE,
)
#: The same step for what rests already.
LEAVE_STOPPED: Final = replace(
    STOP, to_do="Leave it stopped", plan="{name} is already stopped: the stop will be skipped"
)
#: A restart policy or an engine restart can start the container between stop and commit, and an
#: image prune can take the snapshot before its tag.
SNAPSHOT: Final = Step(
    name=StepName.SNAPSHOT,
    to_do="Take the snapshot",
    doing="Taking the snapshot",
    done="Snapshot taken",
    plan="Take the snapshot {reference}",
    undo=Undo.TIDY_IMAGES,
    begins_anew_after=frozenset({ErrorType.NOT_STOPPED, ErrorType.SNAPSHOT_VANISHED}),
)
#: The same step in requests of an earlier release, where the tag is a step of its own.
COMMIT: Final = replace(SNAPSHOT, plan="Take a snapshot of its file system")
TAG: Final = Step(
    name=StepName.TAG,
    to_do="Tag the snapshot",
    doing="Tagging the snapshot",
    done="Snapshot tagged",
    plan="Tag the snapshot {reference}",
    undo=Undo.TIDY_IMAGES,
    begins_anew_after=frozenset({ErrorType.NOT_STOPPED, ErrorType.SNAPSHOT_VANISHED}),
)
#: What was stopped before is started again by it.
START_AGAIN: Final = Step(
    name=StepName.START,
    to_do="Start again",
    doing="Starting again",
    done="Started again",
    plan="Start it again, and see that it stays up",
    proof=", and it stays up",
    undo=Undo.RESTORE,
    is_way_back=True,
)
#: The same step for what was paused.
PAUSE_AGAIN: Final = replace(
    START_AGAIN,
    to_do="Start again and pause",
    plan="Start it again, and pause it again as it was",
    proof=", and paused again as it was",
)
#: The same step for what ended and was restarted again and again: nobody can prove it to stay up.
LOOP_AGAIN: Final = replace(
    START_AGAIN,
    plan="Start it again: it ends and restarts, and may go on so",
    proof=", and it may end and restart as before",
)
#: The start of what was found stopped.
START: Final = Step(
    name=StepName.START,
    to_do="Start",
    doing="Starting",
    done="Started",
    plan="Start {name}, and see that it stays up",
    not_begun="Not started",
    proof=", and it stays up",
    undo=Undo.RESTORE,
)
#: No operation has it: it is what undoing a step comes to.
PUT_BACK: Final = Step(
    name=StepName.PUT_BACK,
    to_do="Put it back",
    doing="Putting it back",
    done="Put back",
    plan="Put it back",
    proof=", and verified",
)


def stop(pin: ContainerPin) -> Step:
    """Give the stop of a container that was found so."""
    return LEAVE_STOPPED if pin.state.is_down else STOP


def start_again(pin: ContainerPin) -> Step:
    """Give the start of a container that was found so, after it was stopped."""
    if pin.state is ContainerState.RESTARTING:
        return LOOP_AGAIN
    return PAUSE_AGAIN if pin.state is ContainerState.PAUSED else START_AGAIN
