"""Does the whole product work behind the proxy that the other tests set their traps in?"""

from __future__ import annotations

from tests.rigs.docker_proxy import DockerProxy
from tests.rigs.request_driver import Desk


async def test_no_trap_no_fault(any_desk: Desk, proxy: DockerProxy) -> None:
    """A request through the proxy succeeds, and nothing was written before the approval."""
    desk = any_desk
    desk.rig.run(name="plain")
    (request,) = await desk.ask("plain")
    assert proxy.passed("^GET .*/json")
    assert proxy.passed("^(POST|DELETE|PUT)") == []
    await desk.approve(request)
    await desk.check_snapshotted(request, await request.outcome())
    assert [e.line.split("?")[0].rsplit("/", 1)[1] for e in proxy.passed("^POST")] == [
        *("stop", "commit", "tag")
    ]
