"""What can a person ask of the compose installation on this machine?"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from deploy.composed.running import Options, Running, running
from deploy.laptop.console import LaptopError, say, warn
from deploy.laptop.containers import NAMES
from deploy.laptop.demo import FIRST_COMMAND, demo_policies, play_scenes
from deploy.laptop.ending import stay_up, until_signalled
from deploy.laptop.scenes import IMPATIENT
from deploy.laptop.slack_server import CHANNEL_NAME

_HOME = Path(__file__).parents[2] / ".dockwarden"


def main() -> int:
    """Play the scenes on the compose installation; give the exit status."""
    arguments = _parser().parse_args()
    options = Options(
        state=arguments.state or _HOME / "demo-compose",
        policies=demo_policies(),
        containers=(*NAMES, IMPATIENT),
        docker_host=arguments.docker_host or None,
        stand_ins=arguments.stand_ins,
    )
    try:
        status = asyncio.run(until_signalled(_play(options)))
    except LaptopError as problem:
        warn(str(problem))
        return 1
    say("stopped; nothing is left but the images, for the next time")
    return status


async def _play(options: Options) -> int:
    """Check as README says, play the scenes, and stay up on a terminal."""
    async with running(options) as composed:
        say("\n━━ docker compose run --rm check")
        say(await composed.installation.compose("run", "--rm", "--no-TTY", "check"))
        good = await play_scenes(composed.slack, composed.docker_url)
        await stay_up(lambda: _invite(composed))
    return 0 if good else 1


def _invite(composed: Running) -> None:
    compose = composed.installation.folder / "compose"
    if compose.is_relative_to(Path.cwd()):
        compose = compose.relative_to(Path.cwd())
    say(
        f"""
It stays up. Try it yourself:
  1. open {composed.slack} in a browser and choose #{CHANNEL_NAME}
  2. as Alice, type: {FIRST_COMMAND}
  3. switch "Act as" to Bob, and press Approve
  4. ask Compose, with whatever it knows: {compose} ps
  5. ask the engine itself: docker --host {composed.docker_url} ps --all
  6. be unkind: ask once more, {compose} kill docker-worker, Approve,
     {compose} up --detach
Ctrl-C stops and removes all of it."""
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.composed",
        description="Run the compose installation on this machine with a local Slack, and play "
        "three scenes.",
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="where the installation and an engine of its own lie (default: in .dockwarden)",
    )
    parser.add_argument(
        "--docker-host",
        metavar="URL",
        help="the Docker engine to use (default: the one that runs here, or one of its own)",
    )
    parser.add_argument(
        "--stand-ins",
        action="store_true",
        help="ask no registry of images; an engine of its own is never asked to",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
