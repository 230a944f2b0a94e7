"""A Slack workspace that only remembers, for the workflows' tests."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.slack import verifying
from workflows.model.ports import (
    DirectoryPort,
    GroupMembers,
    GroupMembersInput,
    LookUpInput,
    MessagesPort,
    Notice,
    NotifyInput,
    PublishInput,
    ThreadEntry,
)
from workflows.model.requests import Person
from workflows.model.seal import NO_KEYS, SealKeys
from workflows.model.state import CardRef, RequestState


class FakeSlack(MessagesPort, DirectoryPort):
    """People, and what is told about ``requests``; ``publish_faults`` are raised in turn.

    Seals are verified with ``keys`` as the real look-up does, by the same code.

    All control workers of a server share a queue, so what earlier tests left open comes here too:
    it is answered, and nothing is remembered of it.
    """

    def __init__(self, keys: SealKeys = NO_KEYS) -> None:
        self._keys = keys
        self.requests: set[str] = set()
        self.people: dict[str, Person] = {}
        self.groups: dict[str, set[str]] = {}
        self.groups_known = True
        self.drawn: list[RequestState] = []
        self.thread: list[ThreadEntry] = []
        self.notices: list[Notice] = []
        self.look_ups: list[str] = []
        self.look_up_seconds = 0.0
        self.publishing = asyncio.Event()
        self.may_publish = asyncio.Event()
        self.may_publish.set()
        self.publish_faults: list[ApplicationError] = []
        self.look_up_faults: list[ApplicationError] = []

    def person(self, user_id: str, **facts: bool | str) -> None:
        """Let the workspace know a person."""
        self.people[user_id] = replace(Person(user_id=user_id, team_id="T1"), **facts)  # type: ignore[arg-type]  # facts are fields

    @activity.defn(name="publish")
    async def publish(self, arg: PublishInput) -> CardRef:
        """Remember a card."""
        card = arg.state.card or CardRef(channel_id=arg.state.channel_id, ts="1.0")
        if arg.state.request_id not in self.requests:
            return card
        self.publishing.set()
        await self.may_publish.wait()
        if self.publish_faults:
            raise self.publish_faults.pop(0)
        self.drawn.append(arg.state)
        self.thread.extend(arg.thread)
        return card

    @activity.defn(name="notify")
    async def notify(self, arg: NotifyInput) -> None:
        """Remember notices."""
        ours = (n for n in arg.notices if n.state.request_id in self.requests)
        self.notices.extend(ours)

    @activity.defn(name="look_up_person")
    async def look_up_person(self, arg: LookUpInput) -> Person:
        """Say who a person is, and how long it took to say."""
        person = await self._looked_up(arg)
        took = datetime.now(UTC) - activity.info().scheduled_time
        return replace(person, seconds=took.total_seconds())

    async def _looked_up(self, arg: LookUpInput) -> Person:
        refused = verifying.refusal(self._keys, arg)
        if refused is not None or arg.instruction is not None:
            return Person(user_id=arg.user_id, team_id="", refused=refused)
        self.look_ups.append(arg.user_id)
        await asyncio.sleep(self.look_up_seconds)
        if self.look_up_faults:
            raise self.look_up_faults.pop(0)
        unknown = Person(user_id=arg.user_id, team_id="", found=False)
        groups = tuple(g for g in arg.groups if arg.user_id in self.groups.get(g, ()))
        known = self.people.get(arg.user_id, unknown)
        person = replace(known, groups=groups, groups_known=self.groups_known)
        return person if arg.ballot is None else verifying.voter(self._keys, arg.ballot, person)

    @activity.defn(name="list_group_members")
    async def list_group_members(self, arg: GroupMembersInput) -> GroupMembers:
        """Say who could decide."""
        members = set().union(*(self.groups.get(g, set()) for g in arg.groups))
        return GroupMembers(user_ids=tuple(sorted(members)), known=self.groups_known)

    @property
    def activities(self) -> list[object]:
        """All activities, to register with a worker."""
        return [self.publish, self.notify, self.look_up_person, self.list_group_members]
