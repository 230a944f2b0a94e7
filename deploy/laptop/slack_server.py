"""How does the laptop run a Slack of its own, and who is in it?

The local Slack is one binary from npm. It is checked twice before it runs: npm compares the
archive with the lock file's sha512, and the binary itself must have the sha256 below.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.laptop.console import LaptopError, say
from deploy.laptop.state import LOOPBACK, Ports, StateDirectory
from deploy.laptop.supervisor import Part, answers, machine_environment, part_environment

_PACKAGE = Path(__file__).parent / "local_slack"
_CACHE = Path(__file__).parents[2] / ".dockwarden" / "local-slack"
_BINARY = Path("node_modules", "local-slack-linux-x64", "bin", "local-slack")
_SHA256 = "3332007b797969d835f694b463ac526f7ef1fc66afac93f950f585105fe4815f"

TEAM_ID = "T0LAPTOP1"
USERS = {"alice": "U0ALICE01", "bob": "U0BOB0001", "carol": "U0CAROL01", "dave": "U0DAVE001"}
CHANNEL_ID, CHANNEL_NAME = "C0OPS0001", "ops-containers"
BOT_USER_ID = "U0WARDEN1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the bot shows to Slack; made up for one laptop."""

    bot_token: str
    app_token: str
    signing_secret: str


def credentials(state: StateDirectory) -> Credentials:
    """Give the credentials of this laptop's Slack app."""
    return Credentials(
        bot_token=f"xoxb-{state.secret('slack-bot')}",
        app_token=f"xapp-{state.secret('slack-app')}",
        signing_secret=state.secret("slack-signing"),
    )


def slack_url(ports: Ports) -> str:
    """Give the address at which people see the local Slack; its API is below ``/api/``."""
    return f"http://{LOOPBACK}:{ports.slack}"


def slack_server(state: StateDirectory, ports: Ports) -> Part:
    """Describe the local Slack.

    Its messages live in memory: after a restart the channel is empty.

    Raises:
        LaptopError: the binary cannot be had on this machine.
    """
    config = state.path / "slack.json"
    config.touch(mode=0o600)
    config.write_text(json.dumps(workspace(credentials(state)), indent=1), encoding="utf-8")
    return Part(
        name="slack",
        command=(
            str(binary()),
            "--config",
            str(config),
            "--port",
            str(ports.slack),
            "--base-host",
            LOOPBACK,
        ),
        environment=part_environment(),
        log=state.logs / "slack.log",
        is_ready=lambda: answers(f"{slack_url(ports)}/_control/messages/{CHANNEL_ID}"),
    )


def workspace(app: Credentials) -> dict[str, object]:
    """Describe the workspace: four people, one channel, our app."""
    return {
        "workspace": {"name": "Laptop", "domain": "laptop", "teamId": TEAM_ID},
        "apps": [
            {
                "appId": "A0WARDEN1",
                "botUserId": BOT_USER_ID,
                "botName": "dockwarden",
                "botToken": app.bot_token,
                "appToken": app.app_token,
                "signingSecret": app.signing_secret,
                "mode": "socket",
            }
        ],
        "users": [
            {"id": user_id, "name": name, "real_name": name.title(), "tz": "UTC"}
            for name, user_id in USERS.items()
        ],
        "channels": [
            {
                "id": CHANNEL_ID,
                "name": CHANNEL_NAME,
                "topic": "/container help",
                "members": [*USERS.values(), BOT_USER_ID],
            }
        ],
    }


def binary() -> Path:
    """Give the checked binary of the local Slack, installed with npm at the first time.

    Raises:
        LaptopError: there is none for this machine, npm is missing or fails, or it is not
            the binary that it should be.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        message = (
            "the local Slack that the laptop uses is pinned for Linux on x86-64 only; "
            "run this in a Linux x86-64 machine, or use the bot with a Slack workspace"
        )
        raise LaptopError(message)
    _CACHE.mkdir(parents=True, exist_ok=True)
    found = _CACHE / _BINARY
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_genuine(found):
            _install()
    if not _is_genuine(found):
        message = f"{found} is not the local Slack that it should be; it was not started"
        raise LaptopError(message)
    return found


def _install() -> None:
    npm = shutil.which("npm")
    if not npm:
        message = "npm is missing: it installs the local Slack (on Debian: apt-get install npm)"
        raise LaptopError(message)
    say(
        "installing the local Slack with npm, its integrity checked: 130 MB in .dockwarden, "
        "half a minute or less"
    )
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(_PACKAGE / name, _CACHE / name)
    ended = subprocess.run(
        [
            *(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"),
            # A home directory may be read-only.
            f"--cache={_CACHE / 'npm-cache'}",
        ],
        cwd=_CACHE,
        env=machine_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        message = f"npm could not install the local Slack:\n{ended.stderr.strip()}"
        raise LaptopError(message)


def _is_genuine(file: Path) -> bool:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == _SHA256
    except FileNotFoundError:
        return False
