"""Is a text made harmless, and do ids and addresses read the same everywhere?"""

from __future__ import annotations

import pytest

from workflows.model.text import (
    cut_off,
    one_line,
    short_id,
    shorten,
    shows_nothing,
    strip_control_chars,
    workflow_url,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u202etxt.exe\u2066", "txt.exe"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("one\r\ntwo\u2028three", "one\ntwo\nthree"),
        ("far\n\n\n\n\napart", "far\n\napart"),
        ("a\tb", "a b"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("\ud800", ""),
    ],
)
def test_what_would_disturb_the_text_around_it_is_taken_out(text: str, shown: str) -> None:
    """Direction and control characters go; line ends and joiners that writing needs stay."""
    assert strip_control_chars(text) == shown


@pytest.mark.parametrize(
    "nothing",
    [
        "",
        " \t\n\u00a0\u2003\u3000",
        # without a width, joiners, marks of direction, a byte order mark, a soft hyphen
        "\u200b\u200c\u200d\u2060\u202e\u2066\ufeff\u00ad\u061c\u180e",
        # fillers and blanks that count as letters and signs
        "\u115f\u1160\u3164\uffa0\u2800\U0001d159",
        # marks that stand over nothing, selectors of a form, tags
        "\u0301\u0903\u20dd\ufe0f\u034f\u17b4\U000e0101\U000e0041",
        # reserved to be invisible, control characters, half a character
        "\u2065\ufff0\U000e0fff\x00\x1b\ud800",
    ],
)
def test_what_shows_nothing_is_empty(nothing: str) -> None:
    """A reason that nobody can see is none."""
    assert shows_nothing(nothing)


@pytest.mark.parametrize(
    "something",
    [
        ".",
        "e\u0301",
        "\u200bx\u200b",
        "שלום",
        "理由",
        "का",
        "\U0001f44d\ufe0f",
        "\U0001fae8",
        "1\u20e3",
    ],
)
def test_what_shows_something_is_not(something: str) -> None:
    """Every writing counts, and so do signs that came later than this Python."""
    assert not shows_nothing(something)


def test_a_text_becomes_one_line() -> None:
    """A name that holds line ends or blanks is shown as one word after the other."""
    assert one_line(" a\n\u202eb \t c ") == "a b c"


def test_what_is_too_long_is_cut_visibly() -> None:
    """Neither cut leaves a text that looks whole."""
    assert (cut_off("abcdef", 6), cut_off("abcdef", 4)) == ("abcdef", "abc…")
    assert (shorten("abcdef", 6), shorten("abcdefghi", 7)) == ("abcdef", "abcd…hi")


def test_ids_are_as_short_as_docker_shows_them() -> None:
    """Twelve digits, of images without the algorithm."""
    assert short_id("sha256:" + "a" * 64) == short_id("a" * 64) == "a" * 12


def test_an_id_of_another_form_stays_whole() -> None:
    """A part of a UUID names nothing; only what no line has room for loses its middle."""
    assert short_id(machine := "5f0c7d3a-91f4-4f0e-a7a5-2b7f8c1d9e60") == machine
    assert short_id(f"/subscriptions/{'s' * 99}/web-1").endswith("sss/web-1")


@pytest.mark.parametrize(
    ("ui", "run_id", "address"),
    [
        ("", "r", ""),
        (
            "http://t.test/",
            "r",
            "http://t.test/namespaces/a%20b/workflows/request%2Flocal%2Fweb-1/r",
        ),
        (
            "http://t.test",
            "",
            "http://t.test/namespaces/a%20b/workflows/request%2Flocal%2Fweb-1",
        ),
    ],
)
def test_a_workflow_is_found_in_temporals_ui(ui: str, run_id: str, address: str) -> None:
    """The ids of workflows hold slashes, which are no steps of the address."""
    assert workflow_url(ui, "a b", "request/local/web-1", run_id) == address
