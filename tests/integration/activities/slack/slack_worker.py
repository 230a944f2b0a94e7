"""How do tests run the Slack activities as a worker would, with retries but without waiting?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from slack_sdk.web.async_client import AsyncWebClient
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.slack.directory import Directory
from activities.slack.messages import Messages
from tests.rigs.local_slack import CHANNEL_ID, LocalSlack, Message, is_card
from tests.unit.activities.slack.card_states import STATES
from workflows.model.errors import ErrorType
from workflows.model.ports import PublishInput, ThreadEntry
from workflows.model.state import CardRef, RequestState

_MOST_ATTEMPTS = 8

I = TypeVar("I")  # noqa: E741 - what goes in
O = TypeVar("O")  # noqa: E741 - what comes out


@dataclass(frozen=True, slots=True)
class Delivered:
    """What an activity came to: its result, and the failures before."""

    result: Any
    failures: list[ApplicationError]

    @property
    def types(self) -> list[ErrorType]:
        """The types of the failures, in their order."""
        return [ErrorType(failure.type or "") for failure in self.failures]


class SlackWorker:
    """The activities of one control worker."""

    def __init__(self, web_client: AsyncWebClient, local_slack: LocalSlack) -> None:
        self.messages = Messages(
            web_client,
            temporal_ui="http://127.0.0.1:8233",
            namespace="default",
            command="/dockwarden",
        )
        self.directory = Directory(web_client)
        self.web_client = web_client
        self._slack = local_slack

    async def run(
        self, activity: Callable[[I], Awaitable[O]], arg: I, *, attempt: int = 1, seen: Any = ()
    ) -> O:
        """Run one attempt of an activity; ``seen`` is what the last one's heartbeat told."""
        return (await self._attempt(activity, arg, attempt, seen))[0]

    async def deliver(
        self,
        activity: Callable[[I], Awaitable[O]],
        arg: I,
        *,
        keep_heartbeats: bool = True,
    ) -> Delivered:
        """Run an activity until it succeeds, as Temporal does, without the pauses.

        Without its heartbeats it is as if each attempt ran on a worker that then died.
        """
        failures: list[ApplicationError] = []
        beats: list[tuple[Any, ...]] = [()]
        for attempt in range(1, _MOST_ATTEMPTS + 1):
            try:
                result, _ = await self._attempt(activity, arg, attempt, beats[-1], beats)
            except ApplicationError as error:
                failures.append(error)
                if error.non_retryable:
                    raise
                if not keep_heartbeats:
                    beats.append(())
            else:
                return Delivered(result, failures)
        raise failures[-1]

    async def publish(self, state: RequestState, *thread: ThreadEntry) -> CardRef:
        """Draw a card that nothing disturbs."""
        return await self.run(self.messages.publish, PublishInput(state=state, thread=thread))

    async def cards(self) -> list[Message]:
        """Read the cards in the channel."""
        return [message for message in await self._slack.messages() if is_card()(message)]

    async def replies(self, card: CardRef) -> list[Message]:
        """Read the replies to a card."""
        return [m for m in await self._slack.messages() if m.get("thread_ts") == card.ts]

    async def told_directly(self, user: str) -> list[Message]:
        """Read what a person was told directly."""
        opened = await self.web_client.conversations_open(users=user)
        return await self._slack.messages(opened["channel"]["id"])

    @staticmethod
    async def _attempt(
        activity: Callable[[I], Awaitable[O]],
        arg: I,
        attempt: int,
        seen: Any,
        beats: list[tuple[Any, ...]] | None = None,
    ) -> tuple[O, list[tuple[Any, ...]]]:
        environment = ActivityEnvironment()
        told = beats if beats is not None else []
        environment.on_heartbeat = lambda *details: told.append(details)
        environment.info = replace(environment.info, attempt=attempt, heartbeat_details=list(seen))
        return await environment.run(activity, arg), told


def fresh(name: str) -> RequestState:
    """Give a state of the card's tests as a request of today, without a card."""
    moved = datetime.now(UTC)
    state = STATES[name]
    return replace(
        state,
        channel_id=CHANNEL_ID,
        requested_at=moved,
        expires_at=moved + timedelta(minutes=15),
    )
