"""What does each text after the slash command ask for?"""

from __future__ import annotations

from typing import Any

import pytest

from bot.commands.ask import Ask
from bot.commands.looking import Inspect, ListContainers, ListHosts
from bot.commands.parser import (
    SUB_COMMANDS,
    Approve,
    Cancel,
    Command,
    Group,
    Help,
    Reject,
    Requests,
    Selection,
    Status,
    StopTrying,
    TryNow,
    parse,
)
from bot.commands.tokens import CommandError
from tests.unit.bot.commands.asks import ask
from workflows.model.listing import Wanted, Which
from workflows.model.requests import MAX_TEXT_LENGTH, ContainerRef
from workflows.operations import catalog

ID = "3f9a1c2b4d5e"


def _some(host: str = "local", **wanted: Any) -> ListContainers:
    return ListContainers(host=host, wanted=Wanted(**wanted))


@pytest.mark.parametrize(
    ("text", "command"),
    [
        # every sub-command at its shortest
        ("stop web-1", ask("stop")),
        ("snapshot web-1", ask("snapshot")),
        ("list", ListContainers(host="local")),
        ("inspect web-1", Inspect(container="web-1", host="local")),
        ("requests", Requests()),
        (f"status {ID}", Status(request_id=ID)),
        (f"cancel {ID}", Cancel(request_id=ID)),
        (f"stop-trying {ID}", StopTrying(request_id=ID)),
        (f"try-now {ID}", TryNow(request_id=ID)),
        # a phone writes another hyphen
        (f"stop\u2011trying {ID}", StopTrying(request_id=ID)),
        (f"approve {ID}", Approve(request_id=ID)),
        (f'reject {ID} "no"', Reject(request_id=ID, comment="no")),
        ("help", Help()),
        # nothing at all asks for help
        ("", Help()),
        ("   ", Help()),
        ("help stop", Help(topic="stop")),
        # every option, in two orders
        (
            'stop web-1 on edge snapshot=team/web:1 grace=30s reason="why not"',
            ask(
                "stop",
                host="edge",
                snapshot=True,
                reference="team/web:1",
                grace_seconds=30,
                reason="why not",
            ),
        ),
        (
            'stop web-1 reason="why not" grace=2m snapshot on edge',
            ask(
                "stop",
                host="edge",
                snapshot=True,
                grace_seconds=120,
                reason="why not",
            ),
        ),
        (
            'snapshot web-1 on edge as team/web:1 grace=1m30s reason="x"',
            ask(
                "snapshot",
                host="edge",
                reference="team/web:1",
                grace_seconds=90,
                reason="x",
            ),
        ),
        # what is new needs no more than its operation
        ("start web-1", ask("start")),
        (
            'start web-1 on edge reason="the patch is in" replace',
            ask("start", host="edge", reason="the patch is in", replace=True),
        ),
        ("restart web-1", ask("restart")),
        (
            'restart web-1 on edge snapshot=team/web:1 grace=30s reason="it leaks" replace',
            ask(
                "restart",
                host="edge",
                snapshot=True,
                reference="team/web:1",
                grace_seconds=30,
                reason="it leaks",
                replace=True,
            ),
        ),
        ("restart web-1 snapshot", ask("restart", snapshot=True)),
        ("requests waiting", Requests(selection=Selection.WAITING)),
        ("requests mine", Requests(selection=Selection.MINE)),
        ("requests recent", Requests(selection=Selection.RECENT)),
        # a number of seconds may stand alone
        ("stop web-1 grace=30", ask("stop", grace_seconds=30)),
        # keywords and host names may be written large, container names keep their case
        (
            'STOP Web_1 ON Edge SNAPSHOT GRACE=10S REASON="A"',
            ask(
                "stop", container="Web_1", host="edge", snapshot=True, grace_seconds=10, reason="A"
            ),
        ),
        # the hosts themselves
        ("list hosts", ListHosts()),
        ("LIST Hosts", ListHosts()),
        # some of the containers, by a part of their names and by how they stand
        ("list db-*", _some(pattern="db-*")),
        ("list *web* Stopped", _some(pattern="web", which=Which.STOPPED)),
        ("list unhealthy on edge", _some(host="edge", which=Which.UNHEALTHY)),
        ('list "hosts"', _some(pattern="hosts")),
        ("Requests MINE", Requests(selection=Selection.MINE)),
        # typographic dashes and quotes, as phones and Macs make them
        (
            "stop web\u20111 reason=“it\u2019s — late”",
            ask("stop", reason="it\u2019s — late"),
        ),
        (
            "stop web\u20111 reason=«x y»",
            ask("stop", reason="x y"),
        ),
        (
            "stop web-1 reason=\u2018x y\u2019",
            ask("stop", reason="x y"),
        ),
        # Slack makes links of names with dots
        (
            "stop <http://web.example|web.example> snapshot=<http://r.io/a:1|r.io/a:1>",
            ask("stop", container="web.example", snapshot=True, reference="r.io/a:1"),
        ),
        # channels and people become their names, entities become characters
        (
            'stop web-1 reason="see <#C012|ops> and <@U012|bob> &amp; &lt;co&gt;"',
            ask("stop", reason="see #ops and @bob & <co>"),
        ),
        # options with dashes, as other programs have them
        (
            "stop web-1 --snapshot \u2014grace=30s \u2013\u2013on edge",
            ask("stop", host="edge", snapshot=True, grace_seconds=30),
        ),
        # a registry is a host by its port, or by its capitals
        (
            "snapshot web-1 as registry:5000/team/web:1",
            ask("snapshot", reference="registry:5000/team/web:1"),
        ),
        (
            "stop web-1 snapshot=Registry.example.com/web:1",
            ask(
                "stop",
                snapshot=True,
                reference="Registry.example.com/web:1",
            ),
        ),
        ("stop <#C012|web-1>", ask("stop")),
        # no broadcast survives
        (
            'stop web-1 reason="<!channel> <!here>"',
            ask("stop", reason="@channel @here"),
        ),
        # a reason without quotes goes on to the end, whatever stands in it
        ("stop web-1 reason=on db: a disk alert", ask("stop", reason="on db: a disk alert")),
        ("stop web-1 snapshot reason=it's \"odd", ask("stop", snapshot=True, reason="it's \"odd")),
        ("stop web-1 reason=a snapshot is due", ask("stop", reason="a snapshot is due")),
        # quotes inside quotes
        (
            r'stop web-1 reason="say \"hi\" to it"',
            ask("stop", reason='say "hi" to it'),
        ),
        (
            "stop web-1 reason='don't'",
            ask("stop", reason="don't"),
        ),
        # a container that is called like a keyword, by quotes
        ('stop "on" on edge', ask("stop", container="on", host="edge")),
        # white space of all kinds
        ("stop\u00a0web-1\n snapshot", ask("stop", snapshot=True)),
        # zero-width characters from copying
        ("stop \u200bweb-1\ufeff", ask("stop")),
        # request ids as people copy them
        (f"status req-{ID.upper()}", Status(request_id=ID)),
        (f"status `{ID}`", Status(request_id=ID)),
        # a comment, with and without quotes
        (f'approve {ID} "looks good"', Approve(request_id=ID, comment="looks good")),
        ("status web-1", Status(container=ContainerRef(host="local", name="web-1"))),
        ("cancel web-1 on edge", Cancel(container=ContainerRef(host="edge", name="web-1"))),
        (
            'reject web-1 on edge "on fire"',
            Reject(container=ContainerRef(host="edge", name="web-1"), comment="on fire"),
        ),
        (
            "approve web-1 looks good",
            Approve(container=ContainerRef(host="local", name="web-1"), comment="looks good"),
        ),
        (f"approve {ID} looks good", Approve(request_id=ID, comment="looks good")),
        (f'reject {ID} reason="too late"', Reject(request_id=ID, comment="too late")),
    ],
)
def test_a_right_text_is_understood(text: str, command: Command) -> None:
    """A text of the grammar, however it was typed, gives its command."""
    assert parse(text, default_host="local") == command


@pytest.mark.parametrize(
    ("text", "problem", "marked"),
    [
        # unknown words, with the one that was meant
        ("stpo web-1", "Did you mean stop?", "→stpo← web-1"),
        ("frobnicate", "Try help", "→frobnicate←"),
        ("stop web-1 snapshoot", "Did you mean snapshot?", "stop web-1 →snapshoot←"),
        ("stop web-1 grce=3s", "Did you mean grace?", "stop web-1 →grce=3s←"),
        ("requests mien", "Did you mean mine?", "requests →mien←"),
        ("help stpo", "Did you mean stop?", "help →stpo←"),
        # something is missing
        ("stop", "name of the container is missing", "stop →…←"),
        ("stop on edge", "name of the container is missing", "stop →on← edge"),
        ("stop reason=x", "name of the container is missing", "stop →reason=x←"),
        ("stop web-1 on", "the name of a host is missing", "stop web-1 on →…←"),
        ("snapshot web-1 as", "an image name is missing", "snapshot web-1 as →…←"),
        ("stop web-1 snapshot=", "name of the image is missing", "stop web-1 →snapshot=←"),
        ("stop web-1 reason=", "reason needs a text", "stop web-1 →reason=←"),
        ('stop web-1 reason=""', "reason needs a text", 'stop web-1 →reason=""←'),
        ("stop web-1 grace", "grace needs a time", "stop web-1 →grace←"),
        ("status", "Which request?", "status →…←"),
        (f"reject {ID}", "needs a reason", f"reject {ID} →…←"),
        # what shows nothing is nothing
        ('stop web-1 reason="\u200b \u2800"', "reason needs a text", "stop web-1 →reason="),
        (f'reject {ID} "\u3164\u2060"', "needs a reason", "→…←"),
        # something is there twice, or too much
        ("stop web-1 grace=1s grace=2s", "grace is there twice", "grace=1s →grace=2s←"),
        ("stop web-1 on a1 on b1", "on is there twice", "on a1 →on← b1"),
        (f"cancel {ID} now", "too much here", f"cancel {ID} →now←"),
        (f'approve {ID} "a" "b"', "Only one comment", '"a" →"b"←'),
        # a value of an option is no name, and neither is a word of ours without quotes
        ('stop reason="web-1"', "name of the container is missing", 'stop →reason="web-1"←'),
        ("start replace", 'called like an option goes in quotes: "replace"', "start →replace←"),
        # the wrong option for the sub-command
        (
            "start web-1 grace=3s",
            "to the sub-commands stop, snapshot and restart. Possible here: on, reason, replace.",
            "start web-1 →grace=3s←",
        ),
        ("start web-1 as x:1", "sub-command snapshot. Possible here: on, ", "web-1 →as← x:1"),
        ("start web-1 snapshot", "sub-commands stop and restart.", "start web-1 →snapshot←"),
        ("restart web-1 as x:1", "Here write snapshot=NAME:TAG", "restart web-1 →as← x:1"),
        ("stop web-1 as x:1", "belongs to the sub-command snapshot", "stop web-1 →as← x:1"),
        ("snapshot web-1 snapshot=x:1", "as NAME:TAG", "snapshot web-1 →snapshot=x:1←"),
        ("list grace=3s", "Possible here: on", "list →grace=3s←"),
        ("list host", "Did you mean hosts? For a name write host*.", "list →host←"),
        ("list stoped", "Did you mean stopped?", "list →stoped←"),
        ("list a/b", "is no part of a name", "list →a/b←"),
        ("list web db", "Possible here: on", "list web →db←"),
        ("list hosts on edge", "is too much here", "list hosts →on← edge"),
        # quotes
        ("stop web-1 reason=too long snapshot", "part of the reason", "too long →snapshot←"),
        ("stop web-1 reason=tidying on edge", "part of the reason", "tidying →on← edge"),
        ("stop web-1 reason=x grace=3s y", "put the reason in quotes", "reason=x →grace=3s← y"),
        ('stop web-1 "a reason"', "was it meant as reason=", 'stop web-1 →"a reason"←'),
        ('stop web-1 reason="open', "not closed", 'stop web-1 →reason="open←'),
        # names that could lead elsewhere, or to more than one thing
        ("stop a", "is no container name", "stop →a←"),
        ("stop ../images/x", "is no container name", "stop →../images/x←"),
        ("stop x/../../info", "is no container name", "stop →x/../../info←"),
        ("stop .", "is no container name", "stop →.←"),
        ("stop %2e", "is no container name", "stop →%2e←"),
        ("stop /web-1", "is no container name", "stop →/web-1←"),
        ("inspect wéb", "is no container name", "inspect →wéb←"),
        ("list on web_1", "is no host name", "list on →web_1←"),
        # bad image names are refused before anything happens
        ("stop web-1 snapshot=UPPER:x", "is no image name", "→snapshot=UPPER:x←"),
        ("snapshot web-1 as sha256:x", "is reserved by Docker", "as →sha256:x←"),
        (
            "snapshot web-1 as x@sha256:0",
            "holds a digest, which nobody can give",
            "as →x@sha256:0←",
        ),
        # impossible times
        ("stop web-1 grace=1h", "is no time", "→grace=1h←"),
        ("stop web-1 grace=-1s", "is no time", "→grace=-1s←"),
        ("stop web-1 grace=0s", "1 to 600 seconds", "→grace=0s←"),
        ("stop web-1 grace=11m", "1 to 600 seconds", "→grace=11m←"),
        # not ids of requests
        ("status /x", "is no container name", "status →/x←"),
        (f"status {ID} on edge", "is too much here", f"status {ID} →on← edge"),
    ],
)
def test_a_mistake_is_explained(text: str, problem: str, marked: str) -> None:
    """A mistake says what is wrong, shows where, and gives an example that is right."""
    with pytest.raises(CommandError) as mistake:
        parse(text, default_host="local")

    assert problem in mistake.value.problem
    assert marked in mistake.value.marked
    parse(mistake.value.example, default_host="local")


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("stpo plain-1 snapshot", "stop plain-1 snapshot"),
        ("stop plain-1 snapshoot on edge", "stop plain-1 snapshot on edge"),
        ("stop plain-1 grace=20m on edge", "stop plain-1 grace=600s on edge"),
        ("stop plain-1 grace=2h", "stop plain-1 grace=30s"),
        ('stop plain-1 "too big" on edge', 'stop plain-1 reason="too big" on edge'),
        ("stop plain-1 reason too big", 'stop plain-1 reason="too big"'),
        ("stop plain-1 reason=too big snapshot", 'stop plain-1 reason="too big snapshot"'),
        ('stop plain-1 reason="open', 'stop plain-1 reason="open"'),
        ("snapshot plain-1 snapshot=a/b:1", "snapshot plain-1 as a/b:1"),
        ("stop plain-1 as=a/b:1", "stop plain-1 snapshot=a/b:1"),
        ("stop plain-1 grace=1s grace=2s", "stop plain-1 grace=1s"),
        ("requests mien", "requests mine"),
        ("list host", "list hosts"),
        # where nobody knows what was meant there is an example, and nothing is made up
        ("stop", ""),
        ("stop plain-1 frobnicate", ""),
        ("kill plain-1 -9", ""),
    ],
)
def test_a_mistake_shows_the_own_line_corrected(text: str, own: str) -> None:
    """What can be copied is what was typed, made right, and it is understood."""
    with pytest.raises(CommandError) as mistake:
        parse(text, default_host="local")

    assert mistake.value.own == own
    assert not own or mistake.value.example == own


def test_a_huge_reason_is_cut_with_a_notice() -> None:
    """A reason of 100,000 characters makes a request all the same; the cut is told."""
    command = parse(f'stop web-1 snapshot reason="{"x" * 100_000}"', default_host="local")

    assert isinstance(command, Ask)
    assert command.operation.snapshot
    assert len(command.reason) == MAX_TEXT_LENGTH
    assert command.reason.endswith("(cut: 100000 characters were too long)")


def test_a_mistake_in_a_huge_text_is_shown_short() -> None:
    """What is shown of a long text fits into an answer."""
    with pytest.raises(CommandError) as mistake:
        parse(f"stop web-1 {'x' * 100_000} {'y' * 100_000}", default_host="local")

    assert len(mistake.value.marked) < 400
    assert len(mistake.value.problem) < 400


@pytest.mark.parametrize("name", SUB_COMMANDS)
def test_every_sub_command_has_an_example_that_works(name: str) -> None:
    """The examples that mistakes and the help show are right, and are for what they say."""
    row = SUB_COMMANDS[name]

    assert row.example.partition(" ")[0] == row.usage.partition(" ")[0] == name
    parse(row.example, default_host="local")


def test_a_kind_of_the_catalogue_has_a_word_of_its_own() -> None:
    """No operation hides a sub-command that looks or decides."""
    asks = [name for name, row in SUB_COMMANDS.items() if row.group is Group.ASK]

    assert asks == [operation.kind for operation in catalog.OPERATIONS]
    assert len(SUB_COMMANDS) == len(asks) + len(Group) + 7
