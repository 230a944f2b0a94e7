"""What has come in with a signal, and is it what it should be?

Anybody who reaches Temporal can send a signal with anything in it, or with nothing. A handler
that raises would hold its workflow for ever, and the container with it; so the handlers take
whatever comes (``*payloads``) and read it here. Untyped parameters are the point: with a typed one
the SDK calls a handler only with as many payloads as it declares, and drops all types when the
numbers differ (temporalio 1.35, ``_convert_payloads``).

Thousands of signals may come at once, after an outage: they are read within one workflow task, and
the SDK ends a task that takes two seconds. What comes from people is therefore read here, field by
field, in a fiftieth of the time that the SDK needs.

A start without any input is of the same kind: the workflows are started with one raw value, whose
default stands in when there is none. It is not declared as optional, which would hide from the
SDK that it is to be left raw. So is a start with several: see :func:`takes_more`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

from temporalio import converter, workflow

from workflows.model.names import USER_ID_FORM
from workflows.model.requests import Choice, Decision, Instruction, Intent, Replacement
from workflows.model.terminal import Terminal
from workflows.model.timing import aware

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
#: Ids that we make are shorter by far; one that somebody else made is kept so short.
MAX_ID_LENGTH = 100


def takes_more(function: F) -> F:
    """Hide from the SDK that a function takes more inputs than the one that is right.

    It calls a workflow with as many as came. One that takes fewer cannot be made, which the SDK
    tries for ever (temporalio 1.35, ``_apply_initialize_workflow``): its name would stay taken.
    One that shows that it takes more gets no raw value.
    """
    shown = signature(function)
    kept = [one for one in shown.parameters.values() if one.kind is not Parameter.VAR_POSITIONAL]
    function.__signature__ = shown.replace(parameters=kept)  # type: ignore[attr-defined]
    return function


def read_decision(payloads: Sequence[Any]) -> Decision | None:
    """Read what came with ``decide``; ``None`` when it is no decision."""
    return _read_flat(Decision, payloads)


def read_replacement(payloads: Sequence[Any]) -> Replacement | None:
    """Read what came with ``replace``; ``None`` when it is no request of who rejects another."""
    replacement = read(Replacement, payloads)
    if replacement is None:
        return None
    sent_at, request = replacement.decision.sent_at, replacement.request
    decision = replace(replacement.decision, sent_at=None if sent_at is None else aware(sent_at))
    is_one_wish = (
        decision.choice is Choice.REJECT
        and decision.approver_id == request.requester
        and decision.team_id == request.team_id
        and decision.request_id != request.request_id
        and decision.terminal == request.terminal
    )
    return replace(replacement, decision=decision) if is_one_wish else None


def read_instruction(intent: Intent, payloads: Sequence[Any]) -> Instruction | None:
    """Read what came with the signal of this intent; ``None`` when it is no instruction."""
    instruction = _read_flat(Instruction, payloads)
    return None if instruction is None else replace(instruction, intent=intent)


def read_user(payloads: Sequence[Any]) -> str:
    """Read the id of a person; ``""`` when it is none."""
    first = payloads[0] if payloads else ""
    return first if isinstance(first, str) and USER_ID_FORM.fullmatch(first) else ""


def read_terminal(payloads: Sequence[Any]) -> Terminal | None:
    """Read at which terminal a person typed, behind the id; ``None`` when it is none with names."""
    try:
        terminal = _terminal(payloads[1]) if len(payloads) > 1 else None
    except Exception:  # noqa: BLE001 - whatever it is, it must not hold the workflow
        return None
    return terminal if terminal is not None and terminal.is_named else None


def read(kind: type[T], payloads: Sequence[Any]) -> T | None:
    """Read the first of the payloads as this type; what is not of it is dropped and logged."""
    return _read(kind, payloads, converter.value_to_type)


def _read_flat(kind: type[T], payloads: Sequence[Any]) -> T | None:
    """Read what :func:`read` reads, of a type whose fields are texts, choices and times."""
    return _read(kind, payloads, _flat)


def _read(kind: type[T], payloads: Sequence[Any], convert: Callable[[type[T], Any], T]) -> T | None:
    if payloads:
        try:
            return convert(kind, payloads[0])
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not hold the workflow
            why = type(error).__name__
    else:
        why = "no payload"
    workflow.logger.warning("signal dropped", extra={"wanted": kind.__name__, "why": why})
    return None


def _flat(kind: type[Any], value: Any) -> Any:  # noqa: ANN401 - whatever came
    if not isinstance(value, dict):
        raise TypeError
    given = {name: convert(value[name]) for name, convert in _FIELDS[kind].items() if name in value}
    return kind(**given)


def _text(value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        raise TypeError
    return value


def _time(value: Any) -> datetime | None:  # noqa: ANN401
    return None if value is None else aware(datetime.fromisoformat(value))


def _terminal(value: Any) -> Terminal | None:  # noqa: ANN401
    if value is None:
        return None
    terminal: Terminal = _flat(Terminal, value)
    return terminal


_CONVERTERS: Mapping[Any, Callable[[Any], Any]] = MappingProxyType(
    {
        str: _text,
        Choice: Choice,
        Intent: Intent,
        datetime | None: _time,
        Terminal | None: _terminal,
    }
)
#: How each field of a type is read.
_FIELDS: Mapping[type[Any], Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        kind: MappingProxyType(
            {name: _CONVERTERS[hint] for name, hint in get_type_hints(kind).items()}
        )
        for kind in (Decision, Instruction, Terminal)
    }
)
