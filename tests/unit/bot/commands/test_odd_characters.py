"""Does a name with a dash, an invisible character or a look-alike pick nothing, and is it told?"""

from __future__ import annotations

import pytest

from bot.commands.odd_characters import find_oddity
from bot.commands.parser import Status, parse
from bot.commands.tokens import CommandError
from tests.unit.bot.commands.asks import ask

ID = "3f9a1c2b4d5e"


@pytest.mark.parametrize(
    ("text", "says", "marked"),
    [
        # a phone makes one dash of one hyphen or of two
        (
            "stop web\u20131",
            "the \u2013 in it is EN DASH, not a hyphen. Was web-1 or web--1 meant?",
            "",
        ),
        ("stop web\u20141", "EM DASH, not a hyphen. Was web-1 or web--1 meant?", "→web—1←"),
        ("stop web\u22121", "MINUS SIGN, not a hyphen. Was web-1 or web--1 meant?", ""),
        ("inspect web\u20151", "HORIZONTAL BAR, not a hyphen", ""),
        # what is not drawn, shown by its number where it is
        (
            "stop web\u200b-1",
            "it holds U+200B (ZERO WIDTH SPACE), which nobody can see. Was web-1 meant?",
            "stop →web[U+200B]-1←",
        ),
        ("stop web\u00ad1", "U+00AD (SOFT HYPHEN), which nobody can see. Was web1 or web-1", ""),
        ("stop web\u202e-1", "U+202E (RIGHT-TO-LEFT OVERRIDE)", "→web[U+202E]-1←"),
        ("stop web\u3164-1", "U+3164 (HANGUL FILLER)", "→web[U+3164]-1←"),
        ("stop web\ufe0f-1", "U+FE0F (VARIATION SELECTOR-16)", ""),
        ('stop "web\u200b-1"', "U+200B (ZERO WIDTH SPACE)", ""),
        # look-alikes
        (
            "stop w\u0435b-1",
            "is CYRILLIC SMALL LETTER IE, which only looks like e. Was web-1 meant?",
            "",
        ),
        (
            "stop \u039deb",
            "is GREEK CAPITAL LETTER NU, which only looks like N. Was Neb meant?",
            "",
        ),
        ("stop \uff57\uff45\uff42\uff0d1", "FULLWIDTH LATIN SMALL LETTER W. Was web-1 meant?", ""),
        ("stop \U0001d600eb", "MATHEMATICAL SANS-SERIF BOLD SMALL S. Was seb meant?", ""),
        # letters of their own
        ("stop wéb", "the é in it is LATIN SMALL LETTER E WITH ACUTE.", "→wéb←"),
        ("stop we\u0301b", "", ""),
        ("stop 网页", "CJK UNIFIED IDEOGRAPH-7F51.", ""),
        ("stop web\x7f1", "U+007F (a character without a name)", "→web[U+007F]1←"),
        # other names than those of containers
        ("list on edge\u20131", "is no host name: the \u2013 in it is EN DASH", "on →edge\u20131←"),
        (
            "stop web-1 snapshot=team/w\u0435b:1",
            "is no image name: the \u0435 in it is CYRILLIC",
            "",
        ),
        ("snapshot web-1 as web:1\u20132", "is no image name: the \u2013 in it is EN DASH", ""),
    ],
)
def test_a_name_that_was_changed_picks_nothing(text: str, says: str, marked: str) -> None:
    """The character is named, shown where it is, and the plain name is asked about."""
    with pytest.raises(CommandError) as mistake:
        parse(text, default_host="local")

    assert says in mistake.value.problem
    assert marked in mistake.value.marked
    parse(mistake.value.example, default_host="local")


@pytest.mark.parametrize("name", ["web\u200b-1", "w\u0435b-1", "\uff57eb-1"])
def test_the_right_example_has_the_name_that_was_meant(name: str) -> None:
    """When only one can be meant, it can be copied."""
    with pytest.raises(CommandError) as mistake:
        parse(f"snapshot {name} as x:1", default_host="local")

    assert mistake.value.example == mistake.value.own == "snapshot web-1 as x:1"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        # hyphens that nothing else becomes
        ("stop web\u20101", ask("stop")),
        (
            "snapshot web-1 as te\u2011am/web:1",
            ask("snapshot", reference="te-am/web:1"),
        ),
        # at the ends of a word there is nothing to see
        (
            "\ufeffstop \u200bweb-1\u2060 \u200bon edge\u200b",
            ask("stop", host="edge"),
        ),
        # our own words, and ids that can be nothing else
        (
            "st\u200bop web-1 grace=\u200b30s",
            ask("stop", grace_seconds=30),
        ),
        (f"status req\u2013{ID[:4]}\u200b{ID[4:]}", Status(request_id=ID)),
        # texts for people stay as they are
        (
            "stop web-1 reason=CVE\u20131",
            ask("stop", reason="CVE\u20131"),
        ),
        (
            'stop web-1 reason="به\u200cزودی"',
            ask("stop", reason="به\u200cزودی"),
        ),
    ],
)
def test_what_can_be_undone_surely_is(text: str, command: object) -> None:
    """Nobody is asked where only one thing can be meant."""
    assert parse(text, default_host="local") == command


def test_plain_names_have_nothing_odd() -> None:
    """What a keyboard without letters of its own types is plain, even where it is wrong."""
    assert find_oddity("web-1_A.b/:@[]*") is None
