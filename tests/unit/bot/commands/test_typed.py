"""What Slack makes of a text: is it undone, and only that?"""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from bot.commands.ask import Ask
from bot.commands.parser import Approve, Command, Status, parse
from bot.commands.tokens import CommandError
from bot.commands.typed import read_typed
from tests.unit.bot.commands.asks import ask

ID = "3f9a1c2b4d5e"
STOP = ask("stop")
STOP_AND_SNAPSHOT = ask("stop", snapshot=True, reference="team/web:1")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        # one word
        ("stop `web-1`", STOP),
        ("*stop* web-1", STOP),
        ("_stop_ ~web-1~", STOP),
        ("stop web-1 snapshot=`team/web:1`", STOP_AND_SNAPSHOT),
        ("stop web-1 `snapshot=team/web:1`", STOP_AND_SNAPSHOT),
        ("stop web-1 *snapshot*=team/web:1", STOP_AND_SNAPSHOT),
        ("stop web-1 *snapshot=*team/web:1", STOP_AND_SNAPSHOT),
        (
            "snapshot web-1 as `team/web:1`",
            ask("snapshot", reference="team/web:1"),
        ),
        ("stop web-1 *on* `edge`", ask("stop", host="edge")),
        (f"status *{ID}*", Status(request_id=ID)),
        (f"status `req-{ID}`", Status(request_id=ID)),
        # several words, and the whole
        ("`stop web-1`", STOP),
        ("*stop web-1* snapshot=team/web:1", STOP_AND_SNAPSHOT),
        ("stop `web-1 snapshot=team/web:1`", STOP_AND_SNAPSHOT),
        ("```stop web-1```", STOP),
        ("```\nstop web-1\n```", STOP),
        ("stop ```web-1```", STOP),
        ("“stop web-1”", STOP),
        ('"stop" "web-1"', STOP),
        # one in another, crossed, beside what is not drawn
        ("*_~`stop`~_* web-1", STOP),
        ("*_stop web-1*_", STOP),
        ("**stop** __web-1__", STOP),
        ("stop \u200b`web-1`\u2060", STOP),
        # around quotes, and links in them
        ("*stop web-1 reason=“x y”*", ask("stop", reason="x y")),
        ("stop web-1 reason=_'x y'_", ask("stop", reason="x y")),
        ('stop web-1 `reason="x y"`', ask("stop", reason="x y")),
        (
            "stop *<http://web.example|web.example>*",
            ask("stop", container="web.example"),
        ),
        (f"approve {ID} *looks good*", Approve(request_id=ID, comment="looks good")),
        (f"approve {ID} _“looks good”_", Approve(request_id=ID, comment="looks good")),
        # inside quotes they mean what they say
        (
            'stop web-1 reason="*now* `x` _y_"',
            ask("stop", reason="*now* `x` _y_"),
        ),
        (
            '*stop* web-1 reason="a *b* c"',
            ask("stop", reason="a *b* c"),
        ),
        (f'approve {ID} "2 * 3"', Approve(request_id=ID, comment="2 * 3")),
        (f"approve {ID} 2 * 3 * 4", Approve(request_id=ID, comment="2 * 3 * 4")),
        # names that really hold them
        ("stop my_web_1", ask("stop", container="my_web_1")),
        ("stop my_web_", ask("stop", container="my_web_")),
        ("_stop_ my_web_", ask("stop", container="my_web_")),
        ("_stop my_web__", ask("stop", container="my_web_")),
        ("*stop my_web_*", ask("stop", container="my_web_")),
        ("stop __my_web__", ask("stop", container="my_web")),
        ('stop "my_web_"', ask("stop", container="my_web_")),
        ("stop my_web_ _on edge_", ask("stop", container="my_web_", host="edge")),
    ],
)
def test_marks_of_the_editor_mean_nothing(text: str, command: Command) -> None:
    """Around words they are gone; in quotes and in names they stay."""
    assert parse(text, default_host="local") == command


@pytest.mark.parametrize(
    "text",
    [
        # a pattern is no mark, and no container
        "stop web-*",
        "stop *web",
        "stop *",
        "stop web*1",
        # one alone, or one that may belong to the name
        "_stop web-1",
        "stop _web",
        "_stop my_web_ reason=x_",
        "stop ~web",
        "stop *web*_",
        "stop web`_",
        "stop web\u2060_",
        "*stop* web~_",
        # a person, a group, everybody
        "stop <@U012|bob>",
        "stop <!here>",
        "stop <!subteam^S012|@ops>",
        # nothing is left
        "stop `x`",
        "stop ``",
        "stop _x_",
        # inside a word
        "stop we`b-1",
        "stop we~b~1",
    ],
)
def test_what_is_no_pair_around_words_is_a_mistake(text: str) -> None:
    """Nothing is guessed: what may be a part of the name picks no container."""
    with pytest.raises(CommandError):
        parse(text, default_host="local")


@pytest.mark.parametrize(
    ("sent", "name", "text"),
    [
        # Slack made a link of what was typed
        ("<http://web.example.com|web.example.com>", "web.example.com", "http://web.example.com"),
        ("<https://a.test/b>", "https://a.test/b", "https://a.test/b"),
        ("<https://a.test/|https://a.test>", "https://a.test", "https://a.test/"),
        # somebody did, and called it something
        ("<https://a.test/b|the ticket>", "the ticket", "the ticket (https://a.test/b)"),
        (
            "<https://a.test/?x=1&amp;copy=2|t &lt;1&gt;>",
            "t <1>",
            "t <1> (https://a.test/?x=1&copy=2)",
        ),
        # Slack has cut the label
        (
            "<https://tickets.test/browse/OPS-1?focus=1|https://tickets.test/bro…>",
            "https://tickets.test/browse/OPS-1?focus=1",
            "https://tickets.test/browse/OPS-1?focus=1",
        ),
        ("<https://a.test/b|A very long title…>", "A very long title…", "https://a.test/b"),
        ("<https://a.test/b|A very long title...>", "A very long title...", "https://a.test/b"),
        (
            "<http://r.test/team/web:1|r.test/team/we…>",
            "r.test/team/web:1",
            "http://r.test/team/web:1",
        ),
        # addresses of mail and telephones
        ("<mailto:bob@a.test|bob@a.test>", "bob@a.test", "bob@a.test"),
        ("<mailto:bob@a.test|Bob>", "Bob", "Bob (bob@a.test)"),
        ("<tel:+491234|+49 1234>", "+49 1234", "+49 1234 (+491234)"),
        # channels, people, groups, everybody
        ("<#C012|ops>", "#ops", "#ops"),
        ("<#C012>", "#C012", "#C012"),
        ("<#C012|>", "#C012", "#C012"),
        ("<@U012|bob>", "@bob", "@bob"),
        ("<@U012>", "@U012", "@U012"),
        ("<!subteam^S012|@ops>", "@ops", "@ops"),
        ("<!subteam^S012>", "@S012", "@S012"),
        ("<!here>", "@here", "@here"),
        ("<!channel|channel>", "@channel", "@channel"),
        ("<!everyone>", "@everyone", "@everyone"),
        ("<!date^1392734382^{date}|18 Feb 2014>", "18 Feb 2014", "18 Feb 2014"),
        # entities, once and no others
        (
            "a &amp;lt; b &lt;c&gt; &copy; &quot;",
            "a &lt; b <c> &copy; &quot;",
            "a &lt; b <c> &copy; &quot;",
        ),
        # what only looks like a link
        ("1 < 2 > 0", "1 < 2 > 0", "1 < 2 > 0"),
        ("<b>", "<b>", "<b>"),
    ],
)
def test_links_are_undone_for_names_and_keep_their_address_for_people(
    sent: str, name: str, text: str
) -> None:
    """As a name a link is what was typed; a text for people leads to the same place as before."""
    typed = read_typed(sent)
    assert (typed.name(0), typed.text(0)) == (name, text)
    assert not {"<!", "<@", "<#"} & {text[at : at + 2] for at in range(len(text))}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('reason="see <https://a.test/b|the ticket>"', "see the ticket (https://a.test/b)"),
        ("reason=<https://a.test/b|the ticket>", "the ticket (https://a.test/b)"),
        # a quote in a label closes none
        (
            'reason="see <https://a.test/b|the "big" one> now"',
            'see the "big" one (https://a.test/b) now',
        ),
        ("*reason=“<https://a.test/b|x>”*", "x (https://a.test/b)"),
    ],
)
def test_a_reason_keeps_its_addresses(text: str, reason: str) -> None:
    """Quoted or not, the reader of a reason can go where its writer pointed."""
    command = parse(f"stop web-1 {text}", default_host="local")
    assert isinstance(command, Ask)
    assert command.reason == reason


def test_a_comment_without_quotes_keeps_its_addresses() -> None:
    """All the rest of the text is the comment."""
    command = parse(f"approve {ID} see <https://a.test/b|the ticket> *now*", default_host="local")
    assert command == Approve(request_id=ID, comment="see the ticket (https://a.test/b) now")


@pytest.mark.parametrize("mark", ["`", "*", "_", "~", '"', "\u200b", "<", "\\"])
def test_a_text_of_nothing_but_marks_is_read_in_no_time(mark: str) -> None:
    """However many there are, they cost no more than letters, and pick nothing."""
    for text in (mark * 20_000, f"stop {mark} " * 2_000, f'reason="{mark}' * 2_000):
        began = time.process_time()
        with suppress(CommandError):
            parse(text, default_host="local")
        assert time.process_time() - began < 5
