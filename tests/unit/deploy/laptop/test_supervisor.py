"""Does the supervisor keep real processes up, and does it leave none behind?"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from deploy.laptop.console import LaptopError
from deploy.laptop.supervisor import Part, Supervisor

_FOREVER = "import time; time.sleep(600)"
_DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""
_WITH_CHILD = f"""
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", {_FOREVER!r}]).pid, flush=True)
time.sleep(600)
"""


async def _always() -> bool:
    return True


@pytest.fixture
async def returned() -> asyncio.Queue[str]:
    """The names of parts that came back, in order."""
    return asyncio.Queue()


@pytest.fixture
async def supervisor(returned: asyncio.Queue[str]) -> AsyncIterator[Supervisor]:
    """A supervisor that is stopped at the end, whatever the test did."""
    supervisor = Supervisor(returned.put_nowait)
    yield supervisor
    await supervisor.stop()


@pytest.fixture
def part(tmp_path: Path) -> Callable[..., Part]:
    """Make parts out of lines of Python."""

    def make(code: str = _FOREVER, *, name: str = "part", **fields: object) -> Part:
        return Part(
            **{  # type: ignore[arg-type] # any field may be replaced
                "name": name,
                "command": (sys.executable, "-c", code),
                "environment": {},
                "log": tmp_path / f"{name}.log",
                "is_ready": _always,
                **fields,
            }
        )

    return make


async def test_killed_part_comes_back(
    supervisor: Supervisor,
    part: Callable[..., Part],
    returned: asyncio.Queue[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A part that is killed is started again, and its return is told with a new process id."""
    await supervisor.start(part())
    first = supervisor.pids()["part"]
    os.kill(first, signal.SIGKILL)
    assert await asyncio.wait_for(returned.get(), 10) == "part"
    second = supervisor.pids()["part"]
    assert second != first
    assert capsys.readouterr().out == f"part is back, pid {second}\n"
    assert not _exists(first)


async def test_part_that_ends_before_it_is_ready_is_a_problem_with_its_log(
    supervisor: Supervisor, part: Callable[..., Part]
) -> None:
    """A part that cannot start says why: the problem shows the end of its log."""

    async def never() -> bool:
        return False

    with pytest.raises(LaptopError, match=r"status 3 before it was ready.*\n.*no such thing"):
        await supervisor.start(
            part("import sys; print('no such thing'); sys.exit(3)", is_ready=never)
        )


async def test_part_that_is_never_ready_is_a_problem(
    supervisor: Supervisor, part: Callable[..., Part]
) -> None:
    """A part that hangs at its start is given up after its time."""

    async def never() -> bool:
        return False

    with pytest.raises(LaptopError, match=r"was not ready within 0\.2 s"):
        await supervisor.start(part(is_ready=never, ready_within=0.2))


async def test_stop_ends_parts_in_reverse_order(
    supervisor: Supervisor, part: Callable[..., Part], tmp_path: Path
) -> None:
    """What was started last is stopped first, one after the other."""
    ended = tmp_path / "ended"
    code = (
        "import signal, sys, time, pathlib; "
        "signal.signal(signal.SIGTERM, lambda *_: ("
        f"open({str(ended)!r}, 'a').write({{name!r}} + ' '), sys.exit(0))); "
        "print('set', flush=True); time.sleep(600)"
    )
    for name in ("first", "second", "third"):
        is_set = _printed(tmp_path / f"{name}.log")
        await supervisor.start(part(code.format(name=name), name=name, is_ready=is_set))
    await supervisor.stop()
    assert ended.read_text().split() == ["third", "second", "first"]
    assert supervisor.pids() == {}


async def test_stop_kills_what_does_not_end(
    supervisor: Supervisor,
    part: Callable[..., Part],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A part that is deaf to SIGTERM is killed after its time."""
    await supervisor.start(part(_DEAF, stop_within=0.2, is_ready=_printed(tmp_path / "part.log")))
    pid = supervisor.pids()["part"]
    await supervisor.stop()
    assert not _exists(pid)
    assert "did not end within 0.2 s; killed" in capsys.readouterr().err


async def test_what_is_not_worth_an_orderly_end_is_killed_at_once(
    supervisor: Supervisor, part: Callable[..., Part], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody waits for it, and nobody is told; who else stops parts meanwhile is not in its way."""
    await supervisor.start(part(stop_within=0), part(name="other"))
    pid = supervisor.pids()["part"]
    await asyncio.gather(supervisor.stop("part"), supervisor.stop())
    assert not _exists(pid)
    assert supervisor.pids() == {}
    assert capsys.readouterr().err == ""


async def test_stop_ends_children_of_a_part_too(
    supervisor: Supervisor, part: Callable[..., Part], tmp_path: Path
) -> None:
    """What a part started in its process group goes with it."""
    await supervisor.start(part(_WITH_CHILD, is_ready=_printed(tmp_path / "part.log")))
    child = int((tmp_path / "part.log").read_text())
    assert _exists(child)
    await supervisor.stop()
    await _until(lambda: not _exists(child))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends orphans by itself")
async def test_nothing_survives_a_killed_laptop(tmp_path: Path) -> None:
    """When the laptop itself is killed, the kernel ends its parts."""
    code = f"""
import asyncio, pathlib, sys
from deploy.laptop.supervisor import Part, Supervisor
async def ready(): return True
async def main():
    supervisor = Supervisor(print)
    await supervisor.start(Part(name="part", command=(sys.executable, "-c", {_FOREVER!r}),
        environment={{}}, log=pathlib.Path({str(tmp_path / "log")!r}), is_ready=ready))
    print(supervisor.pids()["part"], flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""
    laptop = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    assert laptop.stdout is not None
    pid = int(await asyncio.wait_for(laptop.stdout.readline(), 20))
    assert _exists(pid)
    laptop.kill()
    await laptop.wait()
    await _until(lambda: not _exists(pid))


def _printed(log: Path) -> Callable[[], Awaitable[bool]]:
    """Take a part for ready once it has printed a line."""

    def has_line() -> bool:
        return log.read_text().endswith("\n")

    return lambda: asyncio.to_thread(has_line)


def _exists(pid: int) -> bool:
    """Tell whether a process runs; a zombie that nobody has reaped yet does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


async def _until(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come about"
        await asyncio.sleep(0.02)
