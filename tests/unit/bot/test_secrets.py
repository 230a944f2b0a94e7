"""Is the seal key read as it is meant, and refused in our own words when it is none?"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import settings
from bot.settings import ConfigurationError

_OLD, _NEW = 32 * "o", 32 * "n"


@pytest.mark.parametrize("text", [f"{_NEW},{_OLD}", f"{_NEW} {_OLD}", f"\n{_NEW}\n{_OLD}\n"])
@pytest.mark.parametrize("by_file", [True, False])
def test_while_it_is_replaced_there_are_two(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, *, by_file: bool
) -> None:
    """However they are separated, the first one seals."""
    if by_file:
        file = tmp_path / "key"
        file.write_text(text, encoding="utf-8")
        monkeypatch.setenv("DOCKWARDEN_SEAL_KEY_FILE", str(file))
    else:
        monkeypatch.setenv("DOCKWARDEN_SEAL_KEY", text)

    assert settings.load().seal_keys.keys == (_NEW, _OLD)


def test_without_one_nothing_is_sealed() -> None:
    """Nobody is made to have one."""
    assert not settings.load().seal_keys


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hunter2", "holds a key that can be guessed"),
        (f"{_NEW} hunter2", "holds a key that can be guessed"),
        (f"{_NEW} {_OLD} {31 * 'x'}y", "holds 3 keys"),
        # a sentence is as many keys as it has words
        ("hunter2 is what we all know", "holds 6 keys"),
    ],
)
def test_what_is_no_key_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    """It is told what the setting takes, and how to make one."""
    monkeypatch.setenv("DOCKWARDEN_SEAL_KEY", text)

    with pytest.raises(ConfigurationError) as refused:
        settings.load()

    told = str(refused.value)
    assert told.startswith(f"DOCKWARDEN_SEAL_KEY {says}")
    assert "one key of at least 32 characters" in told
    assert not any(word in told for word in text.split() if len(word) > 6)
