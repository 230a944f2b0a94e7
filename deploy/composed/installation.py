"""What does an installation by the compose file consist of here, and how is it used?

A folder like ``deploy/`` of a clone after README's steps: the compose file and what it mounts, made
up secrets, a policy book, ``.env``. Beside them lie the files that put the local Slack in Slack's
place and, where no registry can be asked, stand-ins in that of others.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import secrets
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import docker

from deploy.composed.debian import compose_command, is_debian, quietly
from deploy.composed.images import gather_ingredients, import_base
from deploy.laptop.console import LaptopError, say
from deploy.laptop.containers import API_VERSION
from deploy.laptop.slack_server import Credentials, binary, workspace
from deploy.laptop.supervisor import machine_environment
from deploy.laptop.temporal_server import installed_command

#: Not the name in the compose file: an installation of this machine's own is left alone.
PROJECT = "dockwarden-demo"
_SOURCE = Path(__file__).parents[2]
_HERE = Path(__file__).parent
CACHE = _SOURCE / ".dockwarden" / "ingredients"
#: The user of the image.
_USER = 10001
#: The first Compose that replaces lists where a file says so, and its predecessors' bugs are over.
_OLDEST = (2, 24)
#: What runs all the time, and is ready only some time after it has started.
SERVED = ("bot", "control-worker", "docker-worker")
_IS_READY = "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"
_READY_WITHIN = 60.0
_POLL = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The engine that an installation runs on.

    ``has_registry`` says that images can be pulled; ``slack_port`` is where the local Slack is
    published, ``None`` in an engine with a network of its own.
    """

    url: str
    has_registry: bool
    slack_port: int | None = None

    @property
    def socket(self) -> Path:
        """The socket that the proxy is given.

        Raises:
            LaptopError: it has none on this machine.
        """
        if not self.url.startswith("unix://"):
            message = (
                f"the installation needs an engine with a socket on this machine, not {self.url}"
            )
            raise LaptopError(message)
        return Path(self.url.removeprefix("unix://"))


class Installation:
    """One installation; its folder is made anew, and its project is this one's alone."""

    def __init__(self, folder: Path, engine: Engine, compose: tuple[str, ...]) -> None:
        self.folder = folder
        self.engine = engine
        self._compose = compose

    @classmethod
    async def prepare(
        cls, folder: Path, engine: Engine, *, policies: str, app: Credentials, seal_key: str
    ) -> Self:
        """Get what is missing on this machine, make the folder, and build the images.

        Raises:
            LaptopError: something cannot be had or built.
        """
        with _one_at_a_time():
            ingredients = None if engine.has_registry else await gather_ingredients(CACHE)
            installation = cls(folder, engine, await _find_compose())
        _fill(folder, policies=policies, app=app, seal_key=seal_key)
        files = ["compose.yaml", "slack.yaml"]
        values = {
            "COMPOSE_PROJECT_NAME": PROJECT,
            "DOCKWARDEN_IMAGE": PROJECT,
            "POSTGRES_PASSWORD": secrets.token_hex(16),
            "DOCKER_GID": str(engine.socket.stat().st_gid),
            "DOCKER_SOCKET": str(engine.socket),
            "SOURCE": str(_SOURCE),
            "LOCAL_SLACK": str(binary()),
        }
        if engine.slack_port is not None:
            files.append("published.yaml")
            values["SLACK_PORT"] = str(engine.slack_port)
        if ingredients:
            await import_base(ingredients, engine.url)
            files.append("stand-ins.yaml")
            values |= {
                "BARE_IMAGE": ingredients.bare_image,
                "BASE_IMAGE": ingredients.base_image,
                "WHEELS": str(ingredients.wheels),
                "TEMPORAL_CLI": str(installed_command("temporal")),
            }
        installation._write(files, values)
        if ingredients:
            await installation.compose("build", "base")
        say("building the image of Dockwarden by its own Dockerfile")
        await installation.compose("build", "bot")
        return installation

    def _write(self, files: list[str], values: Mapping[str, str]) -> None:
        """Write ``.env``, and a script that asks Compose about this installation."""
        lines = {"COMPOSE_FILE": ":".join(files), **values}
        text = "".join(f"{name}={value}\n" for name, value in lines.items())
        (self.folder / ".env").write_text(text, encoding="utf-8")
        script = self.folder / "compose"
        script.write_text(
            "#!/bin/sh\n# Asks Compose about this installation: ps, logs bot, kill docker-worker\n"
            f"cd '{self.folder}' && DOCKER_HOST='{self.engine.url}' exec "
            f'{shlex.join(self._compose)} "$@"\n',
            encoding="utf-8",
        )
        script.chmod(0o755)

    async def compose(self, *arguments: str) -> str:
        """Run Compose in the folder, and give what it says.

        Raises:
            LaptopError: it fails; the text is the end of what it said.
        """
        environment = {**machine_environment(), "DOCKER_HOST": self.engine.url}
        try:
            return await quietly(
                *self._compose, *arguments, folder=self.folder, environment=environment
            )
        except LaptopError as problem:
            if self.engine.has_registry and arguments[0] in ("build", "up"):
                message = f"{problem}\nIf no image can be pulled: make demo-compose STAND_INS=1"
                raise LaptopError(message) from None
            raise

    async def up(self) -> None:
        """Start it as README says, and wait until bot and workers are ready.

        Raises:
            LaptopError: it does not come up.
        """
        await self.compose("up", "--detach", "--no-build", "--wait")
        await asyncio.gather(*map(self.until_ready, SERVED))

    async def until_ready(self, service: str) -> None:
        """Wait until a service is ready by its own word.

        Raises:
            LaptopError: it is not, in time.
        """
        try:
            async with asyncio.timeout(_READY_WITHIN):
                while not await asyncio.to_thread(self._is_ready, service):  # noqa: ASYNC110
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            log = await self.compose("logs", "--no-color", "--tail=12", service)
            message = (
                f"{service} is not ready within {_READY_WITHIN:g} s; the end of its log:\n{log}"
            )
            raise LaptopError(message) from None

    def _is_ready(self, service: str) -> bool:
        client = docker.APIClient(base_url=self.engine.url, version=API_VERSION, timeout=20)
        try:
            command = ["python", "-c", _IS_READY]
            asked: str = client.exec_create(container_name(service), command)["Id"]
            client.exec_start(asked)
            return bool(client.exec_inspect(asked)["ExitCode"] == 0)
        except docker.errors.APIError:
            return False
        finally:
            client.close()

    async def down(self, *, keep: bool = False) -> None:
        """Stop it, and remove it; requests go too if they are not kept."""
        await self.compose("down", "--remove-orphans", *(() if keep else ("--volumes",)))


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Leave the cache to one of several runs."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def container_name(service: str) -> str:
    """Give the name of the container of a service."""
    return f"{PROJECT}-{service}-1"


async def _find_compose() -> tuple[str, ...]:
    """Find the Compose plugin that is here, or get one."""
    try:
        version = await quietly("docker", "compose", "version", "--short")
    except (LaptopError, OSError):
        version = ""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    if found and (int(found[1]), int(found[2])) >= _OLDEST:
        return ("docker", "compose")
    if not is_debian():
        message = "Docker Compose v2.24 or newer is missing: install Docker's compose plugin"
        raise LaptopError(message)
    return (str(await compose_command(CACHE)),)


def _fill(folder: Path, *, policies: str, app: Credentials, seal_key: str) -> None:
    """Make the folder as README's steps make deploy/, of what Compose reads and mounts."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(
        _HERE.parent,
        folder,
        ignore=shutil.ignore_patterns(
            *("*.py", "__pycache__", "composed", "laptop", "pictures", "requirements", "scripts"),
            *("secrets", "policies.toml", ".env"),
        ),
    )
    for file in _HERE.glob("*.yaml"):
        shutil.copy(file, folder)
    (folder / "policies.toml").write_text(policies, encoding="utf-8")
    hidden = folder / "secrets"
    hidden.mkdir(mode=0o700)
    for name, text in {
        "slack_bot_token": app.bot_token,
        "slack_app_token": app.app_token,
        "seal_key": seal_key,
        "slack.json": json.dumps(workspace(app), indent=1),
    }.items():
        file = hidden / name
        file.write_text(text, encoding="utf-8")
        if os.geteuid() == 0:
            os.chown(file, _USER, _USER)
        # Nobody but us enters the folder. Who is not root cannot give the file away.
        file.chmod(0o400 if os.geteuid() == 0 else 0o444)
