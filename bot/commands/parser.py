"""Which sub-commands are there, and which one does the text after the slash command ask for?

Pure: text in, one frozen command out, or a :class:`~bot.commands.tokens.CommandError` that says
what is wrong, shows the input with the bad word marked, and gives one right example. Each
operation of the catalogue is a sub-command; ``tokens.py`` splits the text, ``options.py`` and
``ask.py`` read its parts.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

from bot.commands.ask import Ask, explain_options, take_ask, usage_of
from bot.commands.elsewhere import what_cannot, what_is_meant
from bot.commands.looking import (
    LIST_EXPLAINED,
    LIST_USAGE,
    Inspect,
    ListContainers,
    ListHosts,
    parse_inspect,
    parse_list,
)
from bot.commands.options import (
    name_after,
    take_comment,
    take_request,
)
from bot.commands.tokens import CommandError, Word, Words, nearest, read_words
from workflows.model.requests import ContainerRef
from workflows.model.text import shows_nothing
from workflows.operations import catalog
from workflows.operations.operation import Operation

_PAGE = re.compile(r"[1-9][0-9]?")


class Selection(StrEnum):
    """Which requests somebody wants to see."""

    WAITING = "waiting"
    MINE = "mine"
    RECENT = "recent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """``requests [waiting|mine|recent] [PAGE]``; ``None`` asks for all that is open."""

    selection: Selection | None = None
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutRequest:
    """A request, by the id that its card shows, or by its container: only one can be open."""

    request_id: str = ""
    container: ContainerRef | None = None

    @property
    def request(self) -> str | ContainerRef:
        """Which request is meant."""
        return self.container or self.request_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(AboutRequest):
    """``status REQUEST``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(AboutRequest):
    """``cancel REQUEST``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTrying(AboutRequest):
    """``stop-trying REQUEST``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TryNow(AboutRequest):
    """``try-now REQUEST``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve(AboutRequest):
    """``approve REQUEST ["comment"]``."""

    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject(AboutRequest):
    """``reject REQUEST "reason"``."""

    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """``help [SUBCOMMAND]``; an empty text asks for help too."""

    topic: str = ""


Command = (
    Ask
    | ListContainers
    | ListHosts
    | Inspect
    | Requests
    | Status
    | Cancel
    | StopTrying
    | TryNow
    | Approve
    | Reject
    | Help
)


class Group(StrEnum):
    """What somebody wants with a sub-command; the help is in this order."""

    ASK = "Ask"
    LOOK = "Look"
    DECIDE = "Decide"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubCommand:
    """One sub-command: what the help and mistakes say of it, and how it is read.

    ``usage`` says how it is written, ``summary`` what it does, ``example`` is right as it stands;
    ``explained`` is for who asks for help about it alone.
    """

    group: Group
    usage: str
    summary: str
    example: str
    parse: Callable[[Words, str], Command]
    explained: str = ""

    @property
    def name(self) -> str:
        """The word for it."""
        return self.usage.partition(" ")[0]

    @property
    def takes_name(self) -> bool:
        """Whether the name of a container follows, and nothing else has to."""
        return self.usage.startswith(f"{self.name} NAME")


def parse(text: str, *, default_host: str) -> Command:
    """Read a command; a command that names no host means ``default_host``.

    Raises:
        CommandError: the text asks for nothing that Dockwarden can do; its example is right.
    """
    try:
        return _parse(text, default_host)
    except CommandError as error:
        if error.own and _is_right(error.own, default_host):
            error.example = error.own
        else:
            error.own = ""
        raise


def _is_right(text: str, default_host: str) -> bool:
    """Say whether a text that we wrote ourselves is understood."""
    try:
        _parse(html.escape(text, quote=False), default_host)
    except CommandError:
        return False
    return True


def _parse(text: str, default_host: str) -> Command:
    words = read_words(text, example=FIRST_EXAMPLE)
    first = words.take()
    if first is not None and first.quoted and not first.key and words.peek() is None:
        # Quotes around the whole, as it stood in what it was copied from.
        words = read_words(first.value, example=FIRST_EXAMPLE)
        first = words.take()
    if first is None:
        return Help()
    sub_command = SUB_COMMANDS.get(first.keyword) or _refuse_unknown(words, first)
    words.example = sub_command.example
    command = sub_command.parse(words, default_host)
    extra = words.take()
    if extra is not None:
        words.refuse(f"{extra.shown} is too much here.", extra)
    return command


def _refuse_unknown(words: Words, word: Word) -> NoReturn:
    """Say what there is instead of a sub-command that is not there."""
    what, meant = what_cannot(word.keyword)
    if what:
        problem = f"Dockwarden cannot {what}."
        if meant:
            summary = SUB_COMMANDS[meant].summary
            problem += f" There is {meant}, which {summary[0].lower()}{summary[1:]}"
    else:
        meant = what_is_meant(word.keyword) or nearest(word.keyword, SUB_COMMANDS)
        did_you_mean = f"Did you mean {meant}?" if meant else "Try help."
        problem = f"There is no sub-command {word.shown}. {did_you_mean}"
    words.example = SUB_COMMANDS[meant].example if meant else _HELP
    name = name_after(words)
    if meant and name and SUB_COMMANDS[meant].takes_name:
        words.example = f"{meant} {name}"
    words.refuse(problem, word, instead=meant or None)


def _parse_requests(words: Words, _default_host: str) -> Requests:
    word = words.take()
    selection = None
    if word is not None and not _PAGE.fullmatch(word.keyword):
        choice = word.keyword
        if choice not in list(Selection):
            near = nearest(choice, Selection)
            hint = near or "waiting, mine or recent"
            problem = f"There is no list {word.shown}. Did you mean {hint}?"
            words.refuse(problem, word, instead=near or None)
        selection, word = Selection(choice), words.take()
    if word is None:
        return Requests(selection=selection)
    if not _PAGE.fullmatch(word.keyword):
        words.refuse(f"{word.shown} is no page; write a number from 1 to 99.", word)
    return Requests(selection=selection, page=int(word.keyword))


def _about(
    kind: type[Status | Cancel | StopTrying | TryNow],
) -> Callable[[Words, str], Command]:
    """Parse a sub-command that is about a request, and takes nothing else."""

    def parsed(words: Words, default_host: str) -> Command:
        request = take_request(words, default_host)
        if isinstance(request, str):
            return kind(request_id=request)
        return kind(container=request)

    return parsed


def _parse_approve(words: Words, default_host: str) -> Approve:
    request = take_request(words, default_host)
    comment = take_comment(words)
    if isinstance(request, str):
        return Approve(request_id=request, comment=comment)
    return Approve(container=request, comment=comment)


def _parse_reject(words: Words, default_host: str) -> Reject:
    request = take_request(words, default_host)
    typed = request if isinstance(request, str) else request.name
    words.example = f'reject {typed} "not during the sale"'
    comment = take_comment(words)
    if shows_nothing(comment):
        words.refuse("A rejection needs a reason, in quotes.")
    if isinstance(request, str):
        return Reject(request_id=request, comment=comment)
    return Reject(container=request, comment=comment)


def _parse_help(words: Words, _default_host: str) -> Help:
    word = words.take()
    if word is None:
        return Help()
    if word.keyword not in SUB_COMMANDS:
        _refuse_unknown(words, word)
    return Help(topic=word.keyword)


def _asks(operation: Operation) -> SubCommand:
    return SubCommand(
        group=Group.ASK,
        usage=usage_of(operation),
        summary=operation.summary,
        example=operation.example,
        parse=lambda words, default_host: take_ask(words, operation, default_host),
        explained=explain_options(operation),
    )


_HELP: Final = "help"
_ROWS: Final = (
    *map(_asks, catalog.OPERATIONS),
    SubCommand(
        group=Group.LOOK,
        usage=LIST_USAGE,
        summary="Shows the containers of a host, all or some; “list hosts” shows the hosts.",
        example="list",
        explained=LIST_EXPLAINED,
        parse=parse_list,
    ),
    SubCommand(
        group=Group.LOOK,
        usage="inspect NAME [on HOST]",
        summary="Shows one container, without its environment.",
        example="inspect web-1",
        parse=parse_inspect,
    ),
    SubCommand(
        group=Group.LOOK,
        usage="requests [waiting|mine|recent] [PAGE]",
        summary="Shows requests; if not told which, all that are open, those first that need a "
        "person, then those that wait for you.",
        example="requests waiting",
        parse=_parse_requests,
    ),
    SubCommand(
        group=Group.LOOK,
        usage="status ID|NAME [on HOST]",
        summary="Shows where a request stands: by its id, or by its container the latest.",
        example="status 3f9a1c2b4d5e",
        parse=_about(Status),
    ),
    SubCommand(
        group=Group.LOOK,
        usage="help [SUBCOMMAND]",
        summary="Shows this, or more about one sub-command.",
        example=f"{_HELP} {catalog.OPERATIONS[0].kind}",
        parse=_parse_help,
    ),
    SubCommand(
        group=Group.DECIDE,
        usage='approve ID|NAME [on HOST] ["comment"]',
        summary="Approves a request, like the button on its card.",
        example='approve 3f9a1c2b4d5e "looks good"',
        parse=_parse_approve,
    ),
    SubCommand(
        group=Group.DECIDE,
        usage='reject ID|NAME [on HOST] "reason"',
        summary="Rejects a request, like the button on its card.",
        example='reject 3f9a1c2b4d5e "not during the sale"',
        parse=_parse_reject,
    ),
    SubCommand(
        group=Group.DECIDE,
        usage="cancel ID|NAME [on HOST]",
        summary="Cancels your own request; what was begun is undone, and the container put back.",
        example="cancel 3f9a1c2b4d5e",
        parse=_about(Cancel),
    ),
    SubCommand(
        group=Group.DECIDE,
        usage="try-now ID|NAME [on HOST]",
        summary="Tries at once to put a container back that needs a person.",
        example="try-now 3f9a1c2b4d5e",
        parse=_about(TryNow),
    ),
    SubCommand(
        group=Group.DECIDE,
        usage="stop-trying ID|NAME [on HOST]",
        summary="Ends the tries to put a container back. It asks once more before it does.",
        example="stop-trying 3f9a1c2b4d5e",
        parse=_about(StopTrying),
    ),
)
#: All of them by their words, in the order in which the help shows them.
SUB_COMMANDS: Final[dict[str, SubCommand]] = {row.name: row for row in _ROWS}
#: What is shown to somebody who has not said which sub-command is meant.
FIRST_EXAMPLE: Final = _ROWS[0].example
