"""How does the laptop run Dockwarden itself?

By the installed commands ``dockwarden bot`` and ``dockwarden worker``, as in production; only
their settings differ.
"""

from __future__ import annotations

from pathlib import Path

from deploy.laptop.slack_server import USERS, credentials, slack_url
from deploy.laptop.state import LOOPBACK, Ports, StateDirectory
from deploy.laptop.supervisor import Part, answers, part_environment
from deploy.laptop.temporal_server import NAMESPACE, installed_command, temporal_ui_url

HOST = "local"
#: How a process beside those of the laptop is given the key that all of them have.
SEAL_SETTING = "DOCKWARDEN_SEAL_KEY_FILE"

#: What holds up whoever acts faster than people do. A measurement has to do without.
LIMITS = (
    "DOCKWARDEN_COMMANDS_PER_PERSON",
    "DOCKWARDEN_CLICKS_PER_REQUEST",
    "DOCKWARDEN_CLICKS_PER_PERSON",
    "DOCKWARDEN_OPEN_REQUESTS",
)

DEFAULT_POLICIES = f"""\
# Any container on this host: bob or carol decides, one approval is enough.
[[policy]]
name = "laptop"
operations = ["*"]
hosts = ["{HOST}"]
approvers = ["{USERS["bob"]}", "{USERS["carol"]}"]
required_approvals = 1
expires_after = "15m"
"""


def dockwarden(
    state: StateDirectory,
    ports: Ports,
    *,
    docker_url: str,
    policies: Path,
    limits: bool = True,
    finishes: bool = True,
) -> tuple[Part, Part]:
    """Describe the worker and the bot; without ``limits`` nobody is too fast for them.

    One that ``finishes`` gets the time that a stop of a container takes; where the container is
    removed right after, nobody waits for that.
    """
    app = credentials(state)
    settings = {
        "DOCKWARDEN_SLACK_BOT_TOKEN": app.bot_token,
        "DOCKWARDEN_SLACK_APP_TOKEN": app.app_token,
        "DOCKWARDEN_SLACK_SIGNING_SECRET": app.signing_secret,
        "DOCKWARDEN_SLACK_API_URL": f"{slack_url(ports)}/api/",
        "DOCKWARDEN_SLACK_MODE": "socket",
        # The local Slack shows dates, blocks to copy and groups raw.
        "DOCKWARDEN_PLAIN_MARKUP": "true",
        SEAL_SETTING: str(seal_key_file(state)),
        "DOCKWARDEN_DOCKER_HOST": docker_url,
        "DOCKWARDEN_TEMPORAL_UI_URL": temporal_ui_url(ports),
        "TEMPORAL_ADDRESS": f"{LOOPBACK}:{ports.temporal}",
        "TEMPORAL_NAMESPACE": NAMESPACE,
    }
    if not limits:
        settings |= dict.fromkeys(LIMITS, "0")
    rules = {"DOCKWARDEN_POLICIES": str(policies)}
    within = 30.0 if finishes else 2.0
    return (
        _part(
            "worker",
            "--host",
            HOST,
            state=state,
            health_port=ports.worker_health,
            settings=settings | rules,
            stop_within=within,
        ),
        _part(
            "bot", state=state, health_port=ports.bot_health, settings=settings, stop_within=within
        ),
    )


def seal_key_file(state: StateDirectory) -> Path:
    """Name the file with the key by which the laptop's processes know each other."""
    return state.secret_file("seal-key")


def _part(
    name: str,
    *arguments: str,
    state: StateDirectory,
    health_port: int,
    settings: dict[str, str],
    stop_within: float,
) -> Part:
    return Part(
        name=name,
        command=(str(installed_command("dockwarden")), name, *arguments),
        environment=part_environment({**settings, "DOCKWARDEN_HEALTH_PORT": str(health_port)}),
        log=state.logs / f"{name}.log",
        is_ready=lambda: answers(f"http://{LOOPBACK}:{health_port}/readyz"),
        ready_within=60.0,
        stop_within=stop_within,
    )
