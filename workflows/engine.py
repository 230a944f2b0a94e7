"""Whose is an engine? The record of one, which does nothing but be there.

One engine is one host: two names for it would be two locks on each of its containers. Temporal
lets one workflow of an id run at a time, so the one that is called after the engine says whose it
is. The docker workers start it and read its memo (``activities/temporal/hosts.py``); none waits
for it to run, so it needs no control worker, and it holds no lock that anything waits for.

It has no time limit. Who terminates it, or cancels it, gives the engine free: the worker that
serves it announces it again within seconds, or another that has been waiting does.
"""

from __future__ import annotations

from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue

from workflows.model.names import ENGINE_WORKFLOW


@workflow.defn(name=ENGINE_WORKFLOW)
class EngineWorkflow:
    """Waits, whatever it is sent."""

    @workflow.run
    async def run(self) -> None:
        """Wait until somebody ends it."""
        await workflow.wait_condition(lambda: False)

    @workflow.signal(dynamic=True)
    def drop(self, name: str, _payloads: Sequence[RawValue]) -> None:
        """Take any signal and keep nothing of it: the SDK would keep one that has no handler."""
        workflow.logger.info("signal dropped", extra={"signal": name[:100]})
