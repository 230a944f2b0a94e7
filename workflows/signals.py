"""What has come in with a signal, and is it what it should be?

Anybody who reaches Temporal can send a signal with anything in it, or with nothing. A handler
that raises would hold its workflow for ever, and the container with it; so the handlers take
whatever comes (``*payloads``) and read it here. Untyped parameters are the point: with a typed one
the SDK calls a handler only with as many payloads as it declares, and drops all types when the
numbers differ (temporalio 1.35, ``_convert_payloads``).

A start without any input is of the same kind: the workflows are started with one raw value, whose
default stands in when there is none. It is not declared as optional, which would hide from the
SDK that it is to be left raw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from temporalio import converter, workflow

from workflows.model.names import USER_ID_FORM
from workflows.model.requests import Decision, Instruction, Intent

T = TypeVar("T")
#: Ids that we make are shorter by far; one that somebody else made is kept so short.
MAX_ID_LENGTH = 100


def read_decision(payloads: Sequence[Any]) -> Decision | None:
    """Read what came with ``decide``; ``None`` when it is no decision."""
    decision = read(Decision, payloads)
    if decision is None or decision.sent_at is None:
        return decision
    return replace(decision, sent_at=_aware(decision.sent_at))


def read_instruction(intent: Intent, payloads: Sequence[Any]) -> Instruction | None:
    """Read what came with the signal of this intent; ``None`` when it is no instruction."""
    instruction = read(Instruction, payloads)
    return None if instruction is None else replace(instruction, intent=intent)


def read_user(payloads: Sequence[Any]) -> str:
    """Read the id of a person; ``""`` when it is none."""
    first = payloads[0] if payloads else ""
    return first if isinstance(first, str) and USER_ID_FORM.fullmatch(first) else ""


def read(kind: type[T], payloads: Sequence[Any]) -> T | None:
    """Read the first of the payloads as this type; what is not of it is dropped and logged."""
    if payloads:
        try:
            return cast("T", converter.value_to_type(kind, payloads[0]))
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not hold the workflow
            why = type(error).__name__
    else:
        why = "no payload"
    workflow.logger.warning("signal dropped", extra={"wanted": kind.__name__, "why": why})
    return None


def _aware(moment: datetime) -> datetime:
    """Take a time without a zone as UTC, or it could not be compared."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
