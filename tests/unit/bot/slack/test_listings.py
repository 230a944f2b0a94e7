"""What do ``list`` and ``inspect`` show in Slack, word by word?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bot.slack import listings
from bot.slack.mrkdwn import Reply
from workflows.model.errors import RefusalCode
from workflows.model.listing import ContainerList, ContainerSummary, Wanted
from workflows.model.markup import in_plain_words
from workflows.model.ports import Inspection
from workflows.model.requests import ContainerPin, ContainerState, Fact, FactPlace, Policy
from workflows.model.state import Refusal
from workflows.rules import Rule

_INSPECTION = Inspection(
    pin=ContainerPin(
        container_id="0" * 64,
        name="web-1",
        image="busybox",
        image_id="sha256:1",
        state=ContainerState.RUNNING,
        started_at=datetime.now(UTC).isoformat(),
        engine_id="E",
        restart_policy="no",
        auto_remove=False,
    )
)
_HOSTILE = Policy(
    name="<!channel> `x`\n*y*",
    labels={},
    requesters=("U0ALICE", "<!here>"),
    approvers=tuple(f"U0B{number:02}" for number in range(12)),
    approver_groups=("S0OPS",),
    required_approvals=2,
)


def test_each_policy_has_one_line_that_pings_nobody() -> None:
    """Names and ids of a book are text; of very many people some are named."""
    rules = (Rule(kinds=("stop", "snapshot"), policy=_HOSTILE), Rule(kinds=("restart",)))
    text = listings.container("local", _INSPECTION, rules).text

    assert "`stop`, `snapshot`: <@U0ALICE>, `&lt;!here&gt;` may ask, and it takes 2 of " in text
    assert "<!subteam^S0OPS>, <@U0B00>" in text
    assert "<@U0B08> and 3 more (policy `&lt;!channel&gt; x *y*`)" in text
    assert "`restart`: nobody may ask, for no policy covers it" in text
    assert "<!channel>" not in text


def test_rules_that_are_not_known_allow_nothing() -> None:
    """Without an answer that is what is said."""
    text = listings.container("local", _INSPECTION).text

    assert "who may ask, and who decides, is not known just now" in text
    assert "every full member" not in text


_SHOP = ContainerPin(
    container_id="c" * 64,
    name="shop-db-1",
    image="postgres:16",
    image_id="sha256:" + "a" * 64,
    state=ContainerState.RUNNING,
    started_at="2026-11-02T06:12:30Z",
    engine_id="E",
    restart_policy="always",
    auto_remove=False,
    facts=(
        Fact(label="Compose service", value="shop/db", place=FactPlace.ITSELF),
        Fact(
            label="up since",
            place=FactPlace.ITSELF,
            at=datetime(2026, 11, 2, 6, 12, 30, tzinfo=UTC),
        ),
        Fact(label="healthy", place=FactPlace.ITSELF),
        Fact(label="network", value="backend with shop-web-1", place=FactPlace.ITSELF),
        Fact(label="restart policy", value="always", place=FactPlace.LOOK),
        Fact(label="1 snapshot of it", value="dockwarden/shop-db:1", place=FactPlace.LOOK),
        Fact(label="volume", value="/data", place=FactPlace.NOT_IN_SNAPSHOT),
        Fact(label="created", place=FactPlace.DETAILS, at=datetime(2026, 1, 1, tzinfo=UTC)),
        Fact(label="comes back by itself", place=FactPlace.AFTERWARDS),
    ),
)


def _shown(answer: Reply) -> list[str]:
    return in_plain_words(answer.text).splitlines()


def test_a_look_shows_what_an_on_call_person_looks_for() -> None:
    """What it is and how it stands first, then what a stop means, who may ask; ids at the end."""
    policy = Policy(name="shop", labels={}, approvers=("U0BOB",))
    answer = listings.container(
        "local",
        Inspection(pin=_SHOP),
        (Rule(kinds=("stop", "snapshot"), policy=policy),),
        asked="inspect shop-db-1",
    )
    assert "\n".join(_shown(answer)) == (
        "`inspect shop-db-1`: 🟢 `shop-db-1` on `local` · running\n"
        "• Compose service `shop/db` · up since 02 Nov 06:12 UTC · healthy · "
        "network `backend with shop-web-1`\n"
        "• after a stop it comes back by itself\n"
        "• restart policy `always` · 1 snapshot of it `dockwarden/shop-db:1`\n"
        "• not in a snapshot: volume `/data`\n"
        "• `stop`, `snapshot`: every full member may ask, and it takes 1 of <@U0BOB> "
        "(policy `shop`)\n"
        "• image `postgres:16` (`aaaaaaaaaaaa`) · id `cccccccccccc`"
    )


def test_what_never_ran_has_no_first_day() -> None:
    """Also by a worker of an earlier release, which tells of it in the fields alone."""
    pin = replace(_SHOP, facts=(), state=ContainerState.CREATED, started_at="0001-01-01T00:00:00Z")
    assert "• never started" in _shown(listings.container("local", Inspection(pin=pin)))
    ran = replace(pin, started_at="2026-11-02T06:12:30.123456789Z")
    assert "• last start 02 Nov 06:12 UTC" in _shown(
        listings.container("local", Inspection(pin=ran))
    )


def test_a_list_shows_who_is_unwell_and_says_what_it_is_of() -> None:
    """Each container in one line, without its image; the hosts only where there are several."""
    rows = (
        ContainerSummary(
            name="shop-db-1",
            image="postgres:16",
            state=ContainerState.RUNNING,
            standing="up 6 days, unhealthy",
            health="unhealthy",
            part_of="shop/db",
            ports="5432",
            snapshots=2,
            protected=True,
        ),
        ContainerSummary(name="shop-web-1", image="nginx", state=ContainerState.EXITED),
    )
    found = ContainerList(containers=rows, total=2, of=23)
    answer = listings.container_list(
        "local",
        found,
        asked="list shop",
        wanted=Wanted(pattern="shop"),
        hosts=("edge", "local"),
    )
    assert "\n".join(_shown(answer)) == (
        "`list shop`: 2 of 23 containers on `local`\n"
        "🟢 `shop-db-1` · up 6 days, *unhealthy* · `shop/db` · ports `5432` · 2 snapshots · "
        "🔒 protected\n"
        "⚪ `shop-web-1` · exited\n"
        "Hosts: `edge`, `local`"
    )
    every = listings.container_list("local", replace(found, total=23), asked="list")
    assert _shown(every)[0] == "`list`: 23 containers on `local`"
    assert _shown(every)[-1] == "… and 21 more. Fewer: `list web-*`, `list stopped`."


def test_a_list_of_nothing_says_how_much_there_is() -> None:
    """And a worker of an earlier release, which cannot choose, is not said to have chosen."""
    none, wanted = ContainerList(containers=(), total=0, of=23), Wanted(pattern="x-*")
    (line,) = _shown(listings.container_list("local", none, asked="list x-*", wanted=wanted))
    assert line == (
        "`list x-*`: of 23 containers on `local` none is like that; `list` shows them all."
    )
    old = ContainerList(containers=(), total=7)
    assert (
        "of an earlier release and chooses none (7)"
        in _shown(listings.container_list("local", old, wanted=wanted))[0]
    )


def test_a_look_at_nothing_names_what_was_probably_meant() -> None:
    """As a stop does, and in one sentence; where the host is the trouble the hosts are named."""
    near = Refusal(
        code=RefusalCode.UNKNOWN_CONTAINER,
        detail="no container has this name; did you mean cache-1 or cache-2?",
    )
    (line,) = _shown(
        listings.look_refused(near, host="local", name="cach-1", asked="inspect cach-1")
    )
    assert line == (
        "⚠️ `inspect cach-1`: there is no container `cach-1` on `local`. Did you mean `cache-1` or "
        "`cache-2`? `list on local` shows all."
    )
    away = Refusal(code=RefusalCode.HOST_AWAY, detail="edge")
    refused = listings.look_refused(
        away, host="edge", name="", asked="list on edge", hosts=("edge", "local")
    )
    assert "\n".join(_shown(refused)) == (
        "⚠️ `list on edge`: nobody serves `edge` now: its Dockwarden worker has ended, or waits "
        "for its engine.\n"
        "Hosts: `edge`, `local`"
    )
