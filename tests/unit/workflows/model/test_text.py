"""Is a text made harmless, and do ids and addresses read the same everywhere?"""

from __future__ import annotations

import pytest

from workflows.model.text import (
    cut_off,
    one_line,
    short_id,
    shorten,
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
