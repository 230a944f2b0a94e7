"""Do README and docs/ point at what is there, and is README what a newcomer reads first?"""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from activities.policies import book
from bot.secrets import variable
from bot.settings import Settings
from tests.rigs import compose_file, documents
from tests.rigs.documents import PAGES, ROOT
from workflows.model.symbols import MEANINGS

_README = ROOT / "README.md"
_LONGEST = 200
_LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)", re.M)
#: What begins so between backticks is a file or a folder here.
_ROOMS = ("bot/", "workflows/", "activities/", "tests/", "deploy/", "docs/")
#: What an installation makes beside the compose file.
_MADE = (
    "deploy/secrets",
    "deploy/policies.toml",
    "deploy/.env",
    "deploy/hosts",
    "deploy/gate",
    "deploy/authority",
)


def test_readme_is_short() -> None:
    """Whoever comes anew reads it to the end; what does not fit goes to docs/."""
    assert len(_README.read_text(encoding="utf-8").splitlines()) <= _LONGEST


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """A file that is linked is there, and has the heading; README leads to each page of docs/."""
    for target in (a or b for a, b in _LINK.findall(documents.prose(page))):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        assert not anchor or anchor in _anchors(file), target


def test_readme_leads_everywhere() -> None:
    """No page is found by those alone who look into the folder."""
    linked = {a for a, _ in _LINK.findall(_README.read_text(encoding="utf-8"))}
    assert {str(page.relative_to(ROOT)) for page in PAGES[1:]} <= linked


def test_files_that_are_named_are_there() -> None:
    """A path between backticks exists; a test without one stands beside one that has one."""
    names = {file.name for file in (ROOT / "tests").rglob("test_*.py")}
    for page, text in documents.inline():
        if text.startswith(_ROOMS) and not re.search(r"[A-Z…*]|\s", text):
            assert text.startswith(_MADE) or (ROOT / text).exists(), (page.name, text)
        elif re.fullmatch(r"test_\w+\.py", text):
            assert text in names, (page.name, text)


def test_settings_that_are_named_exist() -> None:
    """What looks like a setting is one."""
    known = {variable(field) for field in Settings.model_fields} | compose_file.variables()
    for page, text in documents.inline():
        for name in re.findall(r"\bDOCKWARDEN_[A-Z_]+", text):
            assert name in known, (page.name, name)


def test_what_can_be_set_for_compose_is_told() -> None:
    """Each variable of the compose files stands on a page, or in the first steps."""
    told = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    told += compose_file.text(compose_file.FURTHER).partition("\nname: ")[0]
    assert {name for name in compose_file.variables() if name not in told} == set()


def test_policy_books_that_are_shown_are_some(tmp_path: Path) -> None:
    """What people copy is read without a complaint."""
    shown = documents.blocks("toml")
    assert {block.page.name for block in shown} == {"README.md", "policies.md"}
    for block in shown:
        file = tmp_path / "policies.toml"
        file.write_text(block.text, encoding="utf-8")
        assert book.load(file).policies, block


def test_the_link_creates_the_app_of_the_manifest() -> None:
    """Whoever follows it gets what whoever pastes the file gets."""
    manifest = json.loads((ROOT / "deploy" / "slack-manifest.json").read_text(encoding="utf-8"))
    told = quote(json.dumps(manifest, separators=(",", ":"), ensure_ascii=False), safe="")
    link = f"[create]: https://api.slack.com/apps?new_app=1&manifest_json={told}"
    assert link in _README.read_text(encoding="utf-8").splitlines(), f"README.md should have {link}"


def test_each_symbol_is_explained() -> None:
    """The table has what people meet, and nothing that they do not."""
    section = _README.read_text(encoding="utf-8").partition("## What the symbols mean")[2]
    table = section.partition("\n\n")[2].partition("\n\n")[0]
    assert {symbol for symbol in MEANINGS if symbol not in table} == set()
    first = [row.split("|")[1].split() for row in table.splitlines()[2:]]
    assert {symbol for cell in first for symbol in cell} <= set(MEANINGS)


def _anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", documents.prose(file), re.M)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
