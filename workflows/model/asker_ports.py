"""Which activities judge the one who asks, besides who that is, with what in and what out?"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import activity

from workflows.model.requests import ContainerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequestsInput:
    """Asks how many other requests of the same person wait for a decision.

    ``first_run_id`` is of the first run of the request: whether another one came with the same id
    is asked too; ``""`` asks nothing of the kind. ``container`` is what it is about: how often that
    was asked for is told too.
    """

    requester: str
    request_id: str
    first_run_id: str = ""
    container: ContainerRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequests:
    """How many others wait that were there before, and how many may; a ``limit`` of 0 is none.

    ``used`` says that this very request was begun before. ``earlier`` are the requests of the last
    seven days that were carried out on a container of the same name; ``None``: that is not known.
    """

    waiting: int = 0
    limit: int = 0
    used: bool = False
    earlier: int | None = None

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
