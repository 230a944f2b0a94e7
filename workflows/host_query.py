"""How do people look at a host without asking for anything?

``list`` and ``inspect`` change nothing and need no approval, but the bot has no access to
Docker: this short workflow carries the question to the worker of the host and the answer back.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import activity_options
from workflows.looks import refusal_of_look
from workflows.model.names import HOST_QUERY_WORKFLOW
from workflows.model.ports import ContainerList, ContainersPort, InspectInput, Inspection, ListInput
from workflows.model.requests import ContainerRef
from workflows.model.state import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class HostQueryInput:
    """Asks for one container by ``name``, or for all of the host's when it is empty."""

    host: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostQueryResult:
    """One of the three is set."""

    containers: ContainerList | None = None
    inspection: Inspection | None = None
    refusal: Refusal | None = None


@workflow.defn(name=HOST_QUERY_WORKFLOW)
class HostQueryWorkflow:
    """Answers once, within seconds, or says why not."""

    @workflow.run
    async def run(self, look: HostQueryInput) -> HostQueryResult:
        """Ask the worker of the host."""
        options = activity_options.look(look.host)
        try:
            if look.name:
                container = ContainerRef(host=look.host, name=look.name)
                inspection = await workflow.execute_activity_method(
                    ContainersPort.inspect_container,
                    InspectInput(container=container, for_request=False),
                    **options,
                )
                return HostQueryResult(inspection=inspection)
            containers = await workflow.execute_activity_method(
                ContainersPort.list_containers, ListInput(host=look.host), **options
            )
            return HostQueryResult(containers=containers)
        except ActivityError as error:
            return HostQueryResult(refusal=await refusal_of_look(error, look.host))
