"""Can nothing that people wrote or named do anything in a private answer?"""

from __future__ import annotations

from bot.slack.mrkdwn import answer_to, code, escape, link, person, plain, reply


def test_the_pieces_of_an_answer_are_safe() -> None:
    """Names, people and links from outside lose what Slack would read in them."""
    assert escape("<a> & b") == "&lt;a&gt; &amp; b"
    assert code("a`b\nc") == "`a b c`"
    assert code("") == "` `"
    assert person("U0BOB") == "<@U0BOB>"
    assert person("x> <!here") == "`x&gt; &lt;!here`"
    assert link("https://a/b", "c") == "<https://a/b|c>"
    assert link("javascript:x", "c") == ""
    assert link("https://a|b>", "c") == ""


def test_an_answer_begins_with_the_command_that_it_answers() -> None:
    """A slow one may come after the next; what was typed is cut, and cannot be mark-up."""
    assert answer_to("list on edge", "nobody serves it") == "`list on edge`: nobody serves it"
    assert answer_to("", "nobody serves it") == "Nobody serves it"
    assert answer_to("stop `<!here>\n" + "x" * 99, "no").startswith("`stop &lt;!here&gt; xxx")
    assert len(answer_to("x" * 99, "")) == 60 + len("``: ")


def test_a_form_shows_bare_words() -> None:
    """The error line of a form knows no mark-up, so none is in it."""
    answer = reply("⛔ *Over*: `web-1` <https://a|See it> &amp; more", plain("<as> typed"))

    assert answer.bare_text == "⛔ Over: web-1 See it & more <as> typed"
