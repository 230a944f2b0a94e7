"""Does the repository keep its own rules: rooms, sizes, style, and nothing of any one machine?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_TOP_LEVEL = {
    *("pyproject.toml", "bot", "workflows", "activities", "tests", "deploy", "docs"),
    *("README.md", "Makefile", "LICENSE", "CHANGELOG.md", ".ci", ".gitignore"),
}
_LONGEST = 400
_OURS = {"deploy", "tests"}
_MIRRORED = (_ROOT, _ROOT / "tests")
#: Spelled in pieces, so that this file does not find itself.
_REGISTRIES = re.compile(
    r"https?://[a-z0-9.-]*(?:"
    + "|".join(("py" + "pi", "python" + "hosted", "npm" + "js", "deb" + "ian", "go" + "lang"))
    + r")\.(?:org|com)"
)
_MACHINE_PATHS = re.compile(
    r"(?<![\w.<])/(?:" + "|".join(("ho" + "me", "Us" + "ers", "wo" + "rk", "ro" + "ot")) + r")/\w"
)


def _tracked() -> list[Path]:
    """List the files of the repository; what git ignores is not of it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    files = (_ROOT / name for name in listed.split("\0") if name)
    return [file for file in files if file.is_file()]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


# Types take long on a machine that has other work.
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "command",
    [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)],
    ids=["style", "format", "types"],
)
def test_tools_have_no_complaint(command: tuple[str, ...]) -> None:
    """Style, format and types are as the project's configuration wants them."""
    ended = subprocess.run(
        [sys.executable, "-m", *command], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_top_level_is_fixed() -> None:
    """A newcomer finds the few things of the blueprint at the top level, and nothing else."""
    assert {file.relative_to(_ROOT).parts[0] for file in _tracked()} <= _TOP_LEVEL


def test_the_laptop_and_the_tests_keep_to_the_house_rules() -> None:
    """Their files are small too, and say which question they answer."""
    texts = {file: _text(file) for file in _tracked() if file.suffix == ".py"}
    ours = {f: text for f, text in texts.items() if f.relative_to(_ROOT).parts[0] in _OURS and text}
    assert ours
    for file, text in ours.items():
        assert text.startswith('"""'), file
        assert len(text.splitlines()) <= _LONGEST, file


@pytest.mark.parametrize("level", ["unit", "integration"])
def test_the_tests_mirror_the_tree(level: str) -> None:
    """Each folder of tests has the name of a folder that it tests, or of the tests' own rigs."""
    root = _ROOT / "tests" / level
    folders = {file.parent.relative_to(root) for file in root.rglob("test_*.py")}
    assert folders
    assert [f for f in sorted(folders) if not any((base / f).is_dir() for base in _MIRRORED)] == []


@pytest.mark.parametrize("pattern", [_REGISTRIES, _MACHINE_PATHS], ids=["registry", "machine"])
def test_nothing_of_one_machine_is_in_the_repository(pattern: re.Pattern[str]) -> None:
    """No file names a package registry's address or a path of somebody's machine."""
    found = [
        f"{file.relative_to(_ROOT)}: {match[0]}"
        for file in _tracked()
        if (match := pattern.search(_text(file)))
    ]
    assert found == []


@pytest.mark.parametrize("name", ["run", "laptop", "dev"])
def test_every_locked_package_has_hashes_and_no_address(name: str) -> None:
    """A lock file pins each package exactly, with hashes, and says nothing of where from."""
    text = (_ROOT / "deploy" / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?! )", text.strip())
    assert len(entries) > 10
    for entry in entries:
        assert re.match(r"[a-z0-9.-]+(\[[a-z,]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry
    assert "://" not in text


def test_lock_files_agree_with_each_other() -> None:
    """The image, the laptop and the tests run the same versions."""

    def versions(name: str) -> set[str]:
        text = (_ROOT / "deploy" / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        return set(re.findall(r"^[a-z0-9.-]+==\S+", text, re.M))

    assert versions("run") < versions("laptop") < versions("dev")


def test_the_lock_files_hold_what_the_project_asks_for() -> None:
    """Each dependency of pyproject.toml is locked."""
    text = (_ROOT / "pyproject.toml").read_text(encoding="utf-8")
    asked = set(re.findall(r'^    "([a-z-]+)[>=]', text, re.M))
    locked = (_ROOT / "deploy" / "requirements" / "dev.txt").read_text(encoding="utf-8")
    assert asked
    assert asked <= set(re.findall(r"^([a-z0-9.-]+)==", locked, re.M))


def test_the_local_slack_is_pinned() -> None:
    """The lock of the local Slack has an integrity and no address."""
    folder = _ROOT / "deploy" / "laptop" / "local_slack"
    text = (folder / "package-lock.json").read_text(encoding="utf-8")
    assert '"integrity": "sha512-' in text
    assert '"resolved"' not in text
