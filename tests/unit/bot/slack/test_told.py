"""Does who asks, mistypes, or waits for an answer read what is so, and what to do now?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.commands.parser import Group
from bot.commands.tokens import CommandError
from bot.slack import replies
from bot.slack.uptake_words import Act, not_taken_up
from bot.temporal.errors import AlreadyOpenError
from bot.temporal.requests import Uptake
from tests.unit.bot.slack.test_replies import _DECISION, ADDRESS, NOW, SUMMARY, make_state
from workflows.model.markup import in_plain_words
from workflows.model.requests import Choice, Policy
from workflows.model.state import RequestStatus


def test_the_help_says_what_to_type_and_who_decides() -> None:
    """In groups, with one example of each; the two that are taken for each other are told apart."""
    text = replies.help_text("/container").text

    assert [text.index(f"*{group}*") for group in Group] == sorted(
        text.index(f"*{group}*") for group in Group
    )
    assert "• `/container inspect web-1`" in text
    assert "*stop* leaves a container down" in text
    assert text.endswith("Nobody approves what they asked for themselves.")


def test_a_mistake_gives_the_own_line_or_an_example() -> None:
    """An example is called one, so that nobody takes it for their own."""
    error = CommandError("No.", marked="x", example="stop web-1")
    assert "Right would be, for example: `/container stop web-1`" in mistake_of(error)
    error = CommandError("No.", marked="x", example="stop my-1", own="stop my-1")
    assert mistake_of(error).endswith("\nTry: `/container stop my-1`")


def mistake_of(error: CommandError) -> str:
    """Write what is read of a mistake."""
    return replies.mistake("/container", error).text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"approvals": 0}, "⏳ 2 approvals needed, by <!subteam^S0OPS> or <@U0BOB>."),
        ({"approvals": 1}, "⏳ 1 more approval needed, approved by <@U0BOB>."),
        (
            {"status": RequestStatus.RUNNING, "approvals": 1},
            "↩️ Putting it back, approved by <@U0BOB>.",
        ),
    ],
)
def test_who_asks_second_learns_who_asked_what_and_how_it_stands(
    changes: dict[str, Any], told: str
) -> None:
    """Who was first, when, who is waited for or has decided, and where the card is."""
    approved = (replace(_DECISION, choice=Choice.APPROVE),) * changes.pop("approvals")
    policy = Policy(
        name="p",
        labels={},
        approvers=("U0ALICE", "U0BOB"),
        approver_groups=("S0OPS",),
        required_approvals=2,
    )
    state = make_state(decisions=approved, policy=policy, **changes)
    other = replace(SUMMARY, operation="stop and snapshot", permalink="https://s/p1")
    text = replies.failure(
        AlreadyOpenError(other, state), "/container", asked="stop web-1", now=NOW
    ).text

    assert text.startswith(
        "🚫 `stop web-1`: not started, for <@U0ALICE> asked to stop and snapshot `web-1` on "
        f"`local` 4 min ago: {told} <https://s/p1|See its card>."
    )
    assert ("with `replace` at its end" in text) is (state.status is RequestStatus.WAITING)


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("uptake", list(Uptake))
def test_what_is_not_taken_up_says_only_what_is_known(act: Act, uptake: Uptake) -> None:
    """A worker is missing only if none polls; what was not done, or that no card is, is not told.

    What is noted and when stands in each, and how it goes on.
    """
    text = not_taken_up(act, uptake, ADDRESS, asked="", at=NOW, command="/container").text

    assert "`web-1`" in text
    assert f"({NOW:%H:%M:%S} UTC)." in in_plain_words(text)
    assert ("no Dockwarden worker answers" in text) == (uptake is Uptake.NO_WORKER)
    assert ("has not answered yet" in text) == (uptake in (Uptake.NO_ANSWER, Uptake.TAKEN))
    assert "no card" not in text
    assert ("card is not up" in text) == (act is Act.START and uptake is Uptake.NOT_YET)
    assert "Nothing has been done" not in text
    assert ("expired" in text) == (
        uptake is Uptake.NO_WORKER and act in (Act.APPROVAL, Act.REJECTION)
    )
    if uptake is not Uptake.STUCK:
        assert "ou need not repeat it." in text
