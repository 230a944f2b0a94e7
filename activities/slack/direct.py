"""How do people hear what matters when the channel of their request takes nothing more?

A channel can be archived or deleted, and the app can be taken out of it, while a container is
being worked on. What became of it, and a call for help, then go to each person directly.
"""

from __future__ import annotations

from collections.abc import Sequence

from slack_sdk.models.blocks import Block
from slack_sdk.web.async_client import AsyncWebClient
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.slack.client import is_final, post, refused_with
from activities.slack.posted import Posted, Progress
from activities.slack.thread import reply_sent_directly
from workflows.model.names import USER_ID_FORM
from workflows.model.ports import ThreadEntry, ThreadKind
from workflows.model.state import RequestState

#: What somebody has to hear, by whatever way.
URGENT = frozenset({ThreadKind.PAGE, ThreadKind.OUTCOME, ThreadKind.STUCK})


class DirectMessages:
    """Writes to people instead of to a channel; advice names the slash ``command``."""

    def __init__(self, client: AsyncWebClient, command: str) -> None:
        self._slack = client
        self._command = command

    async def tell(
        self,
        state: RequestState,
        entry: ThreadEntry,
        refusal: ApplicationError,
        progress: Progress,
    ) -> None:
        """Tell everybody concerned once what the channel refused to take.

        Raises:
            ApplicationError: Slack failed; or nobody can be told, and then it is ``refusal``.
        """
        written = reply_sent_directly(
            state, entry, refused_with=refused_with(refusal), command=self._command
        )
        told = 0
        for user_id in recipients(state, entry):
            item = f"direct:{entry.key}:{user_id}"
            if not progress.has(item):
                try:
                    await self.send_once(user_id, written.text, written.blocks, progress)
                except ApplicationError as error:
                    if not is_final(error):
                        raise
                    activity.logger.warning("one person was not told: %s", error.message)
                    continue
                progress.add(item)
            told += 1
        if not told:
            raise refusal

    async def send_once(
        self, user_id: str, text: str, blocks: Sequence[Block], progress: Progress
    ) -> None:
        """Send a message to one person, unless an earlier try did: its first block tells."""
        progress.beat()
        if blocks[0].block_id in await Posted(self._slack, progress).direct(user_id):
            return
        await self.send(user_id, text, blocks)

    async def send(self, user_id: str, text: str, blocks: Sequence[Block]) -> None:
        """Send a message to one person."""
        await post(self._slack, user_id, text, blocks)


def recipients(state: RequestState, entry: ThreadEntry) -> list[str]:
    """Name those who are told: who asked and who decided; for help also who could have decided.

    The all-clear goes to everybody who was called.
    """
    people = [state.requester, *(d.approver_id for d in state.decisions)]
    if (entry.kind is not ThreadKind.OUTCOME or state.paged) and state.policy is not None:
        people += state.policy.approvers
    return [user_id for user_id in dict.fromkeys(people) if USER_ID_FORM.fullmatch(user_id)]
