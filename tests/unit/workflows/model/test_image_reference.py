"""Which image references are good, and what does a request get that names none, or half of one?"""

from __future__ import annotations

import pytest

from workflows.model.image_reference import (
    complete_reference,
    default_reference,
    familiar,
    reference_problem,
    slug,
)

#: Docker's engine says the same of each; tests/integration/activities/docker asks it.
REFERENCES = [
    ("dockwarden/web-1:req-0123456789ab", True),
    ("web:x", True),
    ("a/b/c/d.e_f__g--h---i:1", True),
    ("a.b:1", True),
    ("a_b.c/web:1", True),
    # a host, with and without a port
    ("registry.example:5000/team/web:1.2", True),
    ("registry:5000/team/web:1", True),
    ("registry:5000/web:1", True),
    ("reg.io:65535/web:1", True),
    ("localhost/web:x", True),
    ("localhost:5000/web:x", True),
    ("Registry.example.com/web:1", True),
    ("REGISTRY:5000/web:1", True),
    ("192.168.0.1/web:1", True),
    ("reg.io/sha256:1", True),
    ("docker.io/web:1", True),
    ("index.docker.io/library/web:1", True),
    # no host is there, or none that can be
    ("UPPER:x", False),
    ("reg.io/Web:1", False),
    ("team/Web:1", False),
    ("reg.io:/web:1", False),
    ("-a.b/web:1", False),
    ("a-.b/web:1", False),
    ("a..b/web:1", False),
    ("a_b:5000/web:1", False),
    ("reg.io//web:1", False),
    ("registry:5000/:1", False),
    ("/web:1", False),
    ("https://reg.io/web:1", False),
    # tags
    ("web:_x-.", True),
    ("web:" + "x" * 128, True),
    ("web:", False),
    ("web:-x", False),
    ("web:.x", False),
    ("web:" + "x" * 129, False),
    ("web:x y", False),
    ("web:é", False),
    ("web:../x", False),
    ('web:x" evil="1', False),
    ("web:x\nENTRYPOINT", False),
    ("web:x\n", False),
    # paths
    ("a" * 64 + ":x", False),  # 64 hexadecimal digits are an image id to Docker
    ("team/" + "a" * 64 + ":x", True),
    ("-web:x", False),
    ("we___b:x", False),
    ("we_.b:x", False),
    ("wéb:x", False),
    ("web\n:x", False),
    ("sha256:x", False),
    ("library/sha256:x", False),
    ("docker.io/sha256:x", False),
    # lengths, with what Docker leaves out
    ("x" * 237 + ":x", True),
    ("x" * 238 + ":x", False),
    ("docker.io/library/" + "x" * 237 + ":x", True),
    ("docker.io/library/" + "x" * 238 + ":x", False),
    ("r.io/" + "x" * 250 + ":x", True),
    ("r.io/" + "x" * 251 + ":x", False),
]
#: What is good for newer engines only, what no registry has, and what is not ours to give.
OF_SOME_ENGINES = [
    ("reg.io:123456/web:1", False),
    ("UPPER/web:x", True),
    ("[2001:db8::1]:5000/team/web:1", True),
    ("[::1]/web:1", True),
    ("[::x]/web:1", False),
    ("web", False),
    ("registry:5000/web", False),
    ("scratch:1", False),
    ("web@sha256:" + "0" * 64, False),
    ("web:1@sha256:" + "0" * 64, False),
]


@pytest.mark.parametrize(("reference", "good"), [*REFERENCES, *OF_SOME_ENGINES])
def test_reference(reference: str, *, good: bool) -> None:
    """Bad references are found before the engine sees them."""
    assert (reference_problem(reference) == "") is good


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("web@sha256:" + "0" * 64, "a digest, which nobody can give"),
        ("team/web", "has no tag"),
        ("a..b/web:1", "before the first slash is no host"),
        ("team/Web:1", "takes small letters"),
        ("docker.io/sha256:1", "sha256 is reserved"),
        ("web:-1", "the tag takes"),
        ("r.io/" + "x" * 251 + ":1", "longer than 255"),
    ],
)
def test_what_is_wrong_is_said(reference: str, says: str) -> None:
    """Each mistake has its own words."""
    assert says in reference_problem(reference)


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
        ("[::1]:5000/web", "[::1]:5000/web:req-0123456789ab"),
        ("[::1]/web", "[::1]/web:req-0123456789ab"),
        ("team/web:1", "team/web:1"),
    ],
)
def test_missing_tag_becomes_the_requests_own(asked: str | None, complete: str) -> None:
    """A reference without a tag never becomes ``latest``."""
    assert complete_reference(asked, "web-1", "0123456789ab") == complete


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("docker.io/team/web:1", "team/web:1"),
        ("docker.io/library/web:1", "web:1"),
        ("docker.io/library/a/web:1", "library/a/web:1"),
        ("localhost/web:1", "localhost/web:1"),
        ("registry:5000/team/web:1", "registry:5000/team/web:1"),
        ("web:1", "web:1"),
    ],
)
def test_the_hub_is_left_out_as_docker_does(told: str, shown: str) -> None:
    """Podman writes it out, and the name is the same."""
    assert familiar(told) == shown
