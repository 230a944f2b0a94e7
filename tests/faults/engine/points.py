"""How does one fault strike many calls, each at another moment, all at once?

Every call has a request and a container of its own. It waits at its point until all the others
are at theirs; then the fault strikes under all of them. So a point costs next to no time. Calls
that are given up soon come last: the one before them waits at a gate for all others.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from tests.rigs.docker_proxy import Answer, DockerProxy, Moment, Trap
from tests.rigs.laptop import LaptopProcess
from tests.rigs.request_driver import Request, RequestDriver
from tests.rigs.waiting import wait_until
from workflows.model.state import RequestState, RequestStatus

#: A stop and a commit that are slow enough to be at work in the engine when the fault strikes.
_STOPS_SLOWLY: Final = 'trap "sleep 2; exit 0" TERM; sleep 100000 & wait $!'
_HAS_WRITTEN: Final = "dd if=/dev/zero of=/big bs=1M count={} 2>/dev/null; "
_NOT_HERE: Final = "a call did not come to its point"


class Call(StrEnum):
    """Which call it is; the two starts are the one after a failure and the one asked for."""

    STOP = "stop"
    COMMIT = "commit"
    TAG = "tag"
    PUT_BACK = "put-back"
    START = "start"


class When(StrEnum):
    """At which moment of the call the fault strikes."""

    BEFORE = "before"
    UNDERWAY = "underway"
    ANSWERED = "answered"
    READ_BACK = "read-back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One moment of one call, on a container with this restart policy and written megabytes.

    ``asked`` is what is asked for where the call alone does not say it. The stop of one that is
    asked to be started is the undo of its start.
    """

    call: Call
    when: When
    policy: str = "no"
    grace: int = 6
    written: int = 0
    asked: str = ""

    def __str__(self) -> str:
        """Name the point, and so its container."""
        asked = "".join(f"{word}-" for word in self.asked.split() if word != "{}")
        return f"{asked}{self.call}-{self.when}-{self.policy}"

    @property
    def begins_at_rest(self) -> bool:
        """Whether its container rests before."""
        return self.asked.startswith("start ")

    @property
    def is_undone(self) -> bool:
        """Whether its start fails, so that it is stopped again."""
        return self.begins_at_rest and self.call is Call.STOP

    @property
    def is_hasty(self) -> bool:
        """Whether the worker waits only a few seconds for what is held at this point."""
        return self.call is Call.TAG or self.when is When.READ_BACK

    @property
    def command(self) -> str:
        """What is asked for."""
        if self.asked:
            return self.asked if self.begins_at_rest else f"{self.asked} grace={self.grace}s"
        if self.call is Call.START:
            return f"snapshot {{}} grace={self.grace}s"
        return f"stop {{}} snapshot grace={self.grace}s"

    def run(self, driver: RequestDriver) -> str:
        """Run its container, or make it where it is asked to be started."""
        script = _STOPS_SLOWLY
        if self.begins_at_rest:
            check = "false" if self.is_undone else None
            return driver.engine.create(
                script, name=str(self), policy=self.policy, healthcheck=check
            )
        if self.written:
            script = _HAS_WRITTEN.format(self.written) + script
        return driver.engine.run(script, name=str(self), policy=self.policy)

    def trap(self, docker_proxy: DockerProxy, container: str, here: Rendezvous) -> Trap:
        """Have the call wait at this point."""
        line = {
            Call.STOP: f"^POST .*/{container}/stop",
            Call.COMMIT: f"^POST .*/commit.*{container}",
            Call.TAG: f"^POST .*/tag.*{self}",
        }.get(self.call, f"^POST .*/{container}/start")
        if self.call is Call.PUT_BACK:
            docker_proxy.trap(f"^POST .*/commit.*{container}", Moment.BEFORE, _disk_full)
        if self.is_hasty:
            last = f"^POST .*/commit.*{container}" if self.call is Call.TAG else line
            docker_proxy.trap(last, Moment.ANSWERED, here.stay_behind)
        match self.when:
            case When.BEFORE:
                return docker_proxy.trap(line, Moment.BEFORE, here.wait)
            case When.ANSWERED:
                return docker_proxy.trap(line, Moment.ANSWERED, here.wait)
            case When.UNDERWAY:
                docker_proxy.trap(line, Moment.BEFORE, here.hold)
                return docker_proxy.trap(line, Moment.UNDERWAY, here.be_at_work)
            case When.READ_BACK:
                read = f"^GET .*({container}|{self}).*"
                return docker_proxy.trap(read, Moment.BEFORE, here.wait, after=line)


@dataclass(frozen=True, kw_only=True)
class Struck:
    """The request of one point, and the container as it was before."""

    request: Request
    before: dict[str, Any]
    trap: Trap
    state: RequestState | None = None

    async def check(self, point: Point, driver: RequestDriver) -> None:
        """See that the fault struck, and that the outcome is as the request says."""
        assert self.trap.fired == 1
        assert self.state is not None
        request, engine = self.request, driver.engine
        if point.call is Call.PUT_BACK:
            await driver.check_put_back(request, self.state, self.before)
        elif point.is_undone:
            await driver.check(request, self.state, RequestStatus.PUT_BACK)
            assert engine.state(request.container) == "exited"
        elif point.asked and "snapshot" not in point.asked:
            await driver.check(request, self.state, RequestStatus.SUCCEEDED)
            assert engine.state(request.container) == "running"
            assert driver.images(request) == []
        else:
            runs = point.call is Call.START or point.asked.startswith("restart ")
            await driver.check_snapshotted(request, self.state, runs=runs)


class Rendezvous:
    """Where calls wait for each other until the fault has struck."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._expected = len(points)
        self._behind_expected = sum(point.is_hasty for point in points)
        self._at_work_expected = sum(point.when is When.UNDERWAY for point in points)
        self._here, self._at_work = threading.Semaphore(0), threading.Semaphore(0)
        self._behind, self._gate = threading.Semaphore(0), threading.Event()
        self._all_here, self._struck = threading.Event(), threading.Event()

    def stay_behind(self) -> None:
        """Be before the gate, until it opens."""
        self._behind.release()
        self._gate.wait(60)

    def wait(self) -> None:
        """Be here, and stay until the fault has struck."""
        self._here.release()
        self._struck.wait(60)

    def hold(self) -> None:
        """Be here, and let the engine have the request when all are."""
        self._here.release()
        self._all_here.wait(60)

    def be_at_work(self) -> None:
        """Be in the engine's hands while the fault strikes."""
        self._at_work.release()
        self._struck.wait(60)

    def strike(self, fault: Callable[[], None]) -> None:
        """Wait until all are at their points, then have the fault strike."""
        _await(self._behind, self._behind_expected, "a call did not come to the gate")
        _await(self._here, self._expected - self._behind_expected, _NOT_HERE)
        self._gate.set()
        _await(self._here, self._behind_expected, _NOT_HERE)
        self._all_here.set()
        _await(self._at_work, self._at_work_expected, "a call was not passed on")
        fault()
        self._struck.set()


async def strike(
    points: Sequence[Point],
    driver: RequestDriver,
    docker_proxy: DockerProxy,
    fault: Callable[[], None],
) -> dict[Point, Struck]:
    """Bring a request to each point, and have the fault strike under all of them."""
    here = Rendezvous(points)
    ids = {point: point.run(driver) for point in points}
    traps = {point: point.trap(docker_proxy, container, here) for point, container in ids.items()}
    before = {point: driver.engine.inspect(container) for point, container in ids.items()}
    requests: dict[Point, Request] = {}
    for command in {point.command for point in points}:
        same = [point for point in points if point.command == command]
        requests |= zip(same, await driver.ask(*map(str, same), command=command), strict=True)
    await driver.approve(*requests.values())
    await asyncio.to_thread(here.strike, fault)
    return {
        point: Struck(request=request, before=before[point], trap=traps[point])
        for point, request in requests.items()
    }


async def outcomes(struck: dict[Point, Struck]) -> dict[Point, Struck]:
    """Wait until all requests have ended."""
    states = await asyncio.gather(*(one.request.outcome() for one in struck.values()))
    return {
        point: replace(one, state=state)
        for (point, one), state in zip(struck.items(), states, strict=True)
    }


def _await(calls: threading.Semaphore, expected: int, otherwise: str) -> None:
    for _ in range(expected):
        assert calls.acquire(timeout=40), otherwise


def _disk_full() -> Answer:
    return Answer(500, "no space left on device")


def kill_worker(laptop: LaptopProcess) -> None:
    """Kill the worker, and wait until the kernel has closed what it had open."""
    pid = laptop.pids["worker"]
    os.kill(pid, signal.SIGKILL)

    def is_dead() -> bool:
        try:
            return ") Z" in Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            # Its parent has seen its end, perhaps while it was being read.
            return True

    wait_until(is_dead, "the worker is dead")
