"""Which host serves which engine, and how do docker workers and readers agree about it?

A docker worker that sees its engine *announces* it: it starts the workflow ``engine/<engine id>``,
or finds it. What the record says stands in its memo, so that nobody has to run the workflow to
read it; the search attribute of the host finds it by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches

from temporalio import converter

from workflows.model.names import ENGINE_ID_FORM, ENGINE_WORKFLOW, HOST_NAME

ANNOUNCEMENT_MEMO = "announcement"
#: All records, in the language of Temporal's list.
RECORDS_QUERY = f"WorkflowType = '{ENGINE_WORKFLOW}' AND ExecutionStatus = 'Running'"
#: Stands for a host that a record does not name; none can be called so.
UNKNOWN_HOST = "?"
_ALIKE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What a docker worker says of the engine that it serves.

    ``version`` is Dockwarden's. ``since`` is when this host first announced the engine, and
    ``machine`` where the worker ran that did.
    """

    host: str
    engine_id: str
    engine_version: str = ""
    version: str = ""
    since: datetime | None = None
    machine: str = ""


def read_announcement(memo: object, *, workflow_id: str, host: str | None) -> Announcement | None:
    """Read a record; ``None`` when its id is that of no engine.

    Its id counts, and not the engine that the memo names: it is what is there once only. Of a
    record that somebody made by hand no more than its host may be known, or not even that.
    """
    engine_id = workflow_id.partition("/")[2]
    if not ENGINE_ID_FORM.fullmatch(engine_id):
        return None
    try:
        told: Announcement = converter.value_to_type(Announcement, memo)
    except Exception:  # noqa: BLE001 - whatever stands there, it is a record all the same
        told = Announcement(host=host or "", engine_id=engine_id)
    name = told.host if HOST_NAME.fullmatch(told.host) else UNKNOWN_HOST
    return replace(told, host=name, engine_id=engine_id)


def poller_identity(process: str, engine_id: str = "", *, book: str = "", seal: str = "") -> str:
    """Name a worker to Temporal, so that others see what it works with.

    Args:
        process: which process it is.
        engine_id: the engine that it serves, if one.
        book: the hash of its policy book, if it has one.
        seal: the fingerprint of its seal keys; ``""`` says that it has none.
    """
    told = "".join(f";{name}={value}" for name, value in (("book", book), ("seal", seal)) if value)
    return f"{process}{told} {engine_id}".rstrip()


def process_and_engine(identity: str) -> tuple[str, str]:
    """Read what :func:`poller_identity` made; a worker of an earlier release tells no engine."""
    process, _, engine_id = identity.partition(" ")
    return process.partition(";")[0], engine_id


def told_by(identity: str) -> dict[str, str]:
    """Read by name what else :func:`poller_identity` told, ``book`` and ``seal``."""
    facts = identity.partition(" ")[0].split(";")[1:]
    return {name: value for name, _, value in (fact.partition("=") for fact in facts)}


def books_of(identities: Iterable[str]) -> tuple[str, ...]:
    """Give the hashes of the policy books that workers tell of, each once."""
    return tuple(sorted({told_by(identity).get("book", "") for identity in identities} - {""}))


def nearest_host(name: str, hosts: Iterable[str]) -> str:
    """Find the host that somebody may have meant; ``""`` when none is like it."""
    return next(iter(get_close_matches(name, sorted(set(hosts)), 1, _ALIKE)), "")
