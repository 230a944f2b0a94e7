"""How do several processes share out the tests, when a rig takes seconds to start?

A file is run by one process, so that what its tests share is started once. A process goes on in
the folder where it is, whose rigs it has already; when nothing is left there, it goes where the
fewest are. Tests with the mark ``alone`` come last, and while one runs no other does: they
measure what the machine can do.
"""

from __future__ import annotations

import fcntl
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

_ALONE = "alone"


class FolderScheduling(LoadScopeScheduling):
    """Gives each process the next file of its own folder, or of the one with fewest at work."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        self._scopes: dict[str, str] = {}

    def schedule(self) -> None:
        """Keep the order of the collection; what of a file was put off to its end is apart."""
        self.config.option.loadscopereorder = False
        tests = next(iter(self.registered_collections.values()))
        for number, (file, group) in enumerate(groupby(tests, key=_file)):
            self._scopes |= dict.fromkeys(group, f"{file}::{number}")
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return self._scopes[nodeid]

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Bring a fitting file to the front of the queue, from where it is taken."""
        crowd = Counter(self._folder_of(other) for other in self.nodes if other is not node)
        folders = list(dict.fromkeys(map(_folder, self.workqueue)))
        here = self._folder_of(node)
        chosen = here if here in folders else min(folders, key=lambda folder: crowd[folder])
        scope = next(scope for scope in self.workqueue if _folder(scope) == chosen)
        self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        """Leave files to others as long as there are two tests to run: one waits for the next."""
        if not self.workqueue or self._pending_of(self.assigned_work[node]) <= 1:
            super()._reschedule(node)

    def _folder_of(self, node: WorkerController) -> str:
        """Tell in which folder a process got its newest work."""
        return _folder(next(reversed(self.assigned_work[node]), ""))


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FolderScheduling | None:
    """Share out by folders where whole files are asked for."""
    return FolderScheduling(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put off what runs alone, when the other processes come to their ends too."""
    items.sort(key=_is_alone)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Run a test, its rigs included, while no test runs that is to be alone, or all alone."""
    if not hasattr(item.config, "workerinput"):
        return (yield)
    common: Path = item.config._tmp_path_factory.getbasetemp().parent
    with _place(common, apart=_is_alone(item)):
        return (yield)


@contextmanager
def _place(directory: Path, *, apart: bool) -> Iterator[None]:
    """Wait for a place to run; who wants to be alone keeps newcomers from the door meanwhile."""
    with ExitStack() as held:
        place = held.enter_context((directory / "place").open("w"))
        with (directory / "door").open("w") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            fcntl.flock(place, fcntl.LOCK_EX if apart else fcntl.LOCK_SH)
        yield


def _is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker(_ALONE) is not None


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _folder(scope: str) -> str:
    return _file(scope).rpartition("/")[0]
