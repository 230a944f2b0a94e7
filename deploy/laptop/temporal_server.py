"""How does the laptop run a Temporal server?"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp

from deploy.laptop.console import LaptopError, warn
from deploy.laptop.state import LOOPBACK, Ports, StateDirectory
from deploy.laptop.supervisor import Part, get_json, part_environment
from workflows.model.names import SEARCH_ATTRIBUTES

NAMESPACE = "default"
#: As in ``deploy/temporal/dynamic.yaml``, which says why.
AS_INSTALLED = {"limit.maxIDLength": 255, "history.transferProcessorMaxPollRPS": 2000}
#: The dev server itself keeps what is over for a day, and has no option for it.
_KEEPS = "30d"


def temporal_server(state: StateDirectory, ports: Ports, *, is_kept: bool = True) -> Part:
    """Describe the Temporal dev server: on loopback, its database in the state directory.

    It takes seconds to end in order, which a database that is not ``is_kept`` is not worth.
    """
    attributes = [f"--search-attribute={key.name}=Keyword" for key in SEARCH_ATTRIBUTES]
    return Part(
        name="temporal",
        command=(
            str(installed_command("temporal")),
            *("server", "start-dev"),
            f"--db-filename={state.database}",
            f"--ip={LOOPBACK}",
            f"--port={ports.temporal}",
            f"--ui-port={ports.temporal_ui}",
            "--ui-disable-news-fetch",
            "--log-level=warn",
            *(f"--dynamic-config-value={name}={value}" for name, value in AS_INSTALLED.items()),
            *attributes,
        ),
        environment=part_environment(),
        log=state.logs / "temporal.log",
        is_ready=lambda: _is_set_up(temporal_ui_url(ports)),
        stop_within=10.0 if is_kept else 0.0,
    )


async def keep_records(ports: Ports) -> None:
    """Have Temporal keep what is over for as long as people look for it."""
    process = await asyncio.create_subprocess_exec(
        installed_command("temporal"),
        *("operator", "namespace", "update", f"--namespace={NAMESPACE}", f"--retention={_KEEPS}"),
        f"--address={LOOPBACK}:{ports.temporal}",
        env=part_environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode:
        warn(f"Temporal keeps what is over for a day only: {said.decode().strip()}")


def temporal_ui_url(ports: Ports) -> str:
    """Give the address of Temporal's own UI."""
    return f"http://{LOOPBACK}:{ports.temporal_ui}"


def installed_command(name: str) -> Path:
    """Find a command beside the running interpreter: the same environment, whatever PATH says.

    Raises:
        LaptopError: it is not installed there.
    """
    command = Path(sys.executable).parent / name
    if not command.exists():
        message = (
            f"{command} is missing: run `make demo`, or install the project with its group laptop"
        )
        raise LaptopError(message)
    return command


async def _is_set_up(ui: str) -> bool:
    """Ask by way of the UI's API: the server listens before its search attributes are there."""
    try:
        known = await get_json(f"{ui}/api/v1/namespaces/{NAMESPACE}/search-attributes")
    except (aiohttp.ClientError, TimeoutError):
        return False
    return set(known.get("customAttributes", {})) >= {key.name for key in SEARCH_ATTRIBUTES}
