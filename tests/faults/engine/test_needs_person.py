"""What if a container cannot be put back: are people told what to do, and does it go on trying?

Each obstacle has a container of its own; all are met, told and removed beside each other.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from deploy.laptop.channel import Message
from deploy.laptop.slack_server import USERS
from tests.rigs.docker_proxy import Answer, DockerProxy, HangUp, Moment, Trap
from tests.rigs.dockerd import STOPS_AT_ONCE, DockerEngine
from tests.rigs.request_driver import Request, RequestDriver
from workflows.model.errors import ErrorType
from workflows.model.state import RequestState, RequestStatus

_PORT: Final = 18080
_DIES_LATER: Final = (
    "if test -e /started && ! test -e /data/mended; then sleep 0.3; exit 7; fi;"
    f"touch /started; {STOPS_AT_ONCE}"
)
_SICK_LATER: Final = f"if test -e /started; then touch /again; fi; touch /started; {STOPS_AT_ONCE}"
#: What a container mounts, and where somebody moves it.
_BOUND: Final = Path(tempfile.gettempdir()) / "dw-needs-person" / "data"
_BOUND_AWAY: Final = _BOUND.with_name("moved")
_SHOW_OWNERS: Final = (
    "docker inspect --format "
    "'{{.HostConfig.NetworkMode}} {{.HostConfig.IpcMode}} {{.HostConfig.PidMode}}' ID"
)
_SICK: Final = "test ! -e /again || test -e /data/mended"


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """What is in the way of a put-back.

    ``commands`` is what people are told to run, by the container's id, and ``first_line`` how the
    card says that the container is. It arises after the stop. ``is_cut_off`` says that no call
    about the container is answered.
    """

    name: str
    kind: ErrorType
    commands: tuple[str, ...]
    first_line: str = "*is DOWN*"
    container: dict[str, Any] = field(default_factory=dict)
    arise: Callable[[DockerEngine, str], object] = lambda _engine, _container: None
    go_away: Callable[[DockerEngine, str], object] = lambda _engine, _container: None
    is_cut_off: bool = False

    def __str__(self) -> str:
        """Name it."""
        return self.name


@dataclass(frozen=True, kw_only=True)
class ObstacleRun:
    """What happened with one obstacle: when it was met, and in the end."""

    request: Request
    before: dict[str, Any]
    met: RequestState
    card: Message
    replies: list[dict[str, Any]]
    end: RequestState


def _mend(engine: DockerEngine, container: str) -> None:
    (mount,) = engine.inspect(container)["Mounts"]
    Path(mount["Source"], "mended").touch()


def _do_as_told(engine: DockerEngine, container: str) -> None:
    engine.api.create_network("gone")
    engine.api.disconnect_container_from_network(container, "gone")
    engine.api.connect_container_to_network(container, "gone")


_OBSTACLES: Final = (
    Obstacle(
        name="port-taken",
        kind=ErrorType.PORT_BUSY,
        commands=(
            "docker ps --format '{{.Names}}: {{.Ports}}'",
            "ss --listening --tcp --udp --numeric --processes",
        ),
        container={"network": "lan", "ports": {80: _PORT}},
        arise=lambda engine, _: engine.run(name="thief", network="lan", ports={80: _PORT}),
        go_away=lambda engine, _: engine.api.remove_container("thief", force=True),
    ),
    Obstacle(
        name="network-gone",
        kind=ErrorType.NETWORK_MISSING,
        commands=(
            "docker inspect --format '{{json .NetworkSettings.Networks}}' ID",
            "docker network create NETWORK",
            "docker network disconnect NETWORK ID",
            "docker network connect NETWORK ID",
        ),
        container={"network": "gone"},
        arise=lambda engine, _: engine.api.remove_network("gone"),
        go_away=_do_as_told,
    ),
    Obstacle(
        name="mount-gone",
        kind=ErrorType.MOUNT_MISSING,
        commands=("docker inspect --format '{{json .Mounts}}' ID",),
        container={"binds": {"/srv": _BOUND}},
        arise=lambda _engine, _: _BOUND.rename(_BOUND_AWAY),
        go_away=lambda _engine, _: _BOUND_AWAY.rename(_BOUND),
    ),
    Obstacle(
        name="owner-gone",
        kind=ErrorType.OWNER_MISSING,
        commands=(_SHOW_OWNERS,),
        container={"network": "container:gateway"},
        arise=lambda engine, _: engine.api.stop("gateway", timeout=0),
        go_away=lambda engine, _: engine.api.start("gateway"),
    ),
    Obstacle(
        name="cut-off",
        kind=ErrorType.ENGINE_AMBIGUOUS,
        commands=(
            "docker inspect --format '{{.State.Status}}' ID",
            "journalctl --unit docker --since -15min",
        ),
        first_line="whether it runs is not known: the engine does not answer",
        is_cut_off=True,
    ),
    Obstacle(
        name="dies-at-once",
        kind=ErrorType.NOT_RUNNING,
        commands=("docker logs --tail 50 ID",),
        container={"script": _DIES_LATER, "volumes": ("/data",)},
        go_away=_mend,
    ),
    Obstacle(
        name="never-healthy",
        kind=ErrorType.UNHEALTHY,
        commands=(
            "docker logs --tail 50 ID",
            "docker inspect --format '{{json .State.Health}}' ID",
        ),
        first_line="*runs, but its health check fails*",
        container={"script": _SICK_LATER, "volumes": ("/data",), "healthcheck": _SICK},
        go_away=_mend,
    ),
)


@pytest.fixture(scope="module")
def module_engine(engine: DockerEngine) -> Iterator[DockerEngine]:
    """Give the shared engine two networks."""
    for network in ("lan", "gone"):
        engine.api.create_network(network)
    engine.run(name="gateway")
    _BOUND.mkdir(parents=True)
    yield engine
    engine.clear()
    shutil.rmtree(_BOUND.parent)


@pytest.fixture(scope="module")
async def obstacle_runs(
    shared_proxy: DockerProxy, module_driver: RequestDriver
) -> dict[str, ObstacleRun]:
    """Meet all obstacles, and remove them."""
    runs = await asyncio.gather(
        *(_meet(obstacle, module_driver, shared_proxy) for obstacle in _OBSTACLES)
    )
    return {obstacle_run.request.name: obstacle_run for obstacle_run in runs}


@pytest.fixture(params=_OBSTACLES, ids=str)
def obstacle(request: pytest.FixtureRequest) -> Obstacle:
    """Give one obstacle."""
    found: Obstacle = request.param
    return found


async def test_people_are_told_what_to_do(
    obstacle: Obstacle, obstacle_runs: dict[str, ObstacleRun]
) -> None:
    """The card asks for a person, and names the obstacle and the commands to run, exactly."""
    obstacle_run = obstacle_runs[obstacle.name]
    assert obstacle_run.met.steps[-1].error is obstacle.kind
    assert not obstacle_run.met.closed
    said = str(obstacle_run.card["blocks"])
    assert obstacle.first_line in obstacle_run.card["blocks"][0]["text"]["text"]
    short_id = obstacle_run.request.container[:12]
    commands = [command.replace("ID", short_id) for command in obstacle.commands]
    assert [command for command in commands if f"`{command}`" not in said] == []
    assert said.count("`docker ") == sum(c.startswith("docker ") for c in commands)


async def test_the_channel_is_called(
    obstacle: Obstacle, obstacle_runs: dict[str, ObstacleRun]
) -> None:
    """Of the replies one calls requester and approver, and it alone shows in the channel too."""
    (page,) = [reply for reply in obstacle_runs[obstacle.name].replies if reply["reply_broadcast"]]
    assert "🛑" in page["text"]
    assert all(f"<@{USERS[name]}>" in page["text"] for name in ("alice", "bob"))


async def test_it_goes_on_until_the_way_is_free(
    obstacle: Obstacle, obstacle_runs: dict[str, ObstacleRun], module_driver: RequestDriver
) -> None:
    """Without the obstacle the next try succeeds, and the card says that it is put back."""
    obstacle_run = obstacle_runs[obstacle.name]
    await module_driver.check_put_back(obstacle_run.request, obstacle_run.end, obstacle_run.before)


async def _meet(
    obstacle: Obstacle, driver: RequestDriver, docker_proxy: DockerProxy
) -> ObstacleRun:
    engine = driver.engine
    container = engine.run(name=obstacle.name, **obstacle.container)
    before = engine.inspect(container)

    cuts: list[Trap] = []

    def fail() -> Answer:
        obstacle.arise(engine, container)
        if obstacle.is_cut_off:
            cuts.append(docker_proxy.trap(container, Moment.BEFORE, HangUp, times=10_000))
        return Answer(500, "no space left on device")

    failed = docker_proxy.trap(f"^POST .*/commit.*{container}", Moment.BEFORE, fail)
    request = await driver.start(obstacle.name, "stop {} snapshot grace=1s")
    met = await request.until(RequestStatus.NEEDS_PERSON)
    assert failed.fired == 1
    card = await driver.until_card(request, "🛑")
    await asyncio.to_thread(partial(obstacle.go_away, engine, container))
    for cut in cuts:
        assert cut.fired
        cut.times = 0
    return ObstacleRun(
        request=request,
        before=before,
        met=met,
        card=card,
        end=await request.outcome(),
        replies=await driver.posted(request),
    )
