"""Which image references are good, and what does a request get that names none, or half of one?"""

from __future__ import annotations

import pytest

from workflows.model.image_reference import (
    complete_reference,
    default_reference,
    reference_problem,
    slug,
)

REFERENCES = [
    ("dockwarden/web-1:req-0123456789ab", True),
    ("registry.example:5000/team/web:1.2", True),
    ("localhost/web:x", True),
    ("web:x", True),
    ("UPPER/web:x", False),
    ("web", False),
    ("web:", False),
    ("web:-x", False),
    ("web:" + "x" * 129, False),
    ("web:x y", False),
    ("a" * 64 + ":x", False),  # 64 hexadecimal digits are an image id to Docker
    ("-web:x", False),
    ("we___b:x", False),
    ("web:../x", False),
    ("web@sha256:" + "0" * 64, False),
    ("sha256:x", False),
    ("x" * 201 + ":x", False),
    ('web:x" evil="1', False),
    ("web:x\nENTRYPOINT", False),
]


@pytest.mark.parametrize(("reference", "good"), REFERENCES)
def test_reference(reference: str, *, good: bool) -> None:
    """Bad references are found before the engine sees them."""
    assert (reference_problem(reference) == "") is good


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web-1", "web-1"),
        ("A__b..C-", "a-b-c"),
        ("x" * 200, "x" * 60),
        ("a" * 59 + "-b", "a" * 59),
    ],
)
def test_slug_gives_a_valid_default_reference(name: str, expected: str) -> None:
    """Whatever a container is called, its default reference is valid."""
    assert slug(name) == expected
    assert reference_problem(default_reference(name, "0123456789ab")) == ""


@pytest.mark.parametrize(
    ("asked", "complete"),
    [
        (None, "dockwarden/web-1:req-0123456789ab"),
        ("team/web", "team/web:req-0123456789ab"),
        ("registry:5000/web", "registry:5000/web:req-0123456789ab"),
        ("team/web:1", "team/web:1"),
    ],
)
def test_missing_tag_becomes_the_requests_own(asked: str | None, complete: str) -> None:
    """A reference without a tag never becomes ``latest``."""
    assert complete_reference(asked, "web-1", "0123456789ab") == complete
