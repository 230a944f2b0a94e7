"""Shared by all tests: a clean environment, and a safe way out of the process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

pytest_plugins = ("tests.rigs.dockerd", "tests.rigs.in_parallel", "tests.rigs.installation")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep settings of the machine out of the tests."""
    for name in list(os.environ):  # noqa: TID251 - it is emptied here, not read
        if name.startswith(("DOCKWARDEN_", "TEMPORAL_", "SLACK_", "DOCKER_")):
            monkeypatch.delenv(name)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_cmdline_main() -> Iterator[None]:
    """Leave without the interpreter's shutdown, which can crash after the Temporal SDK was used.

    The SDK's threads race the interpreter (temporalio/sdk-python#300): about one exit in ten
    ended in a segmentation fault and turned a green run red.
    """
    code = yield
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(code))
