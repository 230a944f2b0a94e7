"""What is answered to the words that people bring along from Docker?"""

from __future__ import annotations

import pytest

from bot.commands.elsewhere import known_elsewhere
from bot.commands.parser import SUB_COMMANDS, parse
from bot.commands.tokens import CommandError


@pytest.mark.parametrize(
    ("text", "problem", "example"),
    [
        ("kill web-1", "Dockwarden cannot kill a container. There is stop, which", "stop web-1"),
        ("rm -f web-1", "Dockwarden cannot remove a container. There is stop", "stop web-1 snap"),
        ("down web-1", "Dockwarden cannot remove a container. There is stop", "stop web-1"),
        ("pause web-1", "Dockwarden cannot pause a container. There is stop", "stop web-1"),
        ("up web-1", "Dockwarden cannot make a container. There is start, which", "start web-1"),
        ("logs web-1", "There is inspect, which shows one container", "inspect web-1"),
        ("pull nginx", "Dockwarden cannot work on images.", "help"),
        ("update web-1", "Dockwarden cannot change a container.", "help"),
        ("rollback web-1", "Dockwarden cannot bring a snapshot back.", "help"),
        ("exec web-1 sh", "Dockwarden cannot run anything in a container.", "help"),
        ("help kill", "Dockwarden cannot kill a container. There is stop", "help stop"),
        # not what they look like
        ("stats web-1", "Dockwarden cannot show what runs in a container.", "inspect web-1"),
        ("top web-1", "Dockwarden cannot show what runs in a container.", "inspect web-1"),
        # another word for the same
        ("ps", "There is no sub-command “ps”. Did you mean list?", "list"),
        ("commit web-1", "Did you mean snapshot?", "snapshot web-1"),
        ("reboot web-1 snapshot", "Did you mean restart?", "restart web-1"),
        ("strat web-1", "Did you mean start?", "start web-1"),
        ("resart web-1", "Did you mean restart?", "restart web-1"),
    ],
)
def test_a_word_of_docker_gets_an_honest_answer(text: str, problem: str, example: str) -> None:
    """What Docker has and we have not is said, with what is there instead; nothing is done."""
    with pytest.raises(CommandError) as mistake:
        parse(text, default_host="local")

    assert problem in mistake.value.problem
    assert mistake.value.example.startswith(example)
    parse(mistake.value.example, default_host="local")


@pytest.mark.parametrize("word", known_elsewhere())
def test_no_word_of_elsewhere_is_one_of_ours(word: str) -> None:
    """Each is answered by something that is there, in words that end like a sentence."""
    assert word not in SUB_COMMANDS
    with pytest.raises(CommandError) as mistake:
        parse(f"{word} web-1", default_host="local")

    assert mistake.value.problem.endswith((".", "?"))
    parse(mistake.value.example, default_host="local")


def test_a_name_that_is_too_long_to_be_shown_is_left_out_of_the_example() -> None:
    """The answer fits into a message whatever stands behind the word."""
    with pytest.raises(CommandError) as mistake:
        parse(f"kill {'x' * 100_000}", default_host="local")

    assert mistake.value.example == SUB_COMMANDS["stop"].example
    assert len(mistake.value.marked) < 400
