"""Are the options of an operation written, read and explained as the catalogue lists them?"""

from __future__ import annotations

import pytest

from bot.commands.ask import Ask
from bot.commands.parser import SUB_COMMANDS, parse
from bot.commands.tokens import CommandError
from workflows.operations import catalog
from workflows.operations.operation import Option


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("stop", 'stop NAME [on HOST] [snapshot[=REF]] [grace=30s] [reason="…"] [replace]'),
        ("snapshot", 'snapshot NAME [on HOST] [as REF] [grace=30s] [reason="…"] [replace]'),
        ("start", 'start NAME [on HOST] [reason="…"] [replace]'),
        ("restart", 'restart NAME [on HOST] [snapshot[=REF]] [grace=30s] [reason="…"] [replace]'),
    ],
)
def test_an_operation_is_written_as_its_options_say(name: str, usage: str) -> None:
    """The usage line comes from the catalogue, and so does what it does."""
    operation = catalog.find(name)
    assert operation is not None

    assert SUB_COMMANDS[name].usage == usage
    assert SUB_COMMANDS[name].summary == operation.summary
    assert ("REF is" in SUB_COMMANDS[name].explained) == ("REF" in usage)
    assert ("grace is" in SUB_COMMANDS[name].explained) == ("grace" in usage)


def test_every_operation_takes_its_options_and_no_others() -> None:
    """What the catalogue lists is understood, and the rest refused with where it belongs."""
    written = {
        Option.HOST: "on edge",
        Option.SNAPSHOT: "snapshot=team/web:1",
        Option.REFERENCE: "as team/web:1",
        Option.GRACE: "grace=3s",
        Option.REASON: 'reason="x"',
        Option.REPLACE: "replace",
    }
    assert written.keys() == set(Option)
    for operation in catalog.OPERATIONS:
        texts = [written[option] for option in operation.options]
        command = parse(f"{operation.kind} web-1 {' '.join(texts)}", default_host="local")
        assert isinstance(command, Ask)
        assert command.operation.kind == operation.kind
        for option in set(Option) - set(operation.options):
            with pytest.raises(CommandError):
                parse(f"{operation.kind} web-1 {written[option]}", default_host="local")
