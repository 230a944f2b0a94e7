"""Does everybody who is refused learn why, and what to do?"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from activities.slack.asking_again import asked, lines
from activities.slack.mrkdwn import mrkdwn
from activities.slack.refusals import DECISIONS, REQUESTS, WORDS, notice as notice_naming
from tests.rigs.every_case import every_case
from tests.unit.activities.slack.card_parts import ALICE, BOB, WAITING
from tests.unit.activities.slack.card_states import STATES
from workflows.model.errors import RefusalCode
from workflows.model.markup import in_plain_words
from workflows.model.names import PROTECTED_LABEL
from workflows.model.requests import ContainerRef, OperationSpec
from workflows.model.state import CardRef, Refusal, RequestState, RequestStatus

START, RESTART = OperationSpec(kind="start"), OperationSpec(kind="restart")


def notice(refusal: Refusal, state: RequestState) -> str:
    """Write a notice as Slack shows it, with its times in words."""
    return in_plain_words(notice_naming(refusal, state, command="/dockwarden"))


def brief(state: RequestState) -> RequestState:
    """Leave out what a notice's state comes without."""
    return replace(state, pin=None, reason="", steps=())


def test_every_refusal_has_words() -> None:
    """No refusal is left without a reason that people can read."""
    assert set(WORDS) == set(RefusalCode)
    assert not set(REQUESTS) & set(DECISIONS)


@pytest.mark.parametrize("code", RefusalCode)
@every_case("name", STATES)
def test_every_refusal_reads_well_in_every_state(code: RefusalCode, name: str) -> None:
    """A notice fills in all its gaps, names what it is about, and fits into one section."""
    state = brief(STATES[name])
    text = notice(Refusal(code=code), state)
    assert "{" not in text
    assert "None" not in text
    assert f"`{asked(state)}`: " in text or state.request_id in text
    mrkdwn(text).validate_json()
    assert len(text) < 3000


@pytest.mark.parametrize("code", RefusalCode)
def test_no_refusal_names_a_command_that_is_not_there(code: RefusalCode) -> None:
    """The slash command is a setting: advice names the one that is set."""
    text = notice(Refusal(code=code), brief(WAITING))
    assert "/container" not in text
    names_one = any(f"{{{name}}}" in WORDS[code].advice for name in ("command", *lines(WAITING)))
    assert names_one == ("`/dockwarden " in text)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("rejected", f"<@{BOB}> rejected it at 13:52 UTC"),
        ("running", f"<@{BOB}> approved it at 13:52 UTC"),
        ("succeeded", f"<@{BOB}> approved it at 13:52 UTC"),
        ("put-back", "Failed and put back"),
        ("expired", "Its time was over at 14:05 UTC"),
        ("cancelled", f"<@{ALICE}> cancelled it"),
        ("stale", "nothing was changed"),
        ("needs-person", "🛑 DOWN, needs a person"),
    ],
)
def test_who_comes_too_late_learns_what_became_of_the_request(name: str, told: str) -> None:
    """A late click is told how the request stands, who decided, and when."""
    assert told in notice(Refusal(code=RefusalCode.NOT_OPEN), brief(STATES[name]))


def test_who_may_not_cancel_is_not_sent_to_reject_what_is_under_way() -> None:
    """A request that waits can be rejected instead; one that is being worked on cannot."""
    refusal = Refusal(code=RefusalCode.NOT_REQUESTER)
    assert "can reject it" in notice(refusal, brief(WAITING))
    assert "reject it any more" in notice(refusal, brief(STATES["running"]))


def test_a_refused_decision_on_an_open_request_says_nothing_about_an_end() -> None:
    """A request that waits is not talked about as if it were over."""
    text = notice(Refusal(code=RefusalCode.OWN_REQUEST), brief(WAITING))
    assert "It stands" not in text
    assert "another person" in text


@pytest.mark.parametrize("code", RefusalCode)
def test_a_refusal_of_the_request_itself_is_not_taken_for_one_of_a_decision(
    code: RefusalCode,
) -> None:
    """Whoever asked reads first what was asked for, not that a click did not count."""
    refusal = Refusal(code=code, detail="production")
    state = replace(brief(WAITING), status=RequestStatus.REJECTED, refusal=refusal)
    text = notice(refusal, state)
    assert text.startswith("🚫 `stop web-1 snapshot`: ")
    assert "It stands" not in text
    assert f"Request `{state.request_id}`" not in text, "it never was one to who reads this"


def test_the_detail_is_told_and_escaped() -> None:
    """What the refusal adds is shown, and cannot mention or link."""
    refusal = Refusal(code=RefusalCode.UNKNOWN_CONTAINER, detail="did you mean <!here> or web-2?")
    text = notice(refusal, brief(WAITING))
    assert "Did you mean `web-2`?" in text, "what is no name is left out"
    refusal = Refusal(code=RefusalCode.DISK_FULL, detail="only <!here> is free")
    assert "(only &lt;!here&gt; is free)" in notice(refusal, brief(WAITING))


#: What the other rooms give as details.
_DETAILS = {
    RefusalCode.UNKNOWN_CONTAINER: "no container has this name; did you mean cache-1?",
    RefusalCode.AMBIGUOUS_CONTAINER: "it could be web-1a or web-1b; write the whole name",
    RefusalCode.UNKNOWN_HOST: "did you mean edge-2?",
    RefusalCode.PROTECTED: f"by its label {PROTECTED_LABEL}",
    RefusalCode.OWN_CONTAINER: "Dockwarden itself runs in this container",
    RefusalCode.AUTO_REMOVE: "it was started with --rm: stopping it would remove it",
    RefusalCode.UNUSABLE_STATE: "the container is removing",
    RefusalCode.ALREADY_STOPPED: "the container is exited",
    RefusalCode.ALREADY_RUNNING: "the container is running",
    RefusalCode.OWNER_MISSING: "it uses the network of gw, which is exited",
    RefusalCode.OWNER_GONE: "it uses the network of container 4f5e6d7c8b9a, which was removed",
    RefusalCode.IMAGE_MISSING: "its image was removed from the host",
    RefusalCode.HOST_BUSY: "edge",
    RefusalCode.REFERENCE_OUTSIDE: "nginx:1.25",
    RefusalCode.TOO_MANY_OPEN: "10",
}


@pytest.mark.parametrize("code", REQUESTS)
def test_no_refusal_says_anything_twice(code: RefusalCode) -> None:
    """No four words in a row stand in it a second time, and its first line is one sentence."""
    text = _refused(code, _DETAILS.get(code, ""))
    told, *advice = text.splitlines()
    words = re.findall(r"[\w.-]+", re.sub(r"`/dockwarden [^`]*`|policy book.*", "", text))
    runs = [" ".join(words[at : at + 4]) for at in range(len(words) - 3)]

    assert len(runs) == len(set(runs)), text
    assert re.sub(r" Did you mean .*", "", told).count(". ") == 0, told
    assert told.endswith((".", "?"))
    assert len(advice) <= 2


def test_a_name_with_underscores_is_shown_as_it_is() -> None:
    """A container's name can be copied from the notice."""
    state = replace(brief(WAITING), container=ContainerRef(host="edge", name="my_web_1"))
    text = notice(Refusal(code=RefusalCode.UNKNOWN_CONTAINER), state)
    assert "`my_web_1` on `edge`" in text


@pytest.mark.parametrize(
    ("permalink", "expected"),
    [("https://w.slack.com/archives/C1/p1", "|its card>"), ("", ""), ("javascript:x", "")],
)
def test_the_notice_leads_to_the_card(permalink: str, expected: str) -> None:
    """Somebody who pressed an old button finds the card itself."""
    state = replace(brief(WAITING), card=CardRef(channel_id="C1", ts="1.1", permalink=permalink))
    text = notice(Refusal(code=RefusalCode.WRONG_CARD), state)
    assert text.endswith(expected)
    assert "javascript" not in text


@pytest.mark.parametrize(
    ("code", "detail", "expected"),
    [
        (
            RefusalCode.OWNER_MISSING,
            "it uses the network of gw, which is exited",
            "`web-1` could not be started again: it uses the network of gw, which is exited.",
        ),
        (
            RefusalCode.IMAGE_MISSING,
            "its image was removed from the host",
            "`edge` can make no snapshot of `web-1`: its image was removed from the host.",
        ),
        (RefusalCode.OWNER_MISSING, "", "space of a container that does not run."),
        (
            RefusalCode.OWNER_GONE,
            "it uses the network of container 4f5e6d7c8b9a, which was removed",
            "again: it uses the network of container 4f5e6d7c8b9a, which was removed.",
        ),
        (
            RefusalCode.UNKNOWN_CONTAINER,
            "no container has this name",
            "there is no container `web-1` on `edge`.",
        ),
        (
            RefusalCode.UNKNOWN_CONTAINER,
            "no container has this name; did you mean web-2?",
            "there is no container `web-1` on `edge`. Did you mean `web-2`?",
        ),
        (
            RefusalCode.ALREADY_STOPPED,
            "the container is exited",
            "`stop web-1 snapshot`: `web-1` on `edge` is stopped already.",
        ),
        (
            RefusalCode.ALREADY_STOPPED,
            "the container is created",
            "`web-1` on `edge` was never started, so there is nothing to stop.",
        ),
        (
            RefusalCode.AUTO_REMOVE,
            "it was started with --rm: stopping it would remove it",
            "`web-1` was started with `--rm`, so stopping it would delete it for good.",
        ),
        (
            RefusalCode.PROTECTED,
            "by its label dockwarden.protected",
            "`web-1` is protected, by its label dockwarden.protected.",
        ),
        (
            RefusalCode.PROTECTED,
            "nobody may touch this container through Dockwarden",
            "`web-1` is protected, by its label or by the settings of its host.",
        ),
        (
            RefusalCode.ORCHESTRATED,
            "Docker Swarm runs it for its service web: `docker service scale web=0` stops it",
            (
                "`web-1` is not to be stopped here. Docker Swarm runs it for its service web: "
                "`docker service scale web=0` stops it."
            ),
        ),
    ],
)
def test_what_the_detail_says_more_exactly_is_said_once(
    code: RefusalCode, detail: str, expected: str
) -> None:
    """The general words and the exact ones do not stand beside each other."""
    first = notice(Refusal(code=code, detail=detail), brief(WAITING)).splitlines()[0]
    assert first.endswith(expected)


def test_a_cancel_of_what_is_being_put_back_is_told_what_ends_the_tries() -> None:
    """The command can be typed as it stands."""
    refusal = Refusal(code=RefusalCode.PUTTING_BACK)
    text = notice(refusal, brief(STATES["needs-person"]))
    assert "`/dockwarden stop-trying 0a1b2c3d4e5f`" in text


@pytest.mark.parametrize("name", ["pending", "running", "needs-person"])
def test_who_may_not_instruct_is_told_so_whatever_was_wanted(name: str) -> None:
    """The refusal knows of no intent: a wish to try now is not called a cancel."""
    first = notice(Refusal(code=RefusalCode.NOT_REQUESTER), brief(STATES[name])).splitlines()[0]
    assert f"only <@{ALICE}>" in first
    assert "cancel" not in first


def test_a_second_cancel_is_told_of_the_first() -> None:
    """It says who cancelled and what comes of it, and nothing besides."""
    text = notice(Refusal(code=RefusalCode.PUTTING_BACK), brief(STATES["cancelling"]))
    first, *rest = text.splitlines()
    assert first.startswith(f"🚫 <@{ALICE}> cancelled this already; `web-1` is put back as soon as")
    assert rest == ["Request `0a1b2c3d4e5f`"]


def test_a_cancel_while_it_is_put_back_names_no_button_that_is_not_there() -> None:
    """To stop trying can be asked only once people were called."""
    text = notice(Refusal(code=RefusalCode.PUTTING_BACK), brief(STATES["putting-back"]))
    assert "being put back already" in text
    assert "Stop trying" not in text


@pytest.mark.parametrize(
    ("name", "can_cancel"), [("running", True), ("cancelling", False), ("putting-back", False)]
)
def test_a_rejection_of_what_is_under_way_is_told_who_can_end_it(
    name: str, can_cancel: bool
) -> None:
    """As long as a cancel counts, it is named; after that it is not."""
    text = notice(Refusal(code=RefusalCode.NOT_OPEN), brief(STATES[name]))
    assert "it is approved and under way" in text
    assert (f"only <@{ALICE}> can cancel it" in text) is can_cancel
    assert "nothing left to decide" not in text


def _refused(code: RefusalCode, detail: str = "", **policy: object) -> str:
    """Write what the requester of a refused request reads."""
    assert WAITING.policy is not None
    refusal = Refusal(code=code, detail=detail)
    return notice(
        refusal,
        replace(
            brief(WAITING),
            status=RequestStatus.REJECTED,
            refusal=refusal,
            policy=replace(WAITING.policy, name="databases", **policy),  # type: ignore[arg-type]
        ),
    )


def test_who_may_not_ask_learns_who_may_and_where_that_is_changed() -> None:
    """People and groups are named, and the key of the policy book."""
    text = _refused(RefusalCode.NOT_A_REQUESTER, requesters=(BOB,), requester_groups=("S0BACKEND",))
    assert f"by the policy `databases` only @S0BACKEND, <@{BOB}> may ask" in text
    assert "under `requesters` of that policy in its policy book" in text
    assert "`DOCKWARDEN_POLICIES`" in text


def test_who_has_too_many_open_learns_how_many_which_and_how_to_withdraw() -> None:
    """The number, the list, the way out, and the setting."""
    text = _refused(RefusalCode.TOO_MANY_OPEN, "10")
    assert "wait for an approval as one person may have at once (10)" in text
    assert "`/dockwarden requests mine`" in text
    assert "`/dockwarden cancel ID`" in text
    assert "`DOCKWARDEN_OPEN_REQUESTS`" in text


def test_a_name_that_may_not_be_given_is_refused_with_those_that_may() -> None:
    """The name and the patterns are shown as code, and cannot be mark-up."""
    text = _refused(RefusalCode.REFERENCE_OUTSIDE, "nginx:1.25", references=("team/*", "a`<!x>"))
    assert "does not allow `nginx:1.25` as the name of a snapshot, only `team/*`, `a&lt;" in text
    assert "<!" not in text


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (RefusalCode.NO_POLICY, "add a `[[policy]]` that covers it to its policy book"),
        (RefusalCode.NO_ELIGIBLE_APPROVER, "under `approvers` of that policy"),
        (RefusalCode.UNKNOWN_HOST, "`DOCKWARDEN_DEFAULT_HOST`"),
        (RefusalCode.GUEST, "can name a guest, by user id, under `requesters`"),
    ],
)
def test_what_is_missing_is_told_with_where_it_is_changed(code: RefusalCode, says: str) -> None:
    """No rule, no approver, no host: told before there is a card, with where to ask."""
    assert says in _refused(code)


@pytest.mark.parametrize(
    ("operation", "refusal", "told"),
    [
        (
            START,
            Refusal(code=RefusalCode.ALREADY_RUNNING, detail="the container is running"),
            [
                "🚫 `start web-1`: `web-1` on `edge` runs already.",
                "To restart it: `/dockwarden restart web-1 on edge`",
            ],
        ),
        (
            START,
            Refusal(code=RefusalCode.ALREADY_RUNNING, detail="the container is paused"),
            [
                "`web-1` on `edge` is paused, not stopped, so there is nothing to start.",
                "Whoever runs the host can unpause it.",
                "leave it paused as it was: `/dockwarden restart web-1 on edge`",
            ],
        ),
        (
            START,
            Refusal(code=RefusalCode.OWNER_MISSING, detail="it uses the network of gw"),
            ["`web-1` could not be started: it uses the network of gw."],
        ),
        (
            RESTART,
            Refusal(code=RefusalCode.OWNER_MISSING, detail="it uses the network of gw"),
            ["`web-1` could not be started again: it uses the network of gw."],
        ),
        (
            replace(RESTART, snapshot=True),
            Refusal(code=RefusalCode.IMAGE_MISSING),
            ["or ask without a snapshot: `/dockwarden restart web-1 on edge`"],
        ),
        (
            OperationSpec(kind="snapshot", snapshot=True),
            Refusal(code=RefusalCode.TOO_MANY_LAYERS),
            ["or ask without a snapshot: `/dockwarden stop web-1 on edge`"],
        ),
        (
            START,
            Refusal(code=RefusalCode.NO_POLICY),
            ["A policy is about `start` only if it names it under `operations`."],
        ),
        (
            START,
            Refusal(code=RefusalCode.REASON_REQUIRED, detail="up"),
            ['Ask again with a reason: `/dockwarden start web-1 on edge reason="…"`'],
        ),
    ],
)
def test_a_refusal_is_true_of_the_operation(
    operation: OperationSpec, refusal: Refusal, told: list[str]
) -> None:
    """What is started was not stopped by us, and advice leads to what does the same."""
    text = notice(refusal, brief(replace(WAITING, operation=operation)))
    assert all(words in text for words in told), text


def test_what_an_old_policy_covers_is_not_said_to_be_left_out() -> None:
    """A policy that names no operations is about stops and snapshots."""
    assert "names it under" not in notice(Refusal(code=RefusalCode.NO_POLICY), brief(WAITING))
