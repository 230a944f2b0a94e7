"""Who draws the last card of a request when Slack does not take it?

A request must not stay open for it: its container could not be asked for again. So it leaves its
last word to this workflow, which goes on trying for days, and ends when people have it.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import activity_options, failures
from workflows.model import names
from workflows.model.ports import MessagesPort, PublishInput

_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)
#: As long as lists of requests reach back.
_GIVE_UP_AFTER = timedelta(days=7)


@workflow.defn(name=names.LAST_WORD_WORKFLOW)
class LastWordWorkflow:
    """Draws one card; ends with whether it was drawn."""

    @workflow.run
    async def run(self, word: PublishInput) -> bool:
        """Try until Slack takes it, for a week.

        A refusal too is tried again: a channel is brought back, an app is invited again.
        """
        until, pause = workflow.now() + _GIVE_UP_AFTER, _FIRST_PAUSE
        while True:
            try:
                await workflow.execute_activity_method(
                    MessagesPort.publish, word, **activity_options.publish()
                )
            except ActivityError as error:
                if failures.is_cancellation(error):
                    raise
                kind = str(failures.error_type(error))
                workflow.logger.error("the last card is not drawn", extra={"error_type": kind})
            else:
                return True
            if workflow.now() >= until:
                return False
            await workflow.sleep(pause, summary="before the next try to draw the last card")
            pause = min(2 * pause, _LONGEST_PAUSE)
