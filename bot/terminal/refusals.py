"""What does somebody at a terminal read whose request or decision does not count?

Plain words, with what to do now. The person in whose name it was typed is told in Slack as well.
"""

from __future__ import annotations

from typing import Final

from bot.terminal.tables import tamed
from workflows.model.errors import RefusalCode
from workflows.model.state import Refusal, RequestState, RequestStatus
from workflows.model.words import REFUSED, refused

_ASK_LATER = "Ask again in a minute."
_FREE_SPACE = "See what can be removed on the host, then ask again."
_WITHOUT_SNAPSHOT = "Ask without a snapshot, or see to the image on the host."
_BOOK = "the policy book (DOCKWARDEN_POLICIES)"
_IN_SLACK = "Decide in Slack, on the card."

#: What to do now whose request is not let in. In braces stand facts of the request.
_ADVICE: Final = {
    RefusalCode.UNKNOWN_HOST: "`dockwarden list hosts` shows those that are known.",
    RefusalCode.HOST_BUSY: _ASK_LATER,
    RefusalCode.OLD_WORKER: "Whoever runs {host} can upgrade it.",
    RefusalCode.ENGINE_UNREACHABLE: _ASK_LATER,
    RefusalCode.HOST_AWAY: _ASK_LATER,
    RefusalCode.UNKNOWN_CONTAINER: "`dockwarden list --on {host}` shows all.",
    RefusalCode.AMBIGUOUS_CONTAINER: "Give the full name; `dockwarden list --on {host}` shows all.",
    RefusalCode.PROTECTED: "Whoever runs {host} can take care of it.",
    RefusalCode.UNUSABLE_STATE: "`dockwarden inspect {name} --on {host}` shows it.",
    RefusalCode.REFERENCE_TAKEN: "Choose another name, or leave it out.",
    RefusalCode.REFERENCE_OUTSIDE: "Choose another name, or leave it out.",
    RefusalCode.SNAPSHOT_QUOTA: _FREE_SPACE,
    RefusalCode.DISK_FULL: _FREE_SPACE,
    RefusalCode.IMAGE_MISSING: _WITHOUT_SNAPSHOT,
    RefusalCode.TOO_MANY_LAYERS: _WITHOUT_SNAPSHOT,
    RefusalCode.OWNER_MISSING: "Start that one, then ask again.",
    RefusalCode.OWNER_GONE: "Make {name} anew, then ask again.",
    RefusalCode.NO_POLICY: f"Whoever runs Dockwarden can add one to {_BOOK}.",
    RefusalCode.REASON_REQUIRED: 'Add --reason "…".',
    RefusalCode.NO_ELIGIBLE_APPROVER: f"Whoever runs Dockwarden can name more in {_BOOK}.",
    RefusalCode.CARD_NOT_POSTED: "Invite the app to the channel, or name another with --channel.",
    RefusalCode.NOT_A_REQUESTER: f"Whoever runs Dockwarden can add requesters to {_BOOK}.",
    RefusalCode.TOO_MANY_OPEN: "`dockwarden requests mine` lists them.",
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
_DECISIONS: Final = _ACTS | _PEOPLE


def not_let_in(refusal: Refusal, state: RequestState) -> str:
    """Say why a request was refused."""
    detail = tamed(refusal.detail)
    wrong, advice = _request_words(refusal, _facts(state))
    known = (state.container.host, state.container.name, state.policy and state.policy.name)
    added = f" ({detail})" if detail and refusal.detail not in known and detail not in wrong else ""
    return f"Not done: {wrong}{added}. {advice}".rstrip()


def not_counted(refusal: Refusal, state: RequestState) -> str:
    """Say why a decision or an instruction does not count, and what holds all the same."""
    waits = " It still waits." if state.status is RequestStatus.WAITING else ""
    facts = _facts(state)
    if refusal.code in _DECISIONS:
        wrong, advice = (words.format(**facts) for words in _DECISIONS[refusal.code])
    else:
        wrong, advice = _request_words(refusal, facts)
    return f"That did not count: {f'{wrong}. {advice}'.rstrip()}{waits}"


def nothing_to_show(refusal: Refusal | None, *, host: str, name: str) -> str:
    """Say why a host, or a container of it, cannot be shown."""
    if refusal is None:
        return "Nothing to show: nobody has said why."
    facts = {"host": tamed(host), "name": tamed(name or "the container")}
    wrong, advice = _request_words(refusal, {**facts, "requester": "", "policy": "", "request": ""})
    near = refusal.code is RefusalCode.UNKNOWN_HOST and refusal.detail not in ("", host)
    hint = f" ({tamed(refusal.detail)})" if near else ""
    return f"Nothing to show: {wrong}{hint}. {advice}".rstrip()


def _request_words(refusal: Refusal, facts: dict[str, str]) -> tuple[str, str]:
    """Say what is wrong with a request, and what to do now."""
    if refusal.code not in REFUSED:
        wrong, advice = _DECISIONS[refusal.code]
        return wrong.format(**facts), advice.format(**facts)
    detail = tamed(refusal.detail)
    wrong = refused(refusal.code, **facts, count=detail, detail=detail)
    return wrong, _ADVICE.get(refusal.code, "").format(**facts)


def _facts(state: RequestState) -> dict[str, str]:
    return {
        "host": tamed(state.container.host),
        "name": tamed(state.name_now),
        "policy": tamed(state.policy.name) if state.policy else "of this request",
        "requester": tamed(state.requester),
        "request": state.request_id,
    }
