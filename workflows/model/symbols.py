"""Which symbols do people meet, and what does each mean?

One meaning each, at every door: whoever has learned them from one card reads the next at a glance.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Symbol(StrEnum):
    """Each symbol that people meet, and there is no other; each has one meaning."""

    WAITS = "⏳"
    TOO_LATE = "⌛"
    WORKING = "🔄"
    YES = "✅"
    NO = "❌"
    NOT_ALLOWED = "🚫"
    ENDED_BY_PERSON = "⏹️"
    MIND = "⚠️"
    PUT_BACK = "↩️"
    NEEDS_PERSON = "🛑"
    REMINDER = "🔔"
    NOTED = "👍"
    SNAPSHOT = "📦"
    UP = "🟢"
    AWAY = "🔴"
    STOPPED = "⚪"
    TOO_FAST = "🐢"
    FAULT = "💥"
    PRIVATE = "🔒"
    OUT_OF_TOUCH = "🔌"
    TO_DO = "○"
    DOING = "◐"
    DONE = "✓"
    FAILED = "✗"
    NOT_RUN = "-"


#: What people read where the symbols are explained.
MEANINGS: Final = MappingProxyType(
    {
        Symbol.WAITS: "waits for a person to decide",
        Symbol.TOO_LATE: "nobody decided in time; nothing was changed",
        Symbol.WORKING: "approved, and being carried out",
        Symbol.YES: "approved by a person, or done and verified",
        Symbol.NO: "rejected by a person; nothing was changed",
        Symbol.NOT_ALLOWED: "not allowed, or not possible; it does not count",
        Symbol.ENDED_BY_PERSON: "ended by a person: withdrawn, cancelled, or told to stop trying",
        Symbol.MIND: "to be minded: what was not done and why, what was lost, what to know first",
        Symbol.PUT_BACK: "put back as it was before",
        Symbol.NEEDS_PERSON: "needs a person now",
        Symbol.REMINDER: "still waits, and the time is running out",
        Symbol.NOTED: "noted; what comes of it follows",
        Symbol.SNAPSHOT: "a snapshot that was kept",
        Symbol.UP: "a container that is up, or a host that is served",
        Symbol.AWAY: "a host that nobody serves now",
        Symbol.STOPPED: "a container that is stopped",
        Symbol.TOO_FAST: "too much in a short time; it does not count",
        Symbol.FAULT: "a fault of Dockwarden itself",
        Symbol.PRIVATE: "there is more, for those who may read it",
        Symbol.OUT_OF_TOUCH: "a request that was ended in Temporal, past Dockwarden",
        Symbol.TO_DO: "a step that is still to come",
        Symbol.DOING: "a step under way, or next in turn",
        Symbol.DONE: "a step that is done",
        Symbol.FAILED: "a step that failed",
        Symbol.NOT_RUN: "a step that was not needed or not run",
    }
)
