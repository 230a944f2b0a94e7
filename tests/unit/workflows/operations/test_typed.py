"""Is a request that the core writes as a command read as the very same request?"""

from __future__ import annotations

import pytest

from bot.commands.ask import Ask
from bot.commands.parser import parse
from bot.slack.mrkdwn import escape
from workflows.model.requests import ContainerRef, OperationSpec
from workflows.operations.typed import command_line, shown_reason

_REASON = 'it\'s "odd" \\ <!channel> &amp; \u201csmart\u201d \u00abquotes\u00bb `x` *b* ='


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        (OperationSpec(kind="stop"), "stop web_ on edge"),
        (
            OperationSpec(kind="stop", snapshot=True, snapshot_ref="team/web:1", grace_seconds=90),
            "stop web_ on edge snapshot=team/web:1 grace=90s",
        ),
        (
            OperationSpec(kind="snapshot", snapshot=True, snapshot_ref="team/web:1"),
            "snapshot web_ on edge as team/web:1",
        ),
        (OperationSpec(kind="restart", snapshot=True), "restart web_ on edge snapshot"),
        (OperationSpec(kind="start"), "start web_ on edge"),
    ],
)
@pytest.mark.parametrize("reason", ["", _REASON])
def test_what_is_written_is_read_as_it_was_meant(
    spec: OperationSpec, line: str, reason: str
) -> None:
    """Each operation with its own options; nothing in a reason ends it or becomes an option."""
    container = ContainerRef(host="edge", name="web_")

    written = command_line(spec, container, reason=reason)

    assert written.startswith(line)
    assert parse(escape(written), default_host="local") == Ask(
        operation=spec, container=container, reason=reason
    )


def test_a_container_that_is_called_like_an_option_is_quoted() -> None:
    """Without quotes its name would be missing."""
    container = ContainerRef(host="local", name="snapshot")
    written = command_line(OperationSpec(kind="stop"), container)

    assert written == 'stop "snapshot" on local'
    assert parse(written, default_host="x") == Ask(
        operation=OperationSpec(kind="stop"), container=container
    )


def test_what_this_release_does_not_know_is_not_written() -> None:
    """Nobody is offered what cannot be typed, and a long reason is left to who types it."""
    assert not command_line(OperationSpec(kind="melt"), ContainerRef(host="h", name="web-1"))
    assert shown_reason("a\nb") == "a b"
    assert shown_reason("x" * 500) == "…"
