"""What can somebody ask for instead whose request was refused, and how is that written?

The line is that person's own, corrected, and a button asks for what was probably meant. It carries
the parts of a command and no authority: whoever presses it asks anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from slack_sdk.models.blocks import ActionsBlock, ButtonElement

from activities.slack.mrkdwn import code
from workflows.model.errors import RefusalCode
from workflows.model.names import ActionId
from workflows.model.refusal_details import either, meant
from workflows.model.requests import ContainerRef, OperationSpec
from workflows.model.state import Refusal, RequestState
from workflows.model.text import shorten
from workflows.operations import catalog
from workflows.operations.typed import SOME_REASON, brief_line, command_line, shown_reason

#: Slack's own limits.
_VALUE_LENGTH = 2000
_LABEL_LENGTH = 75


def asked(state: RequestState) -> str:
    """Write the command that is answered, as briefly as it can be known again."""
    return brief_line(state.operation, state.name_now)


def did_you_mean(refusal: Refusal) -> str:
    """Ask which of them was meant, as a sentence after another; nothing where none comes near."""
    names = tuple(map(code, meant(refusal)))
    return f" Did you mean {either(names)}?" if names else ""


def lines(state: RequestState) -> dict[str, str]:
    """Write what can be typed instead, by the name that advice has for it."""
    spec = state.operation
    bare = replace(spec, snapshot_ref=None)
    without = replace(catalog.without_snapshot(spec), grace_seconds=spec.grace_seconds)
    return {
        "with_reason": _line(spec, state, reason=SOME_REASON),
        "unnamed": _line(bare, state),
        "without": _line(without, state),
        "as_snapshot": _line(OperationSpec(kind="snapshot", snapshot=True), state),
        "as_restart": _line(OperationSpec(kind="restart"), state),
    }


def buttons(refusal: Refusal, state: RequestState) -> list[ActionsBlock]:
    """Draw a button for each name that was probably meant.

    Whoever is only said to have typed something at a terminal is offered none.
    """
    if refusal != state.refusal or state.terminal is not None:
        return []
    drawn = [
        _button(number, command, spoken)
        for number, (command, spoken) in enumerate(_instead(refusal, state))
        if len(command) <= _VALUE_LENGTH
    ]
    return [ActionsBlock(block_id="instead", elements=drawn)] if drawn else []


def _instead(refusal: Refusal, state: RequestState) -> Iterator[tuple[str, str]]:
    host, spec = state.container.host, state.operation
    is_host = refusal.code is RefusalCode.UNKNOWN_HOST
    for name in meant(refusal):
        container = ContainerRef(host=name if is_host else host, name=state.name_now)
        if not is_host:
            container = replace(container, name=name)
        what = f"{catalog.words_of(spec)} {container.name}"
        where = f" on {name}" if is_host else ""
        yield command_line(spec, container, reason=state.reason), f"{what}{where}"


def _button(number: int, command: str, spoken: str) -> ButtonElement:
    label = shorten(f"Ask to {spoken}", _LABEL_LENGTH)
    return ButtonElement(
        text=label,
        action_id=f"{ActionId.ASK}.{number}",
        value=command,
    )


def _line(spec: OperationSpec, state: RequestState, *, reason: str | None = None) -> str:
    container = ContainerRef(host=state.container.host, name=state.name_now)
    said = shown_reason(state.reason) if reason is None else reason
    return command_line(spec, container, reason=said)
