"""What do the acceptance tests run on? The installed program, whole, on the laptop's parts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rigs.dockerd import DockerRig
from tests.rigs.laptop import LaptopRig


@pytest.fixture(scope="session")
def laptop(engine_rig: DockerRig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopRig]:
    """Run one laptop for the whole session; tests make their own containers in its engine."""
    rig = LaptopRig(tmp_path_factory.mktemp("laptop"), engine_rig.base_url, "--no-containers")
    try:
        yield rig.start()
    finally:
        rig.close()
