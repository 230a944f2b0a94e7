"""Which steps are there, what are they called, and how is each undone?

How a step is done stands in ``workflows/execution/steps.py``. The words are plain: each door adds
its own mark-up.
"""

from __future__ import annotations

from typing import Final

from workflows.model.errors import ErrorType
from workflows.model.state import StepName
from workflows.operations.operation import Step, Undo

STOP: Final = Step(
    name=StepName.STOP,
    to_do="Stop",
    doing="Stopping",
    done="Stopped",
    undo=Undo.RESTORE,
)
#: A restart policy or an engine restart can start the container between stop and commit.
SNAPSHOT: Final = Step(
    name=StepName.SNAPSHOT,
    to_do="Take the snapshot",
    doing="Taking the snapshot",
    done="Snapshot taken",
    undo=Undo.TIDY_IMAGES,
    begins_anew_after=frozenset({ErrorType.NOT_STOPPED, ErrorType.SNAPSHOT_VANISHED}),
)
#: An image prune can take the snapshot before its tag.
TAG: Final = Step(
    name=StepName.TAG,
    to_do="Tag the snapshot",
    doing="Tagging the snapshot",
    done="Snapshot tagged",
    undo=Undo.TIDY_IMAGES,
    begins_anew_after=frozenset({ErrorType.NOT_STOPPED, ErrorType.SNAPSHOT_VANISHED}),
)
#: What was stopped before is started again by it.
START_AGAIN: Final = Step(
    name=StepName.START,
    to_do="Start again",
    doing="Starting again",
    done="Started again",
    proof=", and it stays up",
    undo=Undo.RESTORE,
    is_way_back=True,
)
#: The start of what was found stopped.
START: Final = Step(
    name=StepName.START,
    to_do="Start",
    doing="Starting",
    done="Started",
    proof=", and it stays up",
    undo=Undo.RESTORE,
)
#: No operation has it: it is what undoing a step comes to.
PUT_BACK: Final = Step(
    name=StepName.PUT_BACK,
    to_do="Put it back",
    doing="Putting it back",
    done="Put back",
    proof=", and verified",
)
