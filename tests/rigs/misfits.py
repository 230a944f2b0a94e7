"""Workflows under the product's names whose tasks fail: another release, or a bug."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue

from workflows.host_query import HostQueryWorkflow
from workflows.model import names
from workflows.reconcile import ReconcileWorkflow
from workflows.request.workflow import ContainerLifecycleWorkflow


@workflow.defn(name=names.REQUEST_WORKFLOW, sandboxed=False)
class OtherRequest:
    """A request of another release: no history of today's fits it."""

    @workflow.run
    async def run(self, _: RawValue) -> None:
        """Do what no history says."""
        await _misfit()


@workflow.defn(name=names.OPERATION_WORKFLOW, sandboxed=False)
class OtherOperation:
    """An operation of another release."""

    @workflow.run
    async def run(self, _: RawValue) -> None:
        """Do what no history says."""
        await _misfit()


async def _misfit() -> None:
    """Begin with a pause, which no history does; and have a bug, so that none ever will."""
    if workflow.unsafe.is_replaying():
        await asyncio.sleep(timedelta(days=1).total_seconds())
    message = "a bug"
    raise RuntimeError(message)


OTHER_REQUEST: list[type] = [OtherRequest, HostQueryWorkflow, ReconcileWorkflow]
OTHER_OPERATION: list[type] = [
    ContainerLifecycleWorkflow,
    OtherOperation,
    HostQueryWorkflow,
    ReconcileWorkflow,
]
OTHER_RELEASE: list[type] = [OtherRequest, OtherOperation, HostQueryWorkflow, ReconcileWorkflow]
