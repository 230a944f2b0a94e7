"""What can a person ask of the laptop?"""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from deploy.laptop.console import LaptopError, say, warn
from deploy.laptop.containers import NAMES
from deploy.laptop.demo import play
from deploy.laptop.dockwarden import LIMITS
from deploy.laptop.ending import until_signalled
from deploy.laptop.slack_server import binary
from deploy.laptop.stack import Options, running

_HOME = Path(__file__).parents[2] / ".dockwarden"

#: What is said when all is over; nothing but a clean end gets there.
_ENDS = {
    "demo": "stopped; nothing is left (`make clean` removes what was installed, and the logs)",
    "up": "stopped; nothing is left but the requests, for the next time",
}


def main() -> int:
    """Run what was asked for; give the exit status."""
    arguments = _parser().parse_args()
    options = Options(
        state=arguments.state or _HOME / ("demo" if arguments.command == "demo" else "laptop"),
        # A demo that was interrupted leaves requests open, which would be in its own way.
        fresh=arguments.command == "demo" and not arguments.state,
        policies=arguments.policies,
        docker_host=arguments.docker_host or None,
        containers=NAMES if arguments.containers else (),
        limits=arguments.limits,
        ready=arguments.ready,
    )
    try:
        if arguments.command == "fetch":
            binary()
            return 0
        run = play(options) if arguments.command == "demo" else _up(options)
        status = asyncio.run(until_signalled(run))
    except LaptopError as problem:
        warn(str(problem))
        return 1
    say(_ENDS[arguments.command])
    return status


async def _up(options: Options) -> int:
    async with running(options) as laptop:
        say(f"Slack:    {laptop.slack}")
        say(f"Temporal: {laptop.temporal_ui}")
        if not options.limits:
            say(f"without limits, for measurements: {', '.join(LIMITS)} are 0")
        say("Ctrl-C stops and removes all of it; requests are kept for the next time")
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.laptop",
        description="Run the whole of Dockwarden on this machine, with a local Slack and Temporal.",
    )
    parser.add_argument(
        "command",
        choices=("up", "demo", "fetch"),
        help="run until Ctrl-C; play three scenes first; or only get the local Slack",
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="where it keeps its ports and Temporal's database (default: in .dockwarden; "
        "without it each demo begins anew)",
    )
    parser.add_argument(
        "--policies",
        type=Path,
        metavar="FILE",
        help="who may decide what (default: bob or carol, about any container)",
    )
    parser.add_argument(
        "--docker-host",
        metavar="URL",
        help="the Docker engine to use (default: the one that runs here, or one of its own)",
    )
    parser.add_argument(
        "--no-containers",
        action="store_false",
        dest="containers",
        help="make no containers to play with",
    )
    parser.add_argument(
        "--no-limits",
        action="store_false",
        dest="limits",
        help="let nobody be too fast, for measurements; the ready file and the output say so",
    )
    parser.add_argument(
        "--ready",
        type=Path,
        metavar="FILE",
        help="write the addresses and process ids there, as JSON, whenever all is ready",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
