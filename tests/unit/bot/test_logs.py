"""How does a log line look, and what never gets into it?"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from bot import logs

TOKENS = ["xoxb-1-2-abc", "xapp-1-A0-9-f00", "xoxp-1-2", "xoxe.xoxb-1-abc", "xoxc-9"]


@pytest.fixture(autouse=True)
def _logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def _lines(*, as_json: bool, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(as_json=as_json, level=level, stream=stream)
    return stream


def test_text_is_one_line_with_fields() -> None:
    """An event is one line; ids are fields, quoted where they have spaces."""
    stream = _lines(as_json=False)

    logging.getLogger("bot.x").info("two\nlines", extra={"request_id": "3f9a", "why": "a b"})

    line = stream.getvalue()
    assert line.count("\n") == 1
    assert line.endswith('Z info bot.x: two lines request_id=3f9a why="a b"\n'), line


def test_json_is_one_object_with_fields() -> None:
    """With JSON each event is one object, and the fields are its keys."""
    stream = _lines(as_json=True)

    logging.getLogger("bot.x").warning("refused", extra={"user": "U0BOB"})

    entry = json.loads(stream.getvalue())
    assert (entry["level"], entry["event"], entry["user"]) == ("warning", "refused", "U0BOB")


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("token", TOKENS)
def test_a_token_never_gets_through(token: str, *, as_json: bool) -> None:
    """A token in the event, a field or a trace is blotted out."""
    stream = _lines(as_json=as_json)

    try:
        message = f"with {token}"
        raise ValueError(message)
    except ValueError:
        logging.getLogger("bot.x").exception("event %s", token, extra={"why": [token]})

    assert token not in stream.getvalue()
    assert stream.getvalue().count("[token]") >= 3


def test_libraries_are_quiet_even_when_we_are_not() -> None:
    """What people wrote stands in the libraries' debug lines, so those are never written."""
    stream = _lines(as_json=False, level="debug")

    logging.getLogger("slack_bolt.App").debug("payload")
    logging.getLogger("slack_sdk.web").info("payload")
    logging.getLogger("bot.x").debug("ours")

    assert "payload" not in stream.getvalue()
    assert "ours" in stream.getvalue()
