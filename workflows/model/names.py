"""Which names do the rooms share with each other, with Temporal and with Docker?

People script against workflow ids, the signal, the query and the image label, so those
are part of the product's contract and never change silently.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

CONTROL_TASK_QUEUE = "control"

DECIDE_SIGNAL = "decide"
CANCEL_SIGNAL = "cancel_request"
PROGRESS_SIGNAL = "operation_progress"
STOP_TRYING_SIGNAL = "stop_trying"
TRY_NOW_SIGNAL = "try_now"
REPLACE_SIGNAL = "replace"
GIVE_UP_SIGNAL = "give_up"
STATE_QUERY = "state"

REQUEST_WORKFLOW = "ContainerLifecycleWorkflow"
OPERATION_WORKFLOW = "StopAndSnapshotWorkflow"
HOST_QUERY_WORKFLOW = "HostLookWorkflow"
RECONCILE_WORKFLOW = "ReconcileWorkflow"
LAST_WORD_WORKFLOW = "LastWordWorkflow"
ENGINE_WORKFLOW = "EngineWorkflow"
RECONCILE_SCHEDULE = "dockwarden-reconcile"

REQUEST_LABEL = "dockwarden.request-id"
SOURCE_LABEL = "dockwarden.source"
PROTECTED_LABEL = "dockwarden.protected"
#: To what Compose project and service the container of a snapshot belonged, in hexadecimal.
WAS_PROJECT_LABEL = "dockwarden.was.project"
WAS_SERVICE_LABEL = "dockwarden.was.service"

STATUS = SearchAttributeKey.for_keyword("DockwardenStatus")
HOST = SearchAttributeKey.for_keyword("DockwardenHost")
CONTAINER = SearchAttributeKey.for_keyword("DockwardenContainer")
REQUESTER = SearchAttributeKey.for_keyword("DockwardenRequester")
REQUEST_ID = SearchAttributeKey.for_keyword("DockwardenRequestId")
SEARCH_ATTRIBUTES = (STATUS, HOST, CONTAINER, REQUESTER, REQUEST_ID)
#: What is asked for, in words: lists show it, and nobody searches for it.
OPERATION_MEMO = "operation"
#: When it was asked for, of a request that goes on in a new run.
REQUESTED_AT_MEMO = "requested_at"

#: Docker's own rule for container names, which has no upper limit. Only a text that matches it may
#: reach an engine: docker-py quotes with ``safe="/:"``, so a path would reach another endpoint.
CONTAINER_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
#: A database of Temporal takes 255 characters for a workflow id, and for a search attribute.
_INDEXED_LENGTH = 180
_DIGEST_LENGTH = 16
_INDEXED_NAME = re.compile(rf"{CONTAINER_NAME.pattern}(?:~[0-9a-f]{{{_DIGEST_LENGTH}}})?")
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
REQUEST_ID_FORM = re.compile(r"[0-9a-f]{12}")
USER_ID_FORM = re.compile(r"[UW][A-Z0-9]{1,30}")
GROUP_ID_FORM = re.compile(r"S[A-Z0-9]{1,30}")
CONTAINER_ID_FORM = re.compile(r"[0-9a-f]{64}")
PLAN_HASH_FORM = re.compile(r"[0-9a-f]{64}")
ENGINE_ID_FORM = re.compile(r"[\w.:/+-]{1,300}", re.ASCII)


class ActionId(StrEnum):
    """``action_id`` of the buttons on a card."""

    APPROVE = "request.approve"
    REJECT = "request.reject"
    CANCEL = "request.cancel"
    STOP_TRYING = "request.stop_trying"
    TRY_NOW = "request.try_now"
    AGAIN = "request.again"
    START_AGAIN = "request.start_again"
    DETAILS = "request.details"
    APPROVE_WITH_COMMENT = "request.approve_with_comment"
    #: On a refusal: asks for what was probably meant. A number follows, for there may be several.
    ASK = "request.ask"


REJECT_FORM = "request.reject.form"
APPROVE_FORM = "request.approve.form"
ASK_FORM = "request.ask.form"


def docker_task_queue(host: str) -> str:
    """Name the task queue of one Docker engine for what is quick: looks, tags, starts."""
    return f"docker/{host}"


def docker_stop_queue(host: str) -> str:
    """Name its task queue for stops, each of which may take as long as its grace."""
    return f"docker/{host}/stop"


def docker_commit_queue(host: str) -> str:
    """Name its task queue for commits, each of which copies what a container has written."""
    return f"docker/{host}/commit"


def indexed_name(container: str) -> str:
    """Write a container's name or id as it stands in ids and lists, with no room for any length.

    A long one is cut, and told from all others by a digest of the whole behind a character that
    no name has. What was cut stays as it is.
    """
    if len(container) <= _INDEXED_LENGTH:
        return container
    digest = hashlib.sha256(container.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{container[: _INDEXED_LENGTH - _DIGEST_LENGTH - 1]}~{digest}"


def request_workflow_id(host: str, container: str) -> str:
    """Name the request's workflow: at most one open request per container."""
    return f"request/{host}/{indexed_name(container)}"


def operation_workflow_id(host: str, container_id: str) -> str:
    """Name the operation's workflow: it is the lock on one exact container."""
    return f"operate/{host}/{indexed_name(container_id)}"


def last_word_workflow_id(request_id: str) -> str:
    """Name the workflow that draws the last card of a request that Slack did not take."""
    return f"last-word/{request_id}"


def engine_workflow_id(engine_id: str) -> str:
    """Name the record of an engine: it says which host serves it, and that only one does."""
    return f"engine/{engine_id}"


def request_attributes(
    *, host: str, container: str, requester: str, request_id: str
) -> TypedSearchAttributes:
    """Say of a workflow of a request what people can look for in Temporal."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(HOST, host),
            SearchAttributePair(CONTAINER, indexed_name(container)),
            SearchAttributePair(REQUESTER, requester),
            SearchAttributePair(REQUEST_ID, request_id),
        ]
    )


def card_block_id(request_id: str) -> str:
    """Name the first block of a card, by which a lost answer to its posting is found again."""
    return f"card.{request_id}"


def thread_block_id(request_id: str, key: str) -> str:
    """Name the block of one thread reply; ``key`` is unique within the request."""
    return f"log.{request_id}.{key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAddress:
    """Which request is meant, and where its workflow is found: an address, never an authority.

    The workflow compares the request id with its own and decides on its stored request. A long
    ``container`` may be written as :func:`indexed_name` does. ``plan_hash`` is of the plan that
    whoever uses it saw; an approval of anything else does not count.
    """

    request_id: str
    host: str
    container: str
    plan_hash: str = ""

    @property
    def workflow_id(self) -> str:
        """The id of the request's workflow."""
        return request_workflow_id(self.host, self.container)


def button_value(address: RequestAddress) -> str:
    """Say what a button carries."""
    container = indexed_name(address.container)
    return f"{address.request_id} {address.host} {container} {address.plan_hash}".rstrip()


def parse_button_value(value: str) -> RequestAddress:
    """Read a button's value; one of an earlier release holds no plan hash.

    Raises:
        ValueError: the value is not one that :func:`button_value` made.
    """
    match value.split(" "):
        case [request_id, host, container, *plan] if (
            REQUEST_ID_FORM.fullmatch(request_id)
            and HOST_NAME.fullmatch(host)
            and _INDEXED_NAME.fullmatch(container)
            and len(plan) <= 1
            and all(map(PLAN_HASH_FORM.fullmatch, plan))
        ):
            return RequestAddress(
                request_id=request_id, host=host, container=container, plan_hash="".join(plan)
            )
    message = "this button does not belong to a Dockwarden request"
    raise ValueError(message)
