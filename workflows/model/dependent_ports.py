"""Which activity tells of those that live in a container, with what in and what out?

It only looks: nothing but the container that was approved is ever changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import activity

from workflows.model.dependents import Dependents
from workflows.model.requests import ContainerPin


@dataclass(frozen=True, slots=True, kw_only=True)
class DependentsInput:
    """Asks what became of those that lived in the container of ``pin`` when it was approved."""

    pin: ContainerPin
    known: Dependents


class DependentsPort:
    """What the worker of a host tells of those that live in a container."""

    @activity.defn(name="look_at_dependents")
    def look_at_dependents(self, arg: DependentsInput) -> Dependents:
        """Say what became of them; nothing of them is changed."""
        raise NotImplementedError
