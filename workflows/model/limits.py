"""How much of what can come without end is kept, told and written down?

Anybody can press a button a thousand times, and who reaches Temporal can send more. Temporal ends
a workflow at 50,000 events and refuses a payload of 2 MB: then nothing would be put back any more.
The numbers are of a release, not of a worker: two workers with different ones would replay a
history to different commands.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import workflow

from workflows.model import releases


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one request.

    Attributes:
        inbox: messages that wait to be judged; beyond it only people of the request are heard.
        told: people who wait for a private notice.
        notice_bytes: what the notices that go out together take as JSON, unless one takes more.
        history_events: what a history never reaches while its workflow could go on in a new run.
        quiet_seconds: so long nobody is told the same again, nor looked up again after a refusal.
    """

    inbox: int = 1_000
    told: int = 100
    notice_bytes: int = 64_000
    history_events: int = 10_000
    quiet_seconds: int = 10

    @property
    def new_run_after(self) -> int:
        """At so many events a new run is begun when nothing is under way; one flood fits above."""
        return self.history_events // 2


LIMITS = Limits()


def hold() -> bool:
    """Say whether the limits hold for the run that asks.

    What a release before this one has begun goes on as it was, or its history would not replay.
    """
    return releases.knows("bounded-inbox")


def is_worth_a_line(dropped: int) -> bool:
    """Say whether one more drop is to be logged: of a flood each power of ten is."""
    return str(dropped).strip("0") == "1"


def history_is_long() -> bool:
    """Say whether the history of the workflow that asks has grown so long as to be begun anew."""
    info = workflow.info()
    is_long = (
        info.is_continue_as_new_suggested()
        or info.get_current_history_length() >= LIMITS.new_run_after
    )
    # Asked only then: what a release before this one has begun goes on as it was.
    return is_long and releases.knows("new-run")
