"""What can be typed, and how does the program end?

The composition root: ``dockwarden bot``, ``worker``, ``check`` and ``version``, and the commands of
the door for terminals. SIGTERM and Ctrl-C drain what serves; the same signal again ends at once.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from importlib import metadata

from bot import logs, settings as bot_settings
from bot.finding import Finding
from bot.parts import Part
from bot.secrets import Problems
from bot.settings import ConfigurationError, LogFormat, LogLevel, Settings
from bot.temporal import client as temporal
from bot.terminal import arguments as terminal, run as at_terminal
from workflows.model.names import HOST_NAME

_log = logging.getLogger(__name__)

_OK, _FAILED, _BAD_SETUP = 0, 1, 2
_SERVABLE = ("control", "docker")
_HARD_END = 15
_EPILOG = """\
for example:
  dockwarden check
  dockwarden request stop web-1 --snapshot --reason "CVE-2026-1" --as U024BE7LH --wait

`dockwarden COMMAND --help` says more. Settings are environment variables;
deploy/env.example lists them all. README.md walks through an installation,
docs/terminal.md through a request."""

Service = Callable[[asyncio.Event], Awaitable[None]]


def main() -> None:
    """Run the program and end the process.

    It ends hard: the threads of Temporal's SDK race the interpreter's shutdown
    (temporalio/sdk-python#300), which now and then turned a clean end into a crash.
    """
    code = run(sys.argv[1:])
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit status: 0 well, 1 failed, 2 set up wrongly.

    Those of a terminal have more: ``bot/terminal/exits.py``.
    """
    options = _parser().parse_args(terminal.normal(arguments))
    if options.command == "version":
        sys.stdout.write(f"{_version()}\n")
        return _OK
    try:
        needs = _NEEDS.get(options.command, at_terminal.needs)
        settings = bot_settings.load(lambda settings: needs(settings, options))
        is_served = options.command in _COMMANDS
        # Whoever sits at a terminal reads the answer, and no log beside it unless it is asked for.
        level = settings.log_level if is_served or settings.log_is_set else LogLevel.WARNING
        logs.configure(as_json=settings.log_format is LogFormat.JSON, level=level)
        temporal.log_in_our_way()
        return _COMMANDS.get(options.command, at_terminal.run)(settings, options)
    except ConfigurationError as error:
        _tell_bad_setup(str(error).splitlines(), is_check=options.command == "check")
        return _BAD_SETUP
    except Exception:  # noqa: BLE001 - whatever it was, the log says it and the status is 1
        _log.exception("ended by an unexpected error")
        return _FAILED


def _tell_bad_setup(lines: list[str], *, is_check: bool) -> None:
    """Say what cannot be as it is set; a check says it as it says the rest."""
    if not is_check:
        sys.stderr.writelines(f"dockwarden: {logs.redact(line)}\n" for line in lines)
        return
    findings = [Finding(False, "settings", line) for line in lines]
    sys.stdout.writelines(f"{logs.redact(str(finding))}\n" for finding in findings)
    sys.stdout.write("nothing else was looked at: correct the settings first\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dockwarden",
        usage="dockwarden COMMAND …",
        description=_listing(),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version(), help=argparse.SUPPRESS)
    commands = parser.add_subparsers(
        dest="command",
        required=True,
        metavar="COMMAND",
        help=argparse.SUPPRESS,
        prog="dockwarden",
    )
    commands.add_parser("bot")
    worker = commands.add_parser("worker")
    worker.add_argument(
        "--serve",
        type=_serve,
        default=frozenset(_SERVABLE),
        metavar="WHAT",
        help="control: the workflows and Slack; docker: one engine; control,docker: both (default)",
    )
    worker.add_argument(
        "--host", type=_host, default=None, help="name of the Docker host (DOCKWARDEN_HOST)"
    )
    check = commands.add_parser("check")
    check.add_argument(
        "--only",
        type=_parts,
        default=frozenset(Part),
        metavar=",".join(Part),
        help="check only these parts",
    )
    commands.add_parser("version")
    terminal.add_commands(commands)
    return parser


def _version() -> str:
    return f"dockwarden {metadata.version('dockwarden')}"


def _listing() -> str:
    """List the commands by what people want with them."""
    groups = {
        "serve": {"bot": "serve Slack", "worker": "carry out requests"},
        "set up": {"check": "say what is missing", "version": "print the version"},
    }
    for name, commands in terminal.GROUPS.items():
        groups[f"{name}, at a terminal"] = {one: terminal.SUMMARIES[one] for one in commands}
    lines = ["Asks people in Slack before it touches a container."]
    for name, summaries in groups.items():
        lines += ["", f"{name}:", *(f"  {one:<12} {words}" for one, words in summaries.items())]
    return "\n".join(lines)


def _bot(settings: Settings, _options: argparse.Namespace) -> int:
    from bot.slack.serve import serve_bot  # noqa: PLC0415 - who types a command does not wait for it

    _warn_of_unknown_variables()
    asyncio.run(_until_signal(lambda stop: serve_bot(settings, stop)))
    return _OK


def _worker(settings: Settings, options: argparse.Namespace) -> int:
    _warn_of_unknown_variables()
    serve: frozenset[str] = options.serve
    host = options.host or settings.host
    asyncio.run(
        _until_signal(lambda stop: _serve_worker(settings, serve=serve, host=host, stop=stop))
    )
    return _OK


def _check(settings: Settings, options: argparse.Namespace) -> int:
    from activities import checks  # noqa: PLC0415 - only this command needs Docker and the book
    from bot.check import run_checks  # noqa: PLC0415 - and only this one so much of Slack

    checked = run_checks(settings, options.only, checks.check_docker, checks.check_policies)
    findings = asyncio.run(checked)
    for finding in findings:
        sys.stdout.write(f"{logs.redact(str(finding))}\n")
    return _OK if all(finding.right for finding in findings) else _FAILED


_COMMANDS: dict[str, Callable[[Settings, argparse.Namespace], int]] = {
    "bot": _bot,
    "worker": _worker,
    "check": _check,
}


#: What a command cannot do without; ``check`` says by itself what is missing.
_NEEDS: dict[str, Callable[[Settings, argparse.Namespace], Problems]] = {
    "bot": lambda settings, _options: bot_settings.needs_of_bot(settings),
    "worker": lambda settings, options: bot_settings.needs_of_worker(settings, serve=options.serve),
    "check": lambda _settings, _options: {},
}


async def _serve_worker(
    settings: Settings, *, serve: frozenset[str], host: str, stop: asyncio.Event
) -> None:
    from activities.worker import (  # noqa: PLC0415 - a bot never loads what a worker needs
        WorkerConfig,
        run_worker,
    )
    from bot import health  # noqa: PLC0415 - nor does a terminal, which serves nothing

    problems: Sequence[Callable[[], str]] = (lambda: "waiting for Temporal",)

    def what_is_wrong() -> str:
        if stop.is_set():
            return "stopping"
        return "; ".join(words for problem in problems if (words := problem()))

    def begun(told: Sequence[Callable[[], str]]) -> None:
        nonlocal problems
        problems = told

    async with health.served(
        address=settings.listen,
        port=settings.health_port,
        what_is_wrong=what_is_wrong,
    ):
        client = await temporal.connect_patiently(stop)
        if client is None:
            return
        config = WorkerConfig(
            serve=serve,
            host=host,
            docker_base_url=settings.docker_host,
            protected_names=settings.protected,
            snapshots_per_container=settings.snapshots_per_container,
            min_free_mb=settings.min_free_mb,
            data_root=settings.data_root,
            stops_at_once=settings.stops_at_once,
            open_requests=settings.open_requests,
            slack_token=settings.slack_bot_token.get_secret_value(),
            slack_api_url=settings.slack_api_url,
            plain_markup=settings.plain_markup,
            command=settings.command,
            temporal_ui=settings.temporal_ui_url,
            namespace=client.namespace,
            graceful_seconds=settings.shutdown_seconds,
            seal_keys=settings.seal_keys,
            policies=settings.policies,
        )
        working = asyncio.create_task(run_worker(client, config, stop, begun))
        await _finish(working, stop, within=settings.shutdown_seconds + _HARD_END)


async def _finish(working: asyncio.Task[None], stop: asyncio.Event, *, within: float) -> None:
    """Wait for the work; once ``stop`` is set, no longer than the drain may take."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    done, _ = await asyncio.wait((working,), timeout=within)
    if not done:
        message = f"the work did not end within {within:g} s"
        raise TimeoutError(message)
    working.result()


async def _until_signal(service: Service) -> None:
    """Run a service; the first signal asks it to stop, the second ends the process."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        _log.info("draining", extra={"signal": signal.Signals(number).name})
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    await service(stop)


def _warn_of_unknown_variables() -> None:
    for words in bot_settings.unknown_variables():
        _log.warning("unknown setting ignored", extra={"why": words})


def _serve(text: str) -> frozenset[str]:
    return frozenset(_choices(text, _SERVABLE))


def _parts(text: str) -> frozenset[Part]:
    return frozenset(Part(part) for part in _choices(text, tuple(Part)))


def _choices(text: str, possible: tuple[str, ...]) -> list[str]:
    chosen = [part.strip().lower() for part in text.split(",")]
    wrong = [part for part in chosen if part not in possible]
    if wrong:
        message = f"{', '.join(wrong)!r} is not one of {', '.join(possible)}"
        raise argparse.ArgumentTypeError(message)
    return chosen


def _host(text: str) -> str:
    if not HOST_NAME.fullmatch(text):
        message = f"{text!r} is no host name: small letters, digits, dots and hyphens"
        raise argparse.ArgumentTypeError(message)
    return text
