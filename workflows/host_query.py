"""How do people look at a host, or at the rules, without asking for anything?

``list`` and ``inspect`` change nothing and need no approval, but the bot has no access to Docker,
and no policy book: this short workflow carries the question to the worker of the host, and to the
control worker that judges, and the answer back.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import activity_options, rules
from workflows.looks import refusal_of_look
from workflows.model.listing import EVERY, ContainerList, ListInput, Wanted
from workflows.model.names import HOST_QUERY_WORKFLOW
from workflows.model.ports import ContainersPort, InspectInput, Inspection
from workflows.model.requests import ContainerRef
from workflows.model.state import Refusal
from workflows.rules import Reader, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class HostQueryInput:
    """Asks for one container by ``name``, or for all of the host's when it is empty.

    ``explain`` asks for the rules of the container too, ``wanted`` bounds a list, and ``reader``
    asks for nothing but whether somebody may read what was typed in a request. ``knows_places`` is
    that of an inspection: what the door that asks can read.
    """

    host: str
    name: str = ""
    explain: bool = False
    wanted: Wanted = EVERY
    knows_places: bool = False
    reader: Reader | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostQueryResult:
    """One of the first three is set; with ``inspection`` the ``rules``, where they are known.

    ``readable`` answers for a reader; a no is sure only where ``judged`` says so.
    """

    containers: ContainerList | None = None
    inspection: Inspection | None = None
    refusal: Refusal | None = None
    rules: tuple[Rule, ...] | None = None
    readable: bool = False
    judged: bool = False


@workflow.defn(name=HOST_QUERY_WORKFLOW)
class HostQueryWorkflow:
    """Answers once, within seconds, or says why not."""

    @workflow.run
    async def run(self, look: HostQueryInput) -> HostQueryResult:
        """Ask the worker of the host."""
        if look.reader is not None:
            told = await rules.may_read(look.reader)
            return HostQueryResult(readable=bool(told), judged=told is not None)
        options = activity_options.look(look.host)
        try:
            if look.name:
                return await self._one(look)
            containers = await workflow.execute_activity_method(
                ContainersPort.list_containers,
                ListInput(host=look.host, wanted=look.wanted),
                **options,
            )
            return HostQueryResult(containers=containers)
        except ActivityError as error:
            return HostQueryResult(refusal=await refusal_of_look(error, look.host))

    async def _one(self, look: HostQueryInput) -> HostQueryResult:
        container = ContainerRef(host=look.host, name=look.name)
        found = await rules.explained(container) if look.explain else None
        selectors = tuple(one.labels for one in found.policies) if found is not None else ()
        inspection = await workflow.execute_activity_method(
            ContainersPort.inspect_container,
            InspectInput(
                container=container,
                label_selectors=selectors,
                for_request=False,
                knows_places=look.knows_places,
            ),
            **activity_options.look(look.host),
        )
        told = rules.rules_of(found, inspection) if found is not None else None
        return HostQueryResult(inspection=inspection, rules=told)
