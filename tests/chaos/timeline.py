"""What happened to one request, in order, for whoever looks for a mistake?"""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.histories import Story
from tests.chaos.observations import Evidence
from tests.chaos.plan import FAULTS

_LINES = 70
Line = tuple[float, str]


def tell(story: Story, evidence: Evidence) -> str:
    """Tell what Temporal, the product, the engine and the campaign did around a request."""
    spec, final = story.request.operation, story.final
    said = [f"  {spec.kind} {story.request.container.name}, {spec}", f"  {story.outcome}"]
    if final is not None:
        steps = [(s.name.value, s.status.value, s.error, s.note) for s in final.steps]
        said.append(f"  {final.cause} {final.cause_text} {steps}")
    began = story.run.began
    since, until = began - 5, story.ended + 10
    lines = [
        *_temporal(story),
        *(line for line in _engine(story, evidence) if since <= line[0] <= until),
        *(line for line in _campaign(story, evidence) if since <= line[0] <= until),
    ]
    told = [f"  {at - began:8.2f} {text}" for at, text in sorted(lines)]
    return "\n".join([*said, *told[-_LINES:]])


def _temporal(story: Story) -> Iterator[Line]:
    for run in (story.run, *story.operations):
        name = run.workflow_id[:30]
        recovers = run.operate is not None and run.operate.recover
        yield run.began, f"{name} begins{' (recovery)' if recovers else ''}"
        if run.ended:
            yield run.ended, f"{name} ends: {run.status.name} {run.failure}"
        for activity, at in run.activities:
            yield at, f"schedules {activity}"
        for decision, at in run.decisions:
            yield at, f"signal {decision.choice} by {decision.approver_id}"


def _engine(story: Story, evidence: Evidence) -> Iterator[Line]:
    pins = {run.operate.state.pin for run in story.operations if run.operate}
    ids = {pin.container_id for pin in pins if pin}
    for write in evidence.writes:
        if write.container_id in {"", *ids}:
            yield write.at, f"PRODUCT {write.line[:150]} -> {write.status}"
    for event in evidence.journal.events:
        if event["Actor"]["ID"] in ids:
            yield event["timeNano"] / 1e9, f"    engine: {event['Action']}"


def _campaign(story: Story, evidence: Evidence) -> Iterator[Line]:
    name = story.request.container.name
    for deed in evidence.journal.deeds:
        of_story = deed.request_id == story.request.request_id
        if of_story or deed.planned.move in FAULTS or name in deed.planned.text + deed.note:
            effect = f"{deed.ended - deed.began:.1f} s" if deed.took_effect else "no effect"
            what = f"{deed.planned.move} {deed.user} {deed.note or deed.planned.text}"
            yield deed.began, f"  CHAOS {what}, {effect}"
