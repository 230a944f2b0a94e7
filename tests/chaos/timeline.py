"""What happened to one request, in order, for whoever looks for a mistake?"""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.histories import RequestHistory
from tests.chaos.observations import Observations
from tests.chaos.plan import FAULTS

_LINES = 70
Line = tuple[float, str]


def timeline(history: RequestHistory, observed: Observations) -> str:
    """Tell what Temporal, the product, the engine and the campaign did around a request."""
    spec, final = history.request.operation, history.final
    said = [f"  {spec.kind} {history.request.container.name}, {spec}", f"  {history.outcome}"]
    if final is not None:
        steps = [(s.name.value, s.status.value, s.error, s.note) for s in final.steps]
        said.append(f"  {final.cause} {final.cause_text} {steps}")
    began = history.run.began
    since, until = began - 5, history.ended + 10
    lines = [
        *_temporal(history),
        *(line for line in _engine(history, observed) if since <= line[0] <= until),
        *(line for line in _campaign(history, observed) if since <= line[0] <= until),
    ]
    told = [f"  {at - began:8.2f} {text}" for at, text in _without_floods(sorted(lines))]
    return "\n".join([*said, *told[-_LINES:]])


def _without_floods(lines: list[Line]) -> Iterator[Line]:
    """Leave out what many people sent at once, and who said the same just before."""
    before = ""
    for at, text in lines:
        is_signal = text.startswith("signal ")
        if is_signal and (text == before or "U0FLOOD" in text):
            continue
        before = text
        yield at, text


def _temporal(history: RequestHistory) -> Iterator[Line]:
    for run in (history.run, *history.operations):
        name = run.workflow_id[:30]
        recovers = run.operate is not None and run.operate.recover
        yield run.began, f"{name} begins{' (recovery)' if recovers else ''}"
        if run.ended:
            yield run.ended, f"{name} ends: {run.status.name} {run.failure}"
        for activity, at in run.activities:
            yield at, f"schedules {activity}"
        for instruction, at in run.instructions:
            yield at, f"signal {instruction.intent} by {instruction.user_id}"
        for decision, at in run.decisions:
            yield at, f"signal {decision.choice} by {decision.approver_id}"
    for decision, at in history.forged:
        yield at, f"forged {decision.choice} in the name of {decision.approver_id}"


def _engine(history: RequestHistory, observed: Observations) -> Iterator[Line]:
    pins = {run.operate.state.pin for run in history.operations if run.operate}
    ids = {pin.container_id for pin in pins if pin}
    for write in observed.writes:
        if write.container_id in {"", *ids}:
            yield write.at, f"PRODUCT {write.line[:150]} -> {write.status}"
    for event in observed.event_log.events:
        if event["Actor"]["ID"] in ids:
            yield event["timeNano"] / 1e9, f"    engine: {event['Action']}"


def _campaign(history: RequestHistory, observed: Observations) -> Iterator[Line]:
    name = history.request.container.name
    for action in observed.event_log.actions:
        of_history = action.request_id == history.request.request_id
        if of_history or action.planned.move in FAULTS or name in action.planned.text + action.note:
            effect = f"{action.ended - action.began:.1f} s" if action.took_effect else "no effect"
            about = action.note or action.planned.text
            if action.planned.text and action.note and action.planned.text not in action.note:
                about = f"{action.planned.text}: {action.note}"
            what = f"{action.planned.move} {action.user} {about}"
            yield action.began, f"  CHAOS {what}, {effect}"
