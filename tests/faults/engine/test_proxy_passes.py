"""Does the whole product work behind the proxy that the other tests set their traps in?"""

from __future__ import annotations

from tests.rigs.docker_proxy import DockerProxy
from tests.rigs.request_driver import RequestDriver


async def test_no_trap_no_fault(any_driver: RequestDriver, docker_proxy: DockerProxy) -> None:
    """A request through the proxy succeeds, and nothing was written before the approval."""
    driver = any_driver
    driver.engine.run(name="plain")
    (request,) = await driver.ask("plain")
    assert docker_proxy.passed("^GET .*/json")
    assert docker_proxy.passed("^(POST|DELETE|PUT)") == []
    await driver.approve(request)
    await driver.check_snapshotted(request, await request.outcome())
    assert [e.line.split("?")[0].rsplit("/", 1)[1] for e in docker_proxy.passed("^POST")] == [
        *("stop", "commit", "tag")
    ]
