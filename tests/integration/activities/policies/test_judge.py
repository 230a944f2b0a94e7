"""By which rules is a request judged, whoever started it and whatever came along with it?"""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from activities.policies.judge import UNREADABLE, Judge, read_own
from activities.temporal.queues import control_workers
from bot.temporal.sealing import sealed, sealed_start
from tests.rigs.dev_server import temporal_server
from tests.rigs.terminal import Terminal
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.last_word import LastWordWorkflow
from workflows.model import names
from workflows.model.errors import RefusalCode
from workflows.model.hosts import books_of, poller_identity
from workflows.model.plan import POLICY_SEAL, policy_parts
from workflows.model.requests import Choice, ContainerRef, Policy
from workflows.model.seal import NO_KEYS, SealKeys
from workflows.model.state import RequestState, RequestStatus
from workflows.sandbox import workflow_runner

_BOOK = """\
[[policy]]
name = "by the book"
containers = ["web-*"]
approvers = ["UBOB", "UCAROL"]
required_approvals = 2
expires_after = "20m"
"""
_KEYS = SealKeys(("k" * 32,))
_WEAK = Policy(name="weak", labels={}, approvers=("UALICE", "UDAVE"))


@pytest.fixture(name="server", scope="module")
async def _server() -> AsyncIterator[Client]:
    """Give a server of its own: control workers of other tests tell of no book."""
    async with temporal_server() as env:
        yield env.client


@asynccontextmanager
async def _judging(
    client: Client, book: Path, *, keys: SealKeys = NO_KEYS
) -> AsyncIterator[Workers]:
    """Serve with a real book."""
    workers = Workers(client, keys=keys)
    workers.policies.judge = Judge(read_own(book), partial(control_workers, client), keys=keys)
    async with workers:
        yield workers


@asynccontextmanager
async def _a_second_worker(address: str, book: str) -> AsyncIterator[None]:
    """Have another control worker ask for work, by another book; it has ended a moment ago."""
    client = await Client.connect(address)
    worker = Worker(
        client,
        task_queue=names.CONTROL_TASK_QUEUE,
        identity=poller_identity("second", book=book),
        workflows=[LastWordWorkflow],
        workflow_runner=workflow_runner(),
    )

    async def is_seen() -> bool:
        return book in books_of(await control_workers(client))

    async with worker:
        await eventually(is_seen)
    yield


def _book(tmp_path: Path, text: str = _BOOK) -> Path:
    file = tmp_path / "policies.toml"
    file.write_text(text, encoding="utf-8")
    return file


async def _brought_along(workers: Workers, **changes: Any) -> RequestUnderTest:
    """Start a request with a weak policy of the starter's own."""
    request = replace(workers.request(), policies=(_WEAK,), **changes)
    if workers.docker.keys:
        request = sealed_start(workers.docker.keys, request)
    handle = await workers.client.start_workflow(
        names.REQUEST_WORKFLOW,
        request,
        id=names.request_workflow_id(request.container.host, request.container.name),
        task_queue=names.CONTROL_TASK_QUEUE,
        result_type=RequestState,
    )
    return RequestUnderTest(workers, request, handle)


async def _decide(under_test: RequestUnderTest, who: str, choice: Choice = Choice.APPROVE) -> None:
    decision = sealed(_KEYS, under_test.decision(who, choice))
    await under_test.handle.signal(names.DECIDE_SIGNAL, decision)


async def test_what_a_starter_brings_along_is_no_rule(server: Client, tmp_path: Path) -> None:
    """The book's policy stands on the card and counts; a seal says that it stood in the book."""
    book = _book(tmp_path)
    async with _judging(server, book, keys=_KEYS) as workers:
        under_test = await _brought_along(workers)
        waiting = await under_test.until(RequestStatus.WAITING)
        await _decide(under_test, "UDAVE")
        await eventually(lambda: bool(workers.slack.notices))
        await _decide(under_test, "UBOB", Choice.REJECT)
        state = await under_test.result()

    assert waiting.policy is not None
    assert (waiting.policy.name, waiting.policy.required_approvals) == ("by the book", 2)
    assert waiting.book_hash == read_own(book).hash
    words = policy_parts(waiting.request_id, waiting.container, waiting.policy)
    assert _KEYS.holds(waiting.policy_seal, POLICY_SEAL, *words)
    assert [drawn.policy for drawn in workers.slack.drawn[:1]] == [waiting.policy]
    assert workers.slack.notices[0].refusal.code is RefusalCode.NOT_AN_APPROVER
    assert state.status is RequestStatus.REJECTED


async def test_a_start_by_temporals_own_command_is_a_request_like_any(
    server: Client, tmp_path: Path
) -> None:
    """With nothing but what is wanted: the same policy, the same card, the same pause."""
    terminal = Terminal(server.service_client.config.target_host)
    async with _judging(server, _book(tmp_path)) as workers:
        host, request_id = workers.docker.name, uuid.uuid4().hex[:12]
        workers.slack.requests.add(request_id)
        wanted = {
            "request_id": request_id,
            "operation": {"kind": "stop"},
            "container": {"host": host, "name": "web-1"},
            "requester": "UALICE",
            "team_id": "T1",
            "channel_id": "C1",
            "delivery_id": "by hand",
        }
        workflow_id = names.request_workflow_id(host, "web-1")
        await terminal.start(names.REQUEST_WORKFLOW, workflow_id, wanted)
        request = replace(workers.request(), request_id=request_id)
        under_test = workers.under_test(request)
        state = await under_test.until(RequestStatus.WAITING)
        await under_test.decide("UBOB")
        await under_test.decide("UCAROL")
        done = await under_test.result()

    assert state.policy is not None
    assert state.policy.name == "by the book"
    assert workers.slack.drawn[0].request_id == request_id
    assert workers.docker.calls[0] == "inspect_container"
    assert done.status is RequestStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("text", "name", "code"),
    [
        (_BOOK, "db-1", RefusalCode.NO_POLICY),
        ("[[policy]]\nname = 1", "web-1", RefusalCode.BOOK_UNREADABLE),
    ],
)
async def test_what_the_book_does_not_cover_is_not_even_looked_at(
    server: Client, tmp_path: Path, text: str, name: str, code: RefusalCode
) -> None:
    """A book that is of no use allows nothing, and no other rule stands in for it."""
    async with _judging(server, _book(tmp_path, text)) as workers:
        container = ContainerRef(host=workers.docker.name, name=name)
        state = await (await _brought_along(workers, container=container)).result()

    assert state.refusal is not None
    assert state.refusal.code is code
    assert [notice.user_id for notice in workers.slack.notices] == ["UALICE"]
    assert (workers.docker.calls, workers.slack.drawn, state.policy) == ([], [], None)


async def test_two_control_workers_with_different_books_refuse(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What is allowed must not hang on which of them takes it up; both books are named."""
    caplog.set_level(logging.ERROR, "activities.policies.judge")
    book = _book(tmp_path)
    # Whoever has asked for work is seen for a minute, so nobody else may be on this server.
    async with (
        temporal_server() as env,
        _a_second_worker(env.client.service_client.config.target_host, "feedfeedfeed"),
        _judging(env.client, book) as workers,
    ):
        state = await (await _brought_along(workers)).result()

    assert state.refusal is not None
    assert state.refusal.code is RefusalCode.BOOKS_DIFFER
    own = read_own(book).hash
    assert state.refusal.detail == f"{own}, feedfeedfeed"
    assert workers.docker.calls == []
    (told, *_) = [record for record in caplog.records if hasattr(record, "others")]
    assert (vars(told)["policy_book"], vars(told)["others"]) == (own, "feedfeedfeed")


def test_a_book_of_no_use_is_told_line_by_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has each problem, as an error; whoever asks for readiness reads the first."""
    text = '[[policy]]\nname = "a"\n[[policy]]\nname = "b"\napprovers = ["nobody"]\n'
    own = read_own(_book(tmp_path, text))

    lines = [vars(record)["why"] for record in caplog.records if record.levelname == "ERROR"]
    assert len(lines) > 1
    assert own.problem == f"{lines[0]} (and {len(lines) - 1} more)"
    assert (own.book, own.hash) == (None, UNREADABLE)
