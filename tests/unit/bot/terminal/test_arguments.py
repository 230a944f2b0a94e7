"""Is what is typed at a terminal read as the slash command reads it, and a mistake told?"""

from __future__ import annotations

import argparse
import shlex

import pytest

from bot.cli import _parser
from bot.commands import looking, parser as grammar
from bot.commands.ask import Ask
from bot.commands.tokens import CommandError
from bot.terminal import arguments
from workflows.model.listing import Wanted, Which
from workflows.model.requests import ContainerRef, OperationSpec
from workflows.operations import catalog
from workflows.operations.operation import Operation, Option

ID = "3f9a1c2b4d5e"


def _options(*typed: str) -> argparse.Namespace:
    return _parser().parse_args(arguments.normal(typed))


def _read(*typed: str) -> grammar.Command:
    return arguments.read(_options(*typed), default_host="local")


def _ask(
    kind: str, *, host: str = "local", reason: str = "", replace: bool = False, **spec: object
) -> Ask:
    return Ask(
        operation=OperationSpec(kind=kind, **spec),  # type: ignore[arg-type]  # fields of it
        container=ContainerRef(host=host, name="web-1"),
        reason=reason,
        replace=replace,
    )


STOP = ("request", "stop", "web-1")
READ = [
    (STOP, _ask("stop")),
    (("request", "stop", "--snapshot", "web-1"), _ask("stop", snapshot=True)),
    (
        (*STOP, "--snapshot=team/web:v1"),
        _ask("stop", snapshot=True, snapshot_ref="team/web:v1"),
    ),
    ((*STOP, "--on", "edge-1", "--grace", "2m"), _ask("stop", host="edge-1", grace_seconds=120)),
    ((*STOP, "--on=edge-1", "--grace=30"), _ask("stop", host="edge-1", grace_seconds=30)),
    ((*STOP, "--replace"), _ask("stop", replace=True)),
    # a reason is kept as it was typed: quotes, marks, what Slack would read, other alphabets
    *(
        ((*STOP, "--reason", text), _ask("stop", reason=text))
        for text in (
            "CVE-2026-1",
            'it "leaks" memory',
            "*bold* _it_ ~no~ `x`",
            "<@U1> &amp; <http://a|b> <!here>",
            "back\\slash \\",
            "“curly” \u2018quotes\u2019",
            "it's",
            "ÄÖ 日本",
            "stop web-2 on edge",
            "- a dash",
        )
    ),
    (
        ("request", "snapshot", "web-1", "--reference", "team/web:v1", "--reason", "x"),
        _ask("snapshot", snapshot=True, snapshot_ref="team/web:v1", reason="x"),
    ),
    (("approve", ID), grammar.Approve(request_id=ID)),
    (("approve", f"req-{ID}", "looks good"), grammar.Approve(request_id=ID, comment="looks good")),
    (("reject", ID, "reason=no"), grammar.Reject(request_id=ID, comment="reason=no")),
    (("cancel", ID), grammar.Cancel(request_id=ID)),
    (
        ("reject", "web-1", "--on", "edge", "on fire"),
        grammar.Reject(container=ContainerRef(host="edge", name="web-1"), comment="on fire"),
    ),
    (("stop-trying", ID), grammar.StopTrying(request_id=ID)),
    (("try-now", ID), grammar.TryNow(request_id=ID)),
    (("requests",), grammar.Requests()),
    (("requests", "mine"), grammar.Requests(selection=grammar.Selection.MINE)),
    (("status", ID), grammar.Status(request_id=ID)),
    (("list",), looking.ListContainers(host="local")),
    (("list", "--on", "edge"), looking.ListContainers(host="edge")),
    (("list", "hosts"), looking.ListHosts()),
    (
        ("list", "db-*", "stopped"),
        looking.ListContainers(host="local", wanted=Wanted(pattern="db-*", which=Which.STOPPED)),
    ),
    (("inspect", "web-1"), looking.Inspect(container="web-1", host="local")),
    (("inspect", "web-1", "--on", "edge"), looking.Inspect(container="web-1", host="edge")),
]


@pytest.mark.parametrize(("typed", "command"), READ)
def test_it_is_read(typed: tuple[str, ...], command: grammar.Command) -> None:
    """Each command comes out as the same one of the common grammar."""
    assert _read(*typed) == command


MISTAKES = [
    (("request", "stop", "w"), "is no container name"),
    (("request", "stop", "../images"), "is no container name"),
    (("request", "stop", "web\u20131"), "EN DASH"),
    ((*STOP, "--on", "Edge_1"), "is no host name"),
    ((*STOP, "--grace", "5x"), "“--grace 5x” is no time; write --grace 30s or --grace 2m."),
    ((*STOP, "--grace", "3h"), "is no time"),
    ((*STOP, "--grace", "11m"), "grace takes 1 to 600 seconds."),
    ((*STOP, "--reason", ""), "needs a text, like --reason"),
    ((*STOP, "--reason", "\u200b"), "needs a text"),
    ((*STOP, "--snapshot=team/Web"), "is no image name"),
    (("request", "snapshot", "web-1", "--reference", ""), "The name of the image is missing."),
    (("approve", "/x"), "is no container name"),
    (("reject", ID, " "), "A rejection needs a reason"),
    (("reject", ID, ""), "A rejection needs a reason"),
    (("inspect", ""), "is no container name"),
]


@pytest.mark.parametrize(("typed", "problem"), MISTAKES)
def test_a_mistake_is_told_with_what_would_be_right(typed: tuple[str, ...], problem: str) -> None:
    """In the words of the grammar, with options as they are typed here, and one right line."""
    with pytest.raises(CommandError) as told:
        _read(*typed)
    assert problem in told.value.problem
    assert told.value.example.startswith(f"dockwarden {typed[0]}")


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ((), "required: COMMAND"),
        (("request",), "required: OPERATION"),
        (("request", "remove", "web-1"), "invalid choice: 'remove'"),
        (("request", "stop"), "required: NAME"),
        ((*STOP, "--snap"), "unrecognized arguments: --snap"),
        ((*STOP, "web-2"), "unrecognized arguments: web-2"),
        ((*STOP, "--as", "alice"), "'alice' is no id of a Slack user; those look like U024BE7LH"),
        ((*STOP, "--team", "acme"), "is no id of a Slack workspace"),
        ((*STOP, "--channel", "#ops"), "is no id of a Slack channel"),
        ((*STOP, "--within", "soon"), "'soon' is no time; write 90s, 15m or 2h"),
        ((*STOP, "--within", "0"), "is no time"),
        (("request", "start", "web-1", "--grace", "3s"), "unrecognized arguments: --grace 3s"),
        (("reject", ID), "required: REASON"),
        (("requests", "yours"), "invalid choice: 'yours'"),
    ],
)
def test_what_is_no_command_is_wrong_usage(
    typed: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends with the status of wrong usage, and says what was not understood."""
    with pytest.raises(SystemExit) as ended:
        _options(*typed)
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize("operation", catalog.OPERATIONS, ids=lambda operation: operation.kind)
def test_every_operation_of_the_catalogue_can_be_typed(
    operation: Operation, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the options that it has and no others, by the example that its help shows."""
    with pytest.raises(SystemExit):
        _options("request", operation.kind, "--help")
    shown = " ".join(capsys.readouterr().out.split())
    flags = {option: f"--{option}" for option in Option} | {Option.REFERENCE: "--reference"}
    for option, flag in flags.items():
        assert (f" {flag} " in shown or f"[{flag}" in shown) == (option in operation.options), flag
    example = arguments.example_of(argparse.Namespace(operation=operation.kind))
    assert example in shown
    read = _read(*shlex.split(example)[1:])
    assert isinstance(read, Ask)
    assert read == grammar.parse(operation.example, default_host="local")


def test_the_help_lists_every_command_once_by_what_people_want(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Those of this door stand in groups, beside those that serve and those of the set-up."""
    with pytest.raises(SystemExit):
        _options("--help")
    shown = capsys.readouterr().out
    for group in ("serve:", "set up:", "ask, at a terminal:", "decide, at a terminal:"):
        assert f"\n{group}\n" in shown
    commands = [command for group in arguments.GROUPS.values() for command in group]
    assert sorted(commands) == sorted(arguments.SUMMARIES)
    for command in (*commands, "bot", "worker", "check", "version"):
        assert shown.count(f"\n  {command} ") == 1, command
