"""What does somebody at a terminal read whose request or decision does not count?

Plain words, with what to do now. The person in whose name it was typed is told in Slack as well.
"""

from __future__ import annotations

from typing import Final

from bot.terminal.tables import tamed
from workflows.model.errors import RefusalCode
from workflows.model.state import Refusal, RequestState, RequestStatus

_ASK_LATER = "Ask again in a minute."
_FREE_SPACE = "See what can be removed on the host, then ask again."
_WITHOUT_SNAPSHOT = "Ask without a snapshot, or see to the image on the host."
_BOOK = "the policy book (DOCKWARDEN_POLICIES)"
_IN_SLACK = "Decide in Slack, on the card."

#: Why a request is not let in. In braces stand facts of the request.
_REQUESTS: Final = {
    RefusalCode.BAD_REQUEST: ("something in the request is not right", ""),
    RefusalCode.UNKNOWN_HOST: (
        "no Dockwarden worker serves the host {host}",
        "`dockwarden list hosts` shows those that are known.",
    ),
    RefusalCode.HOST_BUSY: ("the worker of {host} is busy, or has just ended", _ASK_LATER),
    RefusalCode.OLD_WORKER: (
        "the worker of {host} is of an earlier release than the rest of Dockwarden",
        "Whoever runs {host} can upgrade it.",
    ),
    RefusalCode.ENGINE_UNREACHABLE: ("the engine of {host} does not answer", _ASK_LATER),
    RefusalCode.HOST_AWAY: (
        "nobody serves {host} now: its worker has ended, or waits for its engine",
        _ASK_LATER,
    ),
    RefusalCode.UNKNOWN_CONTAINER: (
        "there is no container {name} on {host}",
        "`dockwarden list --on {host}` shows all.",
    ),
    RefusalCode.AMBIGUOUS_CONTAINER: (
        "{name} does not name exactly one container on {host}",
        "Give the full name; `dockwarden list --on {host}` shows all.",
    ),
    RefusalCode.AUTO_REMOVE: ("{name} was started with --rm: stopping it would delete it", ""),
    RefusalCode.PROTECTED: ("{name} is protected", "Whoever runs {host} can take care of it."),
    RefusalCode.OWN_CONTAINER: ("{name} is Dockwarden's own container", ""),
    RefusalCode.UNUSABLE_STATE: (
        "{name} is in a state in which it cannot be worked on",
        "`dockwarden inspect {name} --on {host}` shows it.",
    ),
    RefusalCode.ALREADY_STOPPED: ("{name} on {host} is stopped already", ""),
    RefusalCode.ALREADY_RUNNING: ("{name} on {host} runs already", ""),
    RefusalCode.BAD_REFERENCE: ("the name for the snapshot is no image reference", ""),
    RefusalCode.REFERENCE_TAKEN: (
        "there is an image of that name already, and a tag is never moved",
        "Choose another name, or leave it out.",
    ),
    RefusalCode.REFERENCE_OUTSIDE: (
        "the policy {policy} does not allow that name for a snapshot",
        "Choose another name, or leave it out.",
    ),
    RefusalCode.SNAPSHOT_QUOTA: (
        "{name} has as many snapshots as {host} keeps of one container",
        _FREE_SPACE,
    ),
    RefusalCode.DISK_FULL: ("the disk of {host} is too full for a snapshot", _FREE_SPACE),
    RefusalCode.IMAGE_MISSING: ("the image of {name} was removed from {host}", _WITHOUT_SNAPSHOT),
    RefusalCode.TOO_MANY_LAYERS: (
        "the image of {name} has as many layers as the engine can stack",
        _WITHOUT_SNAPSHOT,
    ),
    RefusalCode.OWNER_MISSING: (
        (
            "{name} could not be started again: the container whose network, IPC or process "
            "space it uses does not run"
        ),
        "Start that one, then ask again.",
    ),
    RefusalCode.OWNER_GONE: (
        (
            "{name} could not be started again: the container whose network, IPC or process "
            "space it uses was removed"
        ),
        "Make {name} anew, then ask again.",
    ),
    RefusalCode.ORCHESTRATED: ("an orchestrator runs {name}, and would start another", ""),
    RefusalCode.NO_POLICY: (
        "no policy covers this operation on {name} on {host}",
        f"Whoever runs Dockwarden can add one to {_BOOK}.",
    ),
    RefusalCode.REASON_REQUIRED: ("the policy {policy} asks for a reason", 'Add --reason "…".'),
    RefusalCode.NO_ELIGIBLE_APPROVER: (
        "the policy {policy} leaves too few people who could approve this",
        f"Whoever runs Dockwarden can name more in {_BOOK}.",
    ),
    RefusalCode.CARD_NOT_POSTED: (
        "the card could not be posted to the channel",
        "Invite the app to the channel, or name another with --channel.",
    ),
    RefusalCode.NOT_A_REQUESTER: (
        "by the policy {policy} {requester} may not ask for this",
        f"Whoever runs Dockwarden can add requesters to {_BOOK}.",
    ),
    RefusalCode.TOO_MANY_OPEN: (
        "as many requests of {requester} wait as one person may have at once",
        "`dockwarden requests mine` lists them.",
    ),
}
#: Why a decision or an instruction does not count.
_ACTS: Final = {
    RefusalCode.NOT_AT_A_TERMINAL: (
        "the policy {policy} takes nothing of the kind from a terminal, which proves no person",
        f"{_IN_SLACK} Whoever runs Dockwarden can set `terminal_decides = true` in {_BOOK}.",
    ),
    RefusalCode.UNNAMED_TERMINAL: (
        "it does not say from which terminal it comes, and by which user there",
        _IN_SLACK,
    ),
    RefusalCode.OWN_TERMINAL: (
        "this user of the operating system asked for it, and it takes another to decide",
        _IN_SLACK,
    ),
    RefusalCode.SAME_TERMINAL_USER: (
        (
            "this user of the operating system has approved it already, as somebody else, and "
            "counts once"
        ),
        "It now takes somebody else.",
    ),
    RefusalCode.WRONG_REQUEST: ("another request is there in its place", ""),
    RefusalCode.WRONG_CARD: ("it does not come from the card of the request", ""),
    RefusalCode.OWN_REQUEST: (
        "{requester} asked for it, and it takes another person to decide",
        "`dockwarden cancel {request}` withdraws it.",
    ),
    RefusalCode.NOT_AN_APPROVER: (
        "that person is not among the approvers of this request",
        "Its card names who may decide.",
    ),
    RefusalCode.ALREADY_APPROVED: (
        "that person has approved it already, and counts once",
        "It now takes somebody else.",
    ),
    RefusalCode.NOT_OPEN: ("it no longer waits for a decision", ""),
    RefusalCode.TOO_LATE: ("its time was over long before anybody took this up", ""),
    RefusalCode.NOT_REQUESTER: (
        (
            "only {requester}, who asked for it, can do that; of a container that needs a person, "
            "those who decided can too"
        ),
        "",
    ),
    RefusalCode.PUTTING_BACK: ("{name} is being put back already", ""),
    RefusalCode.NOT_TRYING: ("Dockwarden is not trying to put {name} back", ""),
}
#: Both of one who asks and of one who decides.
_PEOPLE: Final = {
    RefusalCode.WRONG_TEAM: ("that person is not in the workspace of this request", ""),
    RefusalCode.GUEST: ("that person is a guest, who may not do that", ""),
    RefusalCode.BOT: ("an app may not do that", ""),
    RefusalCode.DEACTIVATED: ("that account is deactivated", ""),
    RefusalCode.UNKNOWN_PERSON: ("Slack does not know that account", ""),
    RefusalCode.NOT_VERIFIED: ("Slack could not say just now who that person is", _ASK_LATER),
}
WORDS: Final = _REQUESTS | _ACTS | _PEOPLE


def not_let_in(refusal: Refusal, state: RequestState) -> str:
    """Say why a request was refused."""
    return f"Not done: {_filled(refusal, state, detail=refusal.detail)}"


def not_counted(refusal: Refusal, state: RequestState) -> str:
    """Say why a decision or an instruction does not count, and what holds all the same."""
    waits = " It still waits." if state.status is RequestStatus.WAITING else ""
    return f"That did not count: {_filled(refusal, state)}{waits}"


def nothing_to_show(refusal: Refusal | None, *, host: str, name: str) -> str:
    """Say why a host, or a container of it, cannot be shown."""
    if refusal is None:
        return "Nothing to show: nobody has said why."
    wrong, advice = WORDS[refusal.code]
    facts = {"host": tamed(host), "name": tamed(name or "the container"), "policy": ""}
    facts |= {"requester": "", "request": ""}
    near = refusal.code is RefusalCode.UNKNOWN_HOST and refusal.detail not in ("", host)
    hint = f" ({tamed(refusal.detail)})" if near else ""
    return f"Nothing to show: {wrong.format(**facts)}{hint}. {advice.format(**facts)}".rstrip()


def _filled(refusal: Refusal, state: RequestState, detail: str = "") -> str:
    wrong, advice = WORDS[refusal.code]
    known = (state.container.host, state.container.name, state.policy and state.policy.name)
    added = f" ({tamed(detail)})" if detail and detail not in known else ""
    facts = {
        "host": tamed(state.container.host),
        "name": tamed(state.name_now),
        "policy": tamed(state.policy.name) if state.policy else "of this request",
        "requester": tamed(state.requester),
        "request": state.request_id,
    }
    return f"{wrong.format(**facts)}{added}. {advice.format(**facts)}".rstrip()
