"""What does somebody at a terminal read whose request or decision does not count?

What is wrong with a request stands in ``workflows/model/words.py``, for all doors; what helps is
written here as it is typed. The person in whose name it was typed is told in Slack as well.
"""

from __future__ import annotations

from typing import Final

from bot.terminal.tables import tamed
from workflows.model.errors import RefusalCode
from workflows.model.refusal_details import COMPLETED, REPEATED, added_by, either, meant
from workflows.model.state import Refusal, RequestState, RequestStatus
from workflows.model.words import REFUSED, TYPED
from workflows.operations import catalog

_MOST_NAMED = 10
_ASK_LATER = "Ask again in a minute."
_FREE_SPACE = "Whoever runs the host can free some space; then ask again."
_WITHOUT_SNAPSHOT = "Ask without a snapshot, or see to the image on the host."
_BOOK = "the policy book (DOCKWARDEN_POLICIES of the control worker)"
_KEY = "DOCKWARDEN_SEAL_KEY"
_IN_SLACK = "Decide in Slack, on the card."
_ADVICE: Final = {
    RefusalCode.UNKNOWN_HOST: "`dockwarden list hosts` shows those that are known.",
    RefusalCode.HOST_BUSY: _ASK_LATER,
    RefusalCode.OLD_WORKER: "Whoever runs {host} can upgrade it.",
    RefusalCode.ENGINE_UNREACHABLE: _ASK_LATER,
    RefusalCode.HOST_AWAY: _ASK_LATER,
    RefusalCode.UNKNOWN_CONTAINER: "`dockwarden list --on {host}` shows all.",
    RefusalCode.AMBIGUOUS_CONTAINER: "`dockwarden list --on {host}` shows all; give the full name.",
    RefusalCode.PROTECTED: "Whoever runs {host} can take care of it.",
    RefusalCode.UNUSABLE_STATE: "`dockwarden inspect {name} --on {host}` shows it.",
    RefusalCode.REFERENCE_TAKEN: "Choose another name, or leave it out.",
    RefusalCode.REFERENCE_OUTSIDE: "Choose such a name, or leave it out.",
    RefusalCode.SNAPSHOT_QUOTA: _FREE_SPACE,
    RefusalCode.DISK_FULL: _FREE_SPACE,
    RefusalCode.IMAGE_MISSING: _WITHOUT_SNAPSHOT,
    RefusalCode.TOO_MANY_LAYERS: _WITHOUT_SNAPSHOT,
    RefusalCode.OWNER_MISSING: "Start that container, then ask again.",
    RefusalCode.OWNER_GONE: "Make {name} anew, then ask again.",
    RefusalCode.NO_POLICY: f"{{must_be_named}}Whoever runs Dockwarden can add one to {_BOOK}.",
    RefusalCode.REASON_REQUIRED: 'Add --reason "…".',
    RefusalCode.NO_ELIGIBLE_APPROVER: f"Whoever runs Dockwarden can name more in {_BOOK}.",
    RefusalCode.CARD_NOT_POSTED: "Invite the app to the channel, or name another with --channel.",
    RefusalCode.NOT_A_REQUESTER: f"Whoever runs Dockwarden can add requesters to {_BOOK}.",
    RefusalCode.LOOK_NOT_SEALED: (
        "Whoever runs Dockwarden can set DOCKWARDEN_SEAL_KEY of that worker as it is set for the "
        "control worker; dockwarden check says which one is it."
    ),
    RefusalCode.RULES_UNKNOWN: "Ask again in a minute.",
    RefusalCode.BOOK_UNREADABLE: (
        "Whoever runs Dockwarden finds the mistake in the log of the control worker."
    ),
    RefusalCode.BOOKS_DIFFER: (
        f"{_ASK_LATER} Whoever runs Dockwarden sees by `dockwarden check --only temporal` whether "
        "all control workers have the same one."
    ),
    RefusalCode.TOO_MANY_OPEN: "`dockwarden requests mine` lists them.",
    RefusalCode.NOT_VERIFIED: _ASK_LATER,
    RefusalCode.NOT_AT_A_TERMINAL: (
        f"{_IN_SLACK} Whoever runs Dockwarden can set `terminal_decides = true` in {_BOOK}."
    ),
    RefusalCode.UNNAMED_TERMINAL: _IN_SLACK,
    RefusalCode.OWN_TERMINAL: _IN_SLACK,
    RefusalCode.SAME_TERMINAL_USER: "It now takes somebody else.",
    RefusalCode.OWN_REQUEST: "`dockwarden cancel {request}` withdraws it.",
    RefusalCode.NOT_AN_APPROVER: "Its card names who may decide.",
    RefusalCode.ALREADY_APPROVED: "It now takes somebody else.",
    RefusalCode.START_TOO_OLD: (
        "Nothing was changed. Ask again; if it stays so, the clock here or Temporal's is wrong."
    ),
    RefusalCode.START_USED: "Nothing was changed. If it is still wanted, ask again.",
    RefusalCode.NOT_SEALED: (
        f"Nothing was changed. Set {_KEY} here as it is set for the control worker."
    ),
    RefusalCode.BAD_SEAL: (
        f"Nothing was changed. See whether {_KEY} is the same here and for the control worker."
    ),
    RefusalCode.SEAL_UNKNOWN: (
        f"Nothing was changed. Whoever runs Dockwarden can set {_KEY} for the control worker too."
    ),
    RefusalCode.OTHER_PLAN: (
        "Nothing was changed. `dockwarden approve {request}` shows the plan as it is now, and "
        "approves it."
    ),
}
#: Why a decision or an instruction does not count, of a person who is only claimed to be there.
_ACTS: Final = {
    RefusalCode.WRONG_REQUEST: "another request is there in its place",
    RefusalCode.WRONG_CARD: "it does not come from the card of the request",
    RefusalCode.OWN_REQUEST: "{requester} asked for it, and it takes another person to decide",
    RefusalCode.NOT_AN_APPROVER: "that person is not among the approvers of this request",
    RefusalCode.ALREADY_APPROVED: "that person has approved it already, and counts once",
    RefusalCode.NOT_OPEN: "it no longer waits for a decision",
    RefusalCode.TOO_LATE: "its time was over long before anybody took this up",
    RefusalCode.NOT_REQUESTER: (
        "only {requester}, who asked for it, can do that; of a container that needs a person, "
        "those who decided can too"
    ),
    RefusalCode.PUTTING_BACK: "{name} is being put back already",
    RefusalCode.NOT_TRYING: "Dockwarden is not trying to put {name} back",
    RefusalCode.WRONG_TEAM: "that person is not in the workspace of this request",
    RefusalCode.GUEST: "that person is a guest, and guests never decide",
    RefusalCode.BOT: "apps never decide",
    RefusalCode.DEACTIVATED: "that account is deactivated",
    RefusalCode.UNKNOWN_PERSON: "Slack does not know that account",
    RefusalCode.NOT_VERIFIED: "Slack could not say just now who that person is",
    RefusalCode.OTHER_PLAN: "it is no approval of the plan that the request has now",
} | TYPED


def not_let_in(refusal: Refusal, state: RequestState) -> str:
    """Say why a request was refused."""
    wrong = REFUSED.get(refusal.code) or _ACTS[refusal.code]
    is_said = "{detail}" in wrong or "{count}" in wrong
    policy = state.policy.name if state.policy else ""
    known = (state.container.host, state.container.name, policy)
    repeated = REPEATED.get(refusal.code, "")
    added = "" if is_said else tamed(added_by(refusal, repeated, *known))
    facts = _facts(refusal, state)
    if added and refusal.code in COMPLETED:
        told = f"{COMPLETED[refusal.code].format(**facts)}{added}"
    else:
        told = f"{wrong.format(**facts)}{f' ({added})' if added else ''}"
    near = f" Did you mean {either(names)}?" if (names := meant(refusal)) else ""
    return f"Not done: {told}.{near} {_advice(refusal, facts)}".rstrip()


def not_counted(refusal: Refusal, state: RequestState) -> str:
    """Say why a decision or an instruction does not count, and what holds all the same."""
    wrong = _ACTS.get(refusal.code) or REFUSED[refusal.code]
    waits = "It still waits." if state.status is RequestStatus.WAITING else ""
    facts = _facts(refusal, state)
    parts = (f"That did not count: {wrong.format(**facts)}.", _advice(refusal, facts), waits)
    return " ".join(part for part in parts if part)


def nothing_to_show(refusal: Refusal | None, *, host: str, name: str) -> str:
    """Say why a host, or a container of it, cannot be shown."""
    if refusal is None or refusal.code not in REFUSED:
        return "Nothing to show: nobody has said why."
    names = meant(refusal)
    hint = f" (did you mean {either(names)}?)" if names else ""
    facts = _named(host, name or "the container") | dict.fromkeys(_OF_REQUESTS, "")
    wrong = REFUSED[refusal.code].format(**facts)
    return f"Nothing to show: {wrong}{hint}. {_advice(refusal, facts)}".rstrip()


#: What only a request can tell.
_OF_REQUESTS: Final = (
    *("policy", "requesters", "references", "requester", "request", "detail", "count", "started"),
    "must_be_named",
)


def _advice(refusal: Refusal, facts: dict[str, str]) -> str:
    return _ADVICE.get(refusal.code, "").format(**facts)


def _named(host: str, name: str) -> dict[str, str]:
    return {"host": tamed(host), "name": tamed(name), "rm": "--rm"}


def _facts(refusal: Refusal, state: RequestState) -> dict[str, str]:
    policy = state.policy
    told = catalog.must_be_named(state.operation)
    named = told.format(kind=state.operation.kind, operations="operations")
    askers = (*policy.requester_groups, *policy.requesters) if policy else ()
    return _named(state.container.host, state.name_now) | {
        "policy": tamed(policy.name) if policy else "of this request",
        "requesters": _listed(askers),
        "references": _listed(policy.references if policy else ()),
        "requester": tamed(state.requester),
        "request": state.request_id,
        "detail": tamed(refusal.detail),
        "count": tamed(refusal.detail),
        "must_be_named": f"{named} " if named else "",
        "started": "started" if catalog.wakes(state.operation) else "started again",
    }


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(map(tamed, names[:_MOST_NAMED])) + more if names else "others"
