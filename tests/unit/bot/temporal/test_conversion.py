"""Is what comes from Temporal read by us as the SDK reads it, and refused where it refuses?"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter

from bot.temporal.conversion import DATA_CONVERTER
from tests.histories.scenarios import FOLDER
from workflows.execution.workflow import OperateInput
from workflows.model.ports import Inspection, PublishInput, SnapshotInput, StopInput
from workflows.model.requests import Decision, LifecycleRequest, Person
from workflows.model.state import RequestState, SnapshotResult, StopResult

_KINDS = (
    *(LifecycleRequest, OperateInput, RequestState, Inspection, PublishInput, StopInput),
    *(SnapshotInput, SnapshotResult, StopResult, Decision, Person),
)


def _recorded(scenario: str) -> Iterator[Any]:
    """Give the JSON of all payloads of a scenario."""
    for path in FOLDER.glob(f"{scenario}.*.json"):
        yield from _payloads(json.loads(path.read_text()))


def _payloads(found: Any) -> Iterator[Any]:
    if isinstance(found, dict) and "data" in found and "metadata" in found:
        yield json.loads(base64.b64decode(found["data"]))
    elif isinstance(found, dict):
        for value in found.values():
            yield from _payloads(value)
    elif isinstance(found, list):
        for value in found:
            yield from _payloads(value)


def _read(converter: DataConverter, value: Any, kind: type) -> object:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())
    try:
        return converter.payload_converter.from_payload(payload, kind)
    except TypeError:
        return TypeError


@pytest.mark.parametrize("scenario", ["approve", "commit_failed", "start_failed"])
def test_all_that_was_recorded_is_read_alike(scenario: str) -> None:
    """As what it is, and as anything else."""
    read = 0
    for value in _recorded(scenario):
        for kind in _KINDS:
            ours = _read(DATA_CONVERTER, value, kind)
            assert ours == _read(DataConverter.default, value, kind)
            read += ours is not TypeError
    assert read > len(_KINDS)


_STATE: dict[str, Any] = {
    "request_id": "0" * 12,
    "status": "waiting",
    "requester": "U1",
    "team_id": "T1",
    "channel_id": "C1",
    "reason": "",
    "workflow_id": "w",
    "operation": {"kind": "stop"},
    "container": {"host": "local", "name": "web-1"},
    "requested_at": "2026-01-01T00:00:00Z",
}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"grace_seconds": 1.5, "paged": True, "steps": [{"name": "stop"}], "of_a_later": "release"},
        {"pin": {"a": "b"}},
        {"status": "no such"},
        {"status": 3},
        {"steps": "stop"},
        {"steps": [{"name": "stop", "started_at": "yesterday"}]},
        {"expires_at": 5},
        {"requester": None},
        {"container": "web-1"},
        {"down_seconds": "1"},
        {"paged": 1},
    ],
)
def test_what_somebody_else_wrote_is_judged_alike(changed: dict[str, Any]) -> None:
    """Unknown fields are passed over, wrong ones refused, wherever they stand."""
    value = {**_STATE, **changed}
    expected = _read(DataConverter.default, value, RequestState)
    assert _read(DATA_CONVERTER, value, RequestState) == expected


def test_what_is_written_is_the_same() -> None:
    """Releases of both kinds read each other."""
    state = _read(DATA_CONVERTER, _STATE, RequestState)
    ours, theirs = (
        converter.payload_converter.to_payload(state)
        for converter in (DATA_CONVERTER, DataConverter.default)
    )
    assert ours == theirs
