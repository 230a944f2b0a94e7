"""Writes the texts of all cards anew."""

from __future__ import annotations

from tests.unit.activities.slack.card_states import STATES
from tests.unit.activities.slack.cards import DIRECTORY, read_out

for old in DIRECTORY.glob("*.txt"):
    old.unlink()
for name, state in STATES.items():
    (DIRECTORY / f"{name}.txt").write_text(read_out(state), encoding="utf-8")
