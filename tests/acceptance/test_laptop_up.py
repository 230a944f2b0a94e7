"""Does the laptop run whole, come back when parts of it die, and leave nothing behind?"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.laptop.channel import Message, headline, request_of
from deploy.laptop.supervisor import answers, get_json
from tests.rigs.dockerd import DockerEngine
from tests.rigs.laptop import LaptopProcess
from tests.rigs.waiting import wait_until
from workflows.model.names import ActionId

# Each starts a laptop, a host or a browser of its own.
pytestmark = pytest.mark.slow


@pytest.fixture
def own_laptop(engine: DockerEngine, tmp_path: Path) -> Iterator[LaptopProcess]:
    """A laptop of the test's own, with containers, that it may stop."""
    engine.clear()
    own = LaptopProcess(tmp_path, engine.base_url)
    yield own
    own.close()
    engine.clear()


async def test_the_ready_file_says_where_everything_is(
    laptop: LaptopProcess, engine: DockerEngine
) -> None:
    """The file has exactly the promised fields, and what it names answers."""
    ready = laptop.ready
    assert ready.keys() == {
        *("slack", "temporal", "temporal_ui", "namespace", "host"),
        *("docker_host", "channel", "users", "pids", "limits", "seal_key_file"),
    }
    assert ready["limits"].startswith("off: "), "tests do in a minute what people do in a day"
    assert ready["host"] == "local"
    assert ready["docker_host"] == engine.base_url
    assert ready["channel"].keys() == {"id", "name"}
    assert ready["users"].keys() == {"alice", "bob", "carol", "dave"}
    assert ready["pids"].keys() == {"bot", "worker", "temporal", "slack"}
    assert ready["temporal"].startswith("127.0.0.1:")
    assert await answers(ready["slack"])
    assert await answers(ready["temporal_ui"])
    namespace = await get_json(f"{ready['temporal_ui']}/api/v1/namespaces/{ready['namespace']}")
    assert namespace["namespaceInfo"]["name"] == "default"
    assert all(_runs(pid) for pid in ready["pids"].values())


@pytest.mark.parametrize("part", ["bot", "worker", "temporal", "slack"])
async def test_a_killed_part_comes_back(
    laptop: LaptopProcess, engine: DockerEngine, part: str
) -> None:
    """A part that is killed is replaced on the same address, and then a request works."""
    before = laptop.kill(part)
    after = laptop.await_ready(after=before)
    assert after["pids"].pop(part) != before["pids"].pop(part)
    assert after == before
    container = engine.run(name=f"after-{part}")
    await _stop_with_snapshot(laptop, f"after-{part}")
    assert engine.state(container) == "exited"
    engine.clear()


def test_sigterm_leaves_nothing_behind(own_laptop: LaptopProcess, engine: DockerEngine) -> None:
    """After SIGTERM there is no process, no container, no image and no ready file of it."""
    pids = own_laptop.start().pids
    assert len(engine.api.containers()) == 3
    assert own_laptop.stop(signal.SIGTERM) == 0
    assert not [pid for pid in pids.values() if _runs(pid)]
    assert engine.api.containers(all=True) == []
    assert engine.images() == set()
    assert not own_laptop.file.exists()


def test_nothing_survives_a_kill(own_laptop: LaptopProcess, engine: DockerEngine) -> None:
    """A laptop that is killed takes its processes along; the next one removes its containers."""
    pids = own_laptop.start().pids
    first = {container["Id"] for container in engine.api.containers()}
    own_laptop.stop(signal.SIGKILL)
    wait_until(lambda: not any(_runs(pid) for pid in pids.values()), "its processes have gone")
    own_laptop.file.unlink()
    own_laptop.start()
    second = {container["Id"] for container in engine.api.containers(all=True)}
    assert len(second) == 3
    assert not first & second


async def test_state_survives_a_stop_and_a_start(engine: DockerEngine, tmp_path: Path) -> None:
    """A waiting request can be approved after a restart on the same state, at the same addresses.

    The local Slack has forgotten the card by then, so the decision comes by the command.
    """
    engine.clear()
    container = engine.run(name="patient-1")
    own = LaptopProcess(tmp_path, engine.base_url, "--no-containers").start()
    try:
        before = own.ready
        request_id = request_of(await _ask(own, "patient-1"))
        assert own.stop() == 0
        after = own.start().ready
        assert {**after, "pids": {}} == {**before, "pids": {}}
        assert engine.state(container) == "running"
        await own.channel.ask("bob", f"approve {request_id}")
        await own.channel.wait_for_card(request_id, "✅")
        assert engine.state(container) == "exited"
    finally:
        own.close()
        engine.clear()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--docker-host", "unix:///nowhere.sock"), "no Docker engine answers at unix:///nowhere"),
        (("--policies", "/nowhere.toml"), "there is no policy file /nowhere.toml"),
    ],
)
def test_a_bad_start_says_what_to_do(
    engine: DockerEngine, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    """What keeps the laptop from starting is one clear line and a status, not a stack trace."""
    own = LaptopProcess(tmp_path, engine.base_url, "--no-containers", *arguments)
    with pytest.raises(AssertionError, match="the laptop ended"):
        own.start()
    assert says in own.said()
    assert "Traceback" not in own.said()


async def _ask(laptop: LaptopProcess, container: str) -> Message:
    await laptop.channel.ask("alice", f'stop {container} snapshot reason="a test"')
    return await laptop.channel.wait_for(
        f"the card of {container}",
        lambda m: bool(request_of(m)) and f"`{container}`" in headline(m),
    )


async def _stop_with_snapshot(laptop: LaptopProcess, container: str) -> None:
    card = await _ask(laptop, container)
    await laptop.channel.press("bob", card, ActionId.APPROVE)
    await laptop.channel.wait_for_card(request_of(card), "✅")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
