"""Does the installation that README promises come up, hold to its bounds, and lose nothing?

The repository's own Dockerfile and compose file, in a real engine, as ``make demo-compose`` runs
them. What is not shown here, for there is no registry to ask: Temporal's server, with its driver
for PostgreSQL and its schema, is replaced by the development server on SQLite, and the database by
a listener; haproxy and the base image are Debian's; Slack is the laptop's, which forgets its
messages when it is stopped (deploy/composed/stand-ins.yaml).
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from deploy.composed.installation import PROJECT, SERVED, container_name
from deploy.laptop.console import LaptopError
from deploy.laptop.demo import play_scenes
from tests.rigs.composed import Composed
from tests.rigs.dockerd import HEARS_TERM
from tests.rigs.pollers import are_polled
from tests.rigs.request_driver import Request
from tests.rigs.waiting import eventually
from workflows.model.state import RequestStatus

# The first builds the image, on a machine that may have other work.
pytestmark = [pytest.mark.image, pytest.mark.timeout(600)]

_LASTING = {"postgres", "temporal", "socket-proxy", "slack", *SERVED}
_ONCE = {"schema", "namespace", "search-attributes"}
_PORTS = {"postgres": 5432, "temporal": 7233, "socket-proxy": 2375, "slack": 8080}
#: Ends once somebody makes a file, as long after it was told to as that takes.
_ENDS_WHEN_LET = (
    'trap "echo told; while [ ! -e /let-go ]; do sleep 0.1; done; exit 0" TERM; '
    "while :; do sleep 0.1; done"
)


_README = {"POSTGRES_PASSWORD": "one", "DOCKER_GID": "998"}
_GIVEN = {
    "compose.yaml": _README,
    "compose.host.yaml": {
        "DOCKWARDEN_HOST": "edge",
        "TEMPORAL_ADDRESS": "temporal.example.com:7233",
        "DOCKER_GID": "998",
    },
    "compose.yaml slack.yaml published.yaml": {
        **_README,
        "SOURCE": "/clone",
        "LOCAL_SLACK": "/local-slack",
        "SLACK_PORT": "20001",
    },
}


async def test_all_of_it_comes_up_and_checks_itself(composed: Composed) -> None:
    """Each service is healthy by its own word, what runs once has ended well, check is content."""
    services = composed.services()
    assert set(services) == _LASTING | _ONCE
    assert {s: services[s]["State"]["Health"]["Status"] for s in _LASTING} == dict.fromkeys(
        _LASTING, "healthy"
    )
    assert {services[name]["State"]["ExitCode"] for name in _ONCE} == {0}
    assert {services[name]["Config"]["Image"] for name in SERVED} == {PROJECT}
    asked = (_check(composed), _check_engine(composed))
    for said in await asyncio.gather(*asked):
        assert said
        assert [line for line in said.splitlines() if not line.startswith("ok  ")] == [], said


async def test_the_scenes_of_the_demo(composed: Composed) -> None:
    """Four eyes and a snapshot, a put-back, an expiry: each as the engine itself says."""
    assert await play_scenes(composed.slack, composed.engine.base_url)


async def test_who_reaches_whom_and_may_do_what(composed: Composed) -> None:
    """Whoever owns a container has no way to what it needs not, and is nobody in it.

    The database is reached by Temporal alone, the engine by the docker worker alone, and by that
    way Slack is not reached, which is outside. A name that is not known might have an address
    that is: both are tried.
    """
    services = composed.services()
    places = {name: _places(name, services[name]) for name in _PORTS}
    flat = [place for some in places.values() for place in some]
    owners = [name for name, some in places.items() for _ in some]
    inside = ("temporal", "socket-proxy", "check", *SERVED)
    looks = await asyncio.gather(*(composed.look(name, flat) for name in inside))
    found: dict[str, dict[str, Any]] = dict(zip(inside, looks, strict=True))

    reached = {
        name: {owner for owner, is_open in zip(owners, look["opened"], strict=True) if is_open}
        for name, look in found.items()
    }
    for name in ("bot", "control-worker", "check"):
        assert reached[name] == {"temporal", "slack"}, name
    assert reached["docker-worker"] == {"temporal", "socket-proxy"}
    assert reached["socket-proxy"] == {"socket-proxy"}
    # And the listener in its place can be reached at all.
    assert reached["temporal"] == {"postgres", "temporal"}

    with_socket = {
        name
        for name, service in services.items()
        if any("docker.sock" in mount["Destination"] for mount in service["Mounts"])
    }
    assert with_socket == {"socket-proxy"}

    for name in ("socket-proxy", "check", *SERVED):
        look = found[name]
        assert look["user"] == (99 if name == "socket-proxy" else 10001), name
        assert look["capabilities"] == [0, 0, 0], name
        assert look["no_new_privileges"] == 1, name
        assert look["write"] == "Read-only file system", name
    assert found["docker-worker"]["secrets"] == ["seal_key"]
    assert not [name for name in found["docker-worker"]["environment"] if "SLACK" in name]
    assert found["socket-proxy"]["secrets"] == []


async def test_no_secret_is_where_others_read(composed: Composed) -> None:
    """Neither Docker's inspect, the image with its history nor a log tells one.

    The database's password alone is in the settings of the database and of what it is given to.
    """
    folder = composed.installation.folder
    secrets = {
        name: (folder / "secrets" / name).read_text(encoding="utf-8")
        for name in ("slack_bot_token", "slack_app_token", "seal_key")
    }
    values = dict(line.split("=", 1) for line in _lines(folder / ".env"))
    password = values["POSTGRES_PASSWORD"]
    api, services = composed.engine.api, composed.services()
    texts = {f"inspect {name}": json.dumps(service) for name, service in services.items()}
    with_password = {name for name, text in texts.items() if password in text}
    assert with_password == {f"inspect {name}" for name in ("postgres", "schema", "temporal")}
    texts |= {f"logs {name}": api.logs(one["Id"]).decode() for name, one in services.items()}
    texts["image"] = json.dumps([api.inspect_image(PROJECT), api.history(PROJECT)])
    for name, secret in {**secrets, "password": password}.items():
        assert len(secret) > 10
        told = {where for where, text in texts.items() if secret in text}
        assert told <= (with_password if name == "password" else set()), name
    assert all(texts[f"logs {name}"] for name in SERVED)


async def test_no_request_touches_the_installation(composed: Composed) -> None:
    """Whoever asks for a part of Dockwarden itself is refused, and it runs on."""
    people = await composed.people()
    before = {name: one["State"]["StartedAt"] for name, one in composed.services().items()}
    for service in sorted(_LASTING):
        name = container_name(service)
        await people.channel.ask("alice", f"stop {name}")
        await people.told(
            "alice", name, "Dockwarden's own" if service == "docker-worker" else "protected"
        )
    after = {name: one["State"]["StartedAt"] for name, one in composed.services().items()}
    assert after == before


async def test_the_check_says_what_is_missing(composed: Composed) -> None:
    """Without Temporal, and without the proxy, it names the thing and what to do."""
    services, api = composed.services(), composed.engine.api
    away = [services[name]["Id"] for name in ("temporal", "socket-proxy")]
    for container in away:
        api.kill(container)
    try:
        with pytest.raises(LaptopError) as without_temporal:
            await _check(composed, "--no-deps")
        with pytest.raises(LaptopError) as without_proxy:
            await _check_engine(composed)
    finally:
        for container in away:
            api.start(container)
        await _until_all_serve(composed)
    assert "FAIL  Temporal: temporal:7233 does not answer; start Temporal" in str(
        without_temporal.value
    )
    assert "FAIL  Docker: " in str(without_proxy.value)


async def test_each_service_is_killed_in_turn(composed: Composed) -> None:
    """Docker starts it again; the request that runs ends right, and so does the one that waits.

    The local Slack is left out: with its process its messages are gone, and Slack's are not.
    """
    people = await composed.people()
    composed.engine.run(HEARS_TERM, name="slow-1")
    composed.engine.run(name="calm-1")
    runs, waits = await _one_runs_and_one_waits(composed, "slow-1", "calm-1")
    for service in ("bot", "control-worker", "docker-worker", "socket-proxy", "temporal"):
        await composed.crash(service)
        if service in SERVED:
            await composed.installation.until_ready(service)
        else:
            await _until_all_serve(composed)
        assert (await runs.state()).status is RequestStatus.RUNNING, service
        assert (await waits.state()).status is RequestStatus.WAITING, service
        assert composed.engine.state(runs.container) == "running", service
    composed.engine.api.kill(runs.container)
    await people.until(runs, RequestStatus.SUCCEEDED, seconds=100)
    assert composed.engine.state(runs.container) == "exited"
    assert len(people.images(runs)) == 1
    await people.approve(waits)
    await people.until(waits, RequestStatus.SUCCEEDED)
    assert composed.engine.state(waits.container) == "exited"


async def test_down_waits_for_a_stop_and_up_knows_all_requests(composed: Composed) -> None:
    """A stop under way gets its time; after ``up`` its request goes on, and one waits as before."""
    people = await composed.people()
    engine = composed.engine
    engine.run(_ENDS_WHEN_LET, name="slow-2")
    engine.run(name="calm-2")
    runs, waits = await _one_runs_and_one_waits(composed, "slow-2", "calm-2")
    down = asyncio.create_task(composed.installation.down(keep=True))

    def bot_is_gone() -> bool:
        found = composed.services().get("bot")
        return found is None or not found["State"]["Running"]

    await eventually(bot_is_gone, within=60, what="down has not begun")
    assert not down.done()
    assert composed.services()["docker-worker"]["State"]["Running"]
    assert composed.services()["socket-proxy"]["State"]["Running"]
    assert engine.state(runs.container) == "running"
    let_go = engine.api.exec_create(runs.container, ["touch", "/let-go"])
    engine.api.exec_start(let_go)
    await down
    assert composed.services() == {}
    # Not killed: it ended by itself.
    assert engine.inspect(runs.container)["State"]["ExitCode"] == 0

    await composed.installation.up()
    await people.until(runs, RequestStatus.SUCCEEDED, seconds=100)
    assert len(people.images(runs)) == 1
    assert (await waits.state()).status is RequestStatus.WAITING
    # Its card is gone with the messages of the local Slack.
    await people.channel.ask("bob", f"approve {waits.request_id}")
    await people.until(waits, RequestStatus.SUCCEEDED)
    assert engine.state(waits.container) == "exited"


@pytest.mark.parametrize("files", _GIVEN)
async def test_compose_takes_every_file_and_profile(
    composed: Composed, tmp_path: Path, files: str
) -> None:
    """Given what its head names, and nothing else, Compose has no complaint about a file.

    The last of them are those of a demo on a machine with Docker and a registry of images.
    """
    variables = tmp_path / "env"
    lines = (f"{name}={value}\n" for name, value in _GIVEN[files].items())
    variables.write_text("".join(lines), encoding="utf-8")
    asked = (argument for file in files.split() for argument in ("--file", file))
    said = await composed.installation.compose(
        *("--env-file", str(variables), *asked, "--profile", "*", "config", "--format", "json")
    )
    networks = json.loads(said)["networks"]
    assert {name for name, one in networks.items() if not one.get("internal")} == {"outside"}


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def _places(name: str, service: dict[str, Any]) -> list[tuple[str, int]]:
    networks = service["NetworkSettings"]["Networks"].values()
    return [(where, _PORTS[name]) for where in (name, *(one["IPAddress"] for one in networks))]


async def _check(composed: Composed, *options: str) -> str:
    return await composed.installation.compose("run", "--rm", "--no-TTY", *options, "check")


async def _check_engine(composed: Composed) -> str:
    asked = ("exec", "--no-TTY", "docker-worker", "dockwarden", "check", "--only", "docker")
    return await composed.installation.compose(*asked)


async def _until_all_serve(composed: Composed) -> None:
    await asyncio.gather(*map(composed.installation.until_ready, SERVED))
    await eventually(lambda: are_polled(composed.client, "local"), within=60)


async def _one_runs_and_one_waits(
    composed: Composed, slow: str, calm: str
) -> tuple[Request, Request]:
    people = await composed.people()
    runs = await people.ask(f"stop {slow} snapshot grace=300s")
    waits = await people.ask(f"stop {calm}")
    await people.approve(runs)
    api = composed.engine.api
    await eventually(lambda: b"told" in api.logs(slow), within=30, what="no stop has begun")
    return runs, waits
