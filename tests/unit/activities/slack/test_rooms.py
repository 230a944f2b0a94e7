"""How many files does a state walk through on its way to a card?"""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

from activities.slack import card as card_file
from tests.rigs.every_case import every_case
from tests.unit.activities.slack.card_parts import LINKS, NOW
from tests.unit.activities.slack.card_states import STATES
from workflows.model.state import RequestState, RequestStatus

_ROOM = Path(card_file.__file__).parent
_MOST = 6


def entered(state: RequestState) -> set[str]:
    """Draw a card, and see which files of the room run."""
    files = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.parent == _ROOM:
            files.add(path.name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        card_file.card(state, LINKS, NOW)
    finally:
        sys.setprofile(before)
    return files


@every_case("name", STATES)
def test_a_card_is_drawn_in_few_files(name: str) -> None:
    """Whoever follows a word of a card to where it is written opens six files at most.

    What can be pressed, and what needs a person, have a file each besides.
    """
    is_worst = STATES[name].status is RequestStatus.NEEDS_PERSON
    files = entered(STATES[name]) - {"buttons.py", *({"needs_person.py"} if is_worst else set())}

    assert "card.py" in files
    assert len(files) <= _MOST, sorted(files)
