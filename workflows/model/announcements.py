"""What does a workflow tell people: by the card, in its thread, in private?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workflows.model.state import Refusal, RequestState, StepState


class ThreadKind(StrEnum):
    """What a reply in the card's thread tells."""

    APPROVED = "approved"
    REJECTED = "rejected"
    REMINDER = "reminder"
    RESTARTED = "restarted"
    STEP = "step"
    CANCELLING = "cancelling"
    PAGE = "page"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadEntry:
    """One reply in the thread. ``key`` is unique within the request: a repeated post is known."""

    key: str
    kind: ThreadKind
    user_id: str = ""
    comment: str = ""
    step: StepState | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishInput:
    """Draw the card of ``state`` (post it when ``state.card`` is empty), then add the replies."""

    state: RequestState
    thread: tuple[ThreadEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A private message to one person about what became of a request or a decision.

    ``detail`` is a short safe text; ``state`` lets the words say how the request stands.
    """

    notice_id: str
    user_id: str
    channel_id: str
    refusal: Refusal
    state: RequestState


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyInput:
    """Private messages to send, in order."""

    notices: tuple[Notice, ...]
