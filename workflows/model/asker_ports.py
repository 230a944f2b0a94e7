"""Which activities judge the one who asks, besides who that is, with what in and what out?"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import activity


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequestsInput:
    """Asks how many other requests of the same person wait for a decision."""

    requester: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequests:
    """How many others wait that were there before, and how many may; a ``limit`` of 0 is none."""

    waiting: int = 0
    limit: int = 0

    @property
    def too_many(self) -> bool:
        """Whether one more would be one too many."""
        return 0 < self.limit <= self.waiting


class AskersPort:
    """What Temporal's list says about people who ask."""

    @activity.defn(name="count_open_requests")
    async def count_open_requests(self, arg: OpenRequestsInput) -> OpenRequests:
        """Count the requests of a person that wait, and that were there before this one."""
        raise NotImplementedError
