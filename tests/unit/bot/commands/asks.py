"""What a text of the grammar asks for, written short."""

from __future__ import annotations

from bot.commands.ask import Ask
from workflows.model.requests import ContainerRef, OperationSpec
from workflows.operations import catalog


def ask(
    kind: str,
    *,
    container: str = "web-1",
    host: str = "local",
    snapshot: bool = False,
    reference: str | None = None,
    grace_seconds: int | None = None,
    reason: str = "",
    replace: bool = False,
) -> Ask:
    """Describe what somebody asks for."""
    operation = catalog.find(kind)
    assert operation is not None
    return Ask(
        operation=OperationSpec(
            kind=kind,
            snapshot=snapshot or operation.always_snapshots,
            snapshot_ref=reference,
            grace_seconds=grace_seconds,
        ),
        container=ContainerRef(host=host, name=container),
        reason=reason,
        replace=replace,
    )
