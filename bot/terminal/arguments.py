"""What can be typed at a terminal, and which command of the common grammar is it?

The operations and their options are those of the catalogue. Whatever is typed becomes a text of
the grammar that the slash command has, and is read by the same functions: a name, a time or an
image that one door takes, the other takes too.
"""

from __future__ import annotations

import argparse
import html
import re
import shlex
from collections.abc import Callable, Sequence
from typing import Any, Final

from bot.commands import parser as grammar
from bot.commands.tokens import CommandError
from workflows.model.listing import PATTERN_FORM
from workflows.model.names import USER_ID_FORM
from workflows.operations import catalog
from workflows.operations.operation import Operation, Option
from workflows.operations.typed import quoted

#: The commands of this door, in the order of the help, by what people want with them.
GROUPS: Final = {
    "ask": ("request",),
    "decide": ("approve", "reject", "cancel", "stop-trying", "try-now"),
    "look": ("requests", "status", "list", "inspect"),
}
SUMMARIES: Final = {
    "request": "ask for an operation on a container",
    "approve": "approve a request; counts only where its policy says terminal_decides = true",
    "reject": "reject a request, with a reason; counts where an approval would",
    "cancel": "cancel a request of yours; of one that waits everywhere, else as an approval",
    "stop-trying": "end the tries to put a container back; counts where an approval would",
    "try-now": "try at once to put a container back; counts where an approval would",
    "requests": "show requests; if not told which, those that need somebody",
    "status": "show where a request stands",
    "list": "show the containers of a host, all or some; `list hosts` shows the hosts",
    "inspect": "show one container, without its environment",
}
_TEAM_ID = re.compile(r"[TE][A-Z0-9]{1,30}")
_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{1,30}")
_WAIT_TIME = re.compile(r"(?:(\d{1,3})h)?(?:(\d{1,4})m)?(?:(\d{1,6})s?)?")
#: The word of the grammar and the flag for it differ only where ``--as`` says who asks.
_FLAGS: Final = {option: f"--{option.value}" for option in Option} | {
    Option.REFERENCE: "--reference"
}
_HELP: Final = {
    Option.HOST: ("HOST", "the host of the container (DOCKWARDEN_DEFAULT_HOST)"),
    Option.SNAPSHOT: ("REF", "with a snapshot; --snapshot=REF gives it a name"),
    Option.REFERENCE: ("REF", "the name of the snapshot, like team/web:before-upgrade"),
    Option.GRACE: ("TIME", "how long it may take to stop, like 30s or 2m"),
    Option.REASON: ("TEXT", "why, for those who decide"),
    Option.REPLACE: ("", "in the place of a request that waits, if you may reject it"),
}


def add_commands(commands: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the commands of this door to those of the program."""
    request = _command(commands, "request")
    operations = request.add_subparsers(
        dest="operation", required=True, metavar="OPERATION", prog="dockwarden request"
    )
    for operation in catalog.OPERATIONS:
        _add_operation(operations, operation)
    approve = _by_id(commands, "approve")
    approve.add_argument("comment", nargs="?", default="", help="a comment, in quotes")
    _add_wait(approve)
    reject = _by_id(commands, "reject")
    reject.add_argument("comment", metavar="REASON", help="why, in quotes")
    for name in ("cancel", "stop-trying", "try-now"):
        _by_id(commands, name)
    requests = _command(commands, "requests", json=True)
    requests.add_argument(
        "selection", nargs="?", choices=[*grammar.Selection], help="waiting, mine or recent"
    )
    requests.add_argument("--page", type=int, metavar="N", help="the page, from 1 on")
    _add_person(requests)
    status = _command(commands, "status", json=True)
    _add_request(status)
    _add_wait(status)
    listed = _command(commands, "list", json=True)
    listed.add_argument(
        "wanted",
        nargs="*",
        metavar="hosts|PATTERN|running|stopped|unhealthy",
        help="the hosts and who serves them, or the containers to show: a part of their names or "
        "'db-*', and how they stand",
    )
    inspect = _command(commands, "inspect", json=True)
    inspect.add_argument("name", metavar="NAME", help="the name of the container")
    for looks in (listed, inspect):
        looks.add_argument("--on", metavar="HOST", help=_HELP[Option.HOST][1])


def normal(arguments: Sequence[str]) -> list[str]:
    """Give ``--snapshot`` its empty value, or argparse would take the next word for it."""
    flag = _FLAGS[Option.SNAPSHOT]
    return [f"{flag}=" if argument == flag else argument for argument in arguments]


def read(options: argparse.Namespace, *, default_host: str) -> grammar.Command:
    """Read what was typed as a command of the common grammar.

    Raises:
        CommandError: it asks for nothing that Dockwarden can do; the words are a terminal's.
    """
    try:
        return grammar.parse(_text(options), default_host=default_host)
    except CommandError as error:
        raise CommandError(
            as_flags(error.problem), marked="", example=example_of(options)
        ) from error


def as_flags(problem: str) -> str:
    """Write what a mistake says of an option as it is typed here."""
    for option in (Option.GRACE, Option.REASON):
        problem = re.sub(rf"(?<![\w-]){option}=", f"{_FLAGS[option]} ", problem)
    return re.sub(rf"(?<![\w-]){Option.SNAPSHOT}=", f"{_FLAGS[Option.SNAPSHOT]}=", problem)


def example_of(options: argparse.Namespace) -> str:
    """Give one right command line for what was meant."""
    operation = catalog.find(getattr(options, "operation", ""))
    if operation is None:
        argument = {"list": "", "inspect": " web-1"}.get(options.command, " 3f9a1c2b4d5e")
        reason = ' "not during the sale"' if options.command == "reject" else ""
        return f"dockwarden {options.command}{argument}{reason}"
    return f"dockwarden request {_as_typed_here(operation.example)}"


def _as_typed_here(example: str) -> str:
    """Write an example of the grammar as it is typed at a terminal."""
    flags = {option.value: flag for option, flag in _FLAGS.items()}
    kind, name, *words = shlex.split(example)
    typed = [kind, name]
    for word in words:
        key, equals, value = word.partition("=")
        flag = flags.get(key)
        if flag is None:
            typed.append(shlex.quote(word))
        elif not equals:
            typed.append(flag)
        elif key == Option.SNAPSHOT:
            typed.append(f"{flag}={shlex.quote(value)}")
        else:
            typed.append(f"{flag} {shlex.quote(value)}")
    return " ".join(typed)


def _text(options: argparse.Namespace) -> str:
    """Write what was typed as a text of the grammar, each value in quotes."""
    match options.command:
        case "request":
            words = _text_of_request(options)
        case "requests":
            words = f"{options.selection or ''} {'' if options.page is None else options.page}"
        case "list":
            bare = PATTERN_FORM.fullmatch
            wanted = (word if bare(word) else _quoted(word) for word in options.wanted)
            words = f"{' '.join(wanted)}{_pair(Option.HOST, options.on)}"
        case "inspect":
            words = f"{_quoted(options.name)}{_pair(Option.HOST, options.on)}"
        case _:
            comment = getattr(options, "comment", "")
            on = _pair(Option.HOST, options.on)
            words = f"{_quoted(options.id)}{on} {_quoted(comment) if comment else ''}"
    return words if options.command == "request" else f"{options.command} {words}"


def _text_of_request(options: argparse.Namespace) -> str:
    words = [options.operation, " ", _quoted(options.name)]
    for option in Option:
        value = getattr(options, option.name.lower(), None)
        if option is Option.REPLACE or (option is Option.SNAPSHOT and value == ""):
            words.append(f" {option}" if value is not None and value is not False else "")
        else:
            words.append(_pair(option, value))
    return "".join(words)


def _pair(option: Option, value: str | None) -> str:
    return "" if value is None else f" {option}={_quoted(value)}"


def _quoted(value: str) -> str:
    """Write a value so that the grammar reads it back as it was typed: no mark-up, no entity."""
    return html.escape(quoted(value), quote=False)


def _add_operation(operations: Any, operation: Operation) -> None:  # noqa: ANN401
    parser = operations.add_parser(
        operation.kind,
        help=operation.summary,
        description=operation.summary,
        epilog=f"for example: dockwarden request {_as_typed_here(operation.example)}",
        # An example that is broken at a hyphen cannot be copied.
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="NAME", help="the name of the container")
    for option in operation.options:
        metavar, words = _HELP[option]
        place = option.name.lower()
        if option is Option.REPLACE:
            parser.add_argument(_FLAGS[option], dest=place, action="store_true", help=words)
        else:
            # See normal(): an option that may have no value has an empty one.
            values = "?" if option is Option.SNAPSHOT else None
            parser.add_argument(
                _FLAGS[option], dest=place, nargs=values, metavar=metavar, help=words
            )
    _add_person(parser)
    parser.add_argument(
        "--channel",
        type=_id("channel", _CHANNEL_ID, "C012AB3CD"),
        metavar="C…",
        help="where the card is posted (DOCKWARDEN_CHANNEL)",
    )
    _add_wait(parser)
    _add_json(parser)


def _command(commands: Any, name: str, *, json: bool = False) -> argparse.ArgumentParser:  # noqa: ANN401
    parser: argparse.ArgumentParser = commands.add_parser(
        name, description=SUMMARIES[name], allow_abbrev=False
    )
    if json:
        _add_json(parser)
    return parser


def _by_id(commands: Any, name: str) -> argparse.ArgumentParser:  # noqa: ANN401
    parser = _command(commands, name, json=True)
    _add_request(parser)
    _add_person(parser)
    return parser


def _add_request(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "id", metavar="ID|NAME", help="the id of the request, or the name of its container"
    )
    parser.add_argument("--on", metavar="HOST", help=_HELP[Option.HOST][1])


def _add_person(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as",
        dest="user",
        type=_id("user", USER_ID_FORM, "U024BE7LH"),
        metavar="U…",
        help="the Slack user who you say that you are (DOCKWARDEN_USER)",
    )
    parser.add_argument(
        "--team",
        type=_id("workspace", _TEAM_ID, "T024BE7LD"),
        metavar="T…",
        help="the Slack workspace (DOCKWARDEN_TEAM)",
    )


def _add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait", action="store_true", help="wait until it is over, and show what is done"
    )
    parser.add_argument(
        "--within",
        type=_seconds,
        metavar="TIME",
        help="wait, but no longer than this, like 90s or 2h",
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object, for scripts")


def _id(what: str, form: re.Pattern[str], example: str) -> Callable[[str], str]:
    def checked(text: str) -> str:
        if not form.fullmatch(text):
            message = f"{text!r} is no id of a Slack {what}; those look like {example}"
            raise argparse.ArgumentTypeError(message)
        return text

    return checked


def _seconds(text: str) -> int:
    match = _WAIT_TIME.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = (hours * 60 + minutes) * 60 + seconds
    if total <= 0:
        message = f"{text!r} is no time; write 90s, 15m or 2h"
        raise argparse.ArgumentTypeError(message)
    return total
