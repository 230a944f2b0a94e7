"""What does Dockwarden say in private when it refuses a request or a decision?

One table for every :class:`RefusalCode`: what is wrong, and what to do. ``detail`` is a short
text of ours, such as the names that fit or the limit that was broken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from activities.slack.asking_again import asked, did_you_mean, lines
from activities.slack.mrkdwn import code, group, join_limited, person, safe, typed_at
from activities.slack.refusal_words import (
    ASKED,
    ASKERS,
    MORE_APPROVERS,
    NEW_POLICY,
    SEALED,
    TYPED,
    Words,
)
from activities.slack.status import called
from workflows.model.errors import RefusalCode
from workflows.model.markup import clock
from workflows.model.names import SOURCE_LABEL
from workflows.model.refusal_details import COMPLETED, REPEATED, added_by
from workflows.model.state import Refusal, RequestState, RequestStatus
from workflows.model.words import REFUSED
from workflows.operations import catalog
from workflows.operations.standing import status_words

#: A command with a name that was cut would name nothing.
_NAME_IN_COMMAND = _LINE_LENGTH = 1000

#: What helps whose request was not let in; there is no card.
_ADVICE = {
    RefusalCode.BAD_REQUEST: Words(
        advice="Type `{command} help` to see how to ask.",
    ),
    RefusalCode.UNKNOWN_HOST: Words(
        advice="`{command} list hosts` shows those that are known; a command that names none means "
        "`DOCKWARDEN_DEFAULT_HOST` of the bot. If it is a new one, start "
        "`dockwarden worker --host {plain_host}` there.",
    ),
    RefusalCode.HOST_BUSY: Words(
        advice="Ask again in a minute. If it stays so, see whether `dockwarden worker --host "
        "{plain_host}` runs there.",
    ),
    RefusalCode.OLD_WORKER: Words(
        advice="Whoever runs {host} can upgrade it; then ask again.",
    ),
    RefusalCode.ENGINE_UNREACHABLE: Words(
        advice="See to it that it runs; the log of its Dockwarden worker tells whether it "
        "lacks permission. Then ask again.",
    ),
    RefusalCode.UNKNOWN_CONTAINER: Words(
        advice="`{command} list on {plain_host}` shows all.",
    ),
    RefusalCode.AMBIGUOUS_CONTAINER: Words(
        advice="`{command} list on {plain_host}` shows all.",
    ),
    RefusalCode.AUTO_REMOVE: Words(
        advice="Start it without `--rm` first.",
    ),
    RefusalCode.PROTECTED: Words(
        advice="Only whoever runs {host} can {kind} it, on the host itself.",
    ),
    RefusalCode.OWN_CONTAINER: Words(
        advice="Stop it on the host itself.",
    ),
    RefusalCode.UNUSABLE_STATE: Words(
        advice="`{command} inspect {plain_name} on {plain_host}` shows it; "
        "ask again when it runs or is stopped.",
    ),
    RefusalCode.ALREADY_STOPPED: Words(
        advice="For a snapshot of it: {as_snapshot}",
    ),
    RefusalCode.BAD_REFERENCE: Words(
        advice="Write it like `team/web:before-upgrade`, or leave it out: {unnamed}",
    ),
    RefusalCode.REFERENCE_TAKEN: Words(
        advice="Choose another tag, or leave it out: {unnamed}",
    ),
    RefusalCode.SNAPSHOT_QUOTA: Words(
        advice=f"Each has the label `{SOURCE_LABEL}` on the host, where one that nobody needs any "
        "more can be removed.",
    ),
    RefusalCode.DISK_FULL: Words(
        advice="Whoever runs the host can free some space; then ask again.",
    ),
    RefusalCode.IMAGE_MISSING: Words(
        advice="Bring back that very image from where it is kept, or ask without a snapshot: "
        "{without}",
    ),
    RefusalCode.TOO_MANY_LAYERS: Words(
        advice="Build the image anew with fewer layers, or ask without a snapshot: {without}",
    ),
    RefusalCode.OWNER_GONE: Words(
        advice="Make {name} anew: that container is gone for good, and a new one of the same name "
        "is another one to the engine. Then ask again.",
    ),
    RefusalCode.OWNER_MISSING: Words(
        advice="Start that container, then ask again.",
    ),
    RefusalCode.NO_POLICY: Words(
        advice=f"See that the names are right. {{must_be_named}}{NEW_POLICY}",
    ),
    RefusalCode.REASON_REQUIRED: Words(
        advice="Ask again with a reason: {with_reason}",
    ),
    RefusalCode.NO_ELIGIBLE_APPROVER: Words(
        advice=f"If you are one of them, have somebody else ask, and decide it. {MORE_APPROVERS}",
        has_detail=True,
    ),
    RefusalCode.CARD_NOT_POSTED: Words(
        advice="Invite the app with `/invite`, then ask again.",
    ),
    RefusalCode.HOST_AWAY: Words(
        advice="See whether `dockwarden worker --host {plain_host}` runs there, and what its log "
        "says; then ask again.",
    ),
    RefusalCode.ORCHESTRATED: Words(
        advice="Dockwarden leaves alone what an orchestrator runs: another would be started in its "
        "place.",
    ),
} | ASKED
#: Refusals of a request.
REQUESTS = {
    code_: replace(
        advice,
        wrong=REFUSED[code_],
        as_detailed=COMPLETED.get(code_, ""),
        repeated=REPEATED.get(code_, ""),
    )
    for code_, advice in _ADVICE.items()
}

#: Refusals of a decision: it does not count, and the request is as it was.
DECISIONS = {
    RefusalCode.WRONG_REQUEST: Words(
        "this button belongs to an earlier request", "Look for the newest card of the container."
    ),
    RefusalCode.WRONG_CARD: Words(
        "this button is not on the card of the request", "Use the buttons of the card itself."
    ),
    RefusalCode.WRONG_TEAM: Words(
        "you are not in the workspace of this request", "Ask an approver who is."
    ),
    RefusalCode.OWN_REQUEST: Words(
        "you asked for this yourself, and it takes another person to decide",
        "Ask one of the approvers named on the card. To withdraw it, press *Withdraw*.",
    ),
    RefusalCode.NOT_AN_APPROVER: Words(
        "you are not among the approvers of this request",
        "The card names who may decide.",
    ),
    RefusalCode.GUEST: Words("guests never decide", "Ask a full member who is an approver."),
    RefusalCode.BOT: Words("apps never decide", "An approver has to do it in person."),
    RefusalCode.DEACTIVATED: Words(
        "this account is deactivated", "Ask an approver whose account is active."
    ),
    RefusalCode.UNKNOWN_PERSON: Words(
        "Slack does not know this account", "Ask one of the approvers named on the card."
    ),
    RefusalCode.NOT_VERIFIED: Words(
        "Slack could not say just now whether you are an approver",
        "Try again in a minute; the request still waits.",
    ),
    RefusalCode.ALREADY_APPROVED: Words(
        "you have approved this already, and each person counts once",
        "It now takes somebody else.",
    ),
    RefusalCode.NOT_OPEN: Words("there is nothing left to decide about this request", ""),
    RefusalCode.NOT_REQUESTER: Words(
        "only {requester}, who asked for it, can do that",
        "An approver can reject it.",
    ),
    RefusalCode.PUTTING_BACK: Words(
        "{name} is being put back already, which is all that a cancel could do",
        "To leave it as it is instead, press *Stop trying* on the card, or type "
        "`{command} stop-trying {request}`.",
    ),
    RefusalCode.TOO_LATE: Words(
        "you decided in time, but nobody took it up until long after: Dockwarden or Temporal was "
        "away for too long",
        "If it is still wanted, it has to be asked for again.",
    ),
    RefusalCode.NOT_TRYING: Words(
        "Dockwarden is not trying to put {name} back, so there is nothing to hurry or to end", ""
    ),
    **SEALED,
    RefusalCode.OTHER_PLAN: Words(
        "it is no approval of the plan that the card shows",
        "Nothing was changed. See the card as it is now, and press its button.",
    ),
} | TYPED

WORDS = REQUESTS | DECISIONS
_DETAIL_LIMIT = 400
_MOST_NAMED = 10
_PAUSED = "the container is paused"
_CREATED = "the container is created"
_NEVER_STARTED = Words(
    "{name} on {host} was never started, so there is nothing to stop",
    "For a snapshot of it: {as_snapshot}",
    repeated=_CREATED,
)
_RUNNING_PAUSED = Words(
    "{name} on {host} is paused, not stopped, so there is nothing to start",
    "Whoever runs the host can unpause it. To restart it, and leave it paused as it was: "
    "{as_restart}",
    repeated=_PAUSED,
)
_RUNNING_CANCEL = Words(
    "only {requester}, who asked for it, can do that",
    "It is approved, and Dockwarden is at work on it: nobody can reject it any more.",
)
_NEEDS_PERSON_CANCEL = Words(
    "only {requester} and those who decided can hurry Dockwarden, or make it stop trying",
    "Ask one of them.",
)

_UNDER_WAY = Words("it is approved and under way; only {requester} can cancel it", "")
_UNDER_WAY_TO_ITS_END = Words("it is approved and under way, and nobody can reject it any more", "")
_CANCELLED_ALREADY = Words(
    "{canceller} cancelled this already; {name} is put back as soon as the step under way ends",
    "",
    is_all=True,
)
_PUT_BACK_ALREADY = Words(
    "{name} is being put back already, which is all that a cancel could do", ""
)


def notice(refusal: Refusal, state: RequestState, *, command: str) -> str:
    """Write the private message, as mrkdwn; ``command`` is the slash command of this set-up.

    Of a request it begins with what was asked for, which Slack does not show once more.
    """
    words = _words(refusal, state)
    wrong = _wrong(words, refusal, state, command)
    advice = _fill(words.advice, state, command)
    if _is_of_request(refusal, state):
        return "\n".join(_not_let_in(f"{wrong}.{did_you_mean(refusal)}", advice, state))
    lines = [f"🚫 {wrong}." if words.is_all else f"🚫 That did not count: {wrong}.", advice]
    if not (words.is_all or state.status is RequestStatus.WAITING):
        lines.append(_what_became_of_it(state))
    lines.append(f"Request {code(state.request_id)}{_to_card(state)}")
    return "\n".join(line for line in lines if line)


def _not_let_in(told: str, advice: str, state: RequestState) -> Iterator[str]:
    yield f"🚫 {code(asked(state))}: {told}"
    if advice:
        yield advice
    if typed := typed_at(state.terminal):
        yield f"It was asked for in your name{typed}."


def _is_of_request(refusal: Refusal, state: RequestState) -> bool:
    """Tell the refusal of the request itself from that of a decision about it."""
    return refusal.code in REQUESTS or refusal == state.refusal


def _words(refusal: Refusal, state: RequestState) -> Words:
    if refusal.code in ASKERS and _is_of_request(refusal, state):
        return ASKERS[refusal.code]
    if refusal.code is RefusalCode.ALREADY_STOPPED and refusal.detail == _CREATED:
        return _NEVER_STARTED
    if refusal.code is RefusalCode.ALREADY_RUNNING and refusal.detail == _PAUSED:
        return _RUNNING_PAUSED
    if refusal.code is RefusalCode.NOT_REQUESTER and state.status is RequestStatus.NEEDS_PERSON:
        return _NEEDS_PERSON_CANCEL
    if state.status is RequestStatus.RUNNING:
        return _words_while_it_works(refusal.code, state)
    return WORDS[refusal.code]


def _words_while_it_works(code_: RefusalCode, state: RequestState) -> Words:
    """Find the words for what comes while the container is worked on: only a cancel can count."""
    match code_:
        case RefusalCode.NOT_REQUESTER:
            return _RUNNING_CANCEL
        case RefusalCode.PUTTING_BACK:
            return _CANCELLED_ALREADY if state.cancel_requested_by else _PUT_BACK_ALREADY
        case RefusalCode.NOT_OPEN:
            can_cancel = not state.cancel_requested_by and state.cause is None
            return _UNDER_WAY if can_cancel else _UNDER_WAY_TO_ITS_END
    return WORDS[code_]


def _wrong(words: Words, refusal: Refusal, state: RequestState, command: str) -> str:
    if words.has_detail:
        return _fill(words.wrong, state, command, refusal.detail)
    container = state.container
    added = added_by(refusal, words.repeated, container.host, container.name)
    if not added:
        return _fill(words.wrong, state, command)
    detail = safe(added, _DETAIL_LIMIT)
    if words.as_detailed:
        return f"{_fill(words.as_detailed, state, command)}{detail}"
    return f"{_fill(words.wrong, state, command)} ({detail})"


def _what_became_of_it(state: RequestState) -> str:
    """Say how a request stands that no longer waits, who decided it, and when."""
    told = f"It stands like this: {status_words(state)}."
    decided = state.rejection or (state.approvals[-1] if state.approvals else None)
    match state.status:
        case RequestStatus.CANCELLED if state.cancel_requested_by:
            by = person(state.cancel_requested_by) + typed_at(state.cancel_terminal)
            return f"{told} {by} cancelled it."
        case RequestStatus.CANCELLED:
            return told
        case RequestStatus.EXPIRED if state.expires_at is not None:
            return f"{told} Its time was over at {clock(state.expires_at)}."
    if decided is None:
        return told
    verb = "rejected" if decided is state.rejection else "approved"
    return f"{told} {person(decided.approver_id)} {verb} it at {clock(decided.decided_at)}."


def _to_card(state: RequestState) -> str:
    link = state.card.permalink if state.card else ""
    return f" · <{link}|its card>" if link.startswith(("https://", "http://")) else ""


def _requesters(state: RequestState) -> str:
    """Name who may ask by the policy."""
    if state.policy is None:
        return "others"
    groups = [group(group_id) for group_id in state.policy.requester_groups]
    people = [person(user) for user in state.policy.requesters]
    return join_limited([*groups, *people], _MOST_NAMED)


def _references(state: RequestState) -> str:
    """Name what the policy allows snapshots to be called."""
    patterns = state.policy.references if state.policy is not None else ()
    return join_limited(map(code, patterns), _MOST_NAMED)


def _must_be_named(state: RequestState) -> str:
    """Say that a policy which names no operations is not about this one, if that is so."""
    told = catalog.must_be_named(state.operation)
    named = told.format(kind=code(state.operation.kind), operations=code("operations"))
    return f"{named} " if named else ""


def _fill(words: str, state: RequestState, command: str, detail: str = "") -> str:
    instead = lines(state) if "{" in words else {}
    return words.format(
        detail=code(detail, _DETAIL_LIMIT),
        count=safe(detail, 10),
        policy=code(state.policy.name, 60) if state.policy is not None else "of this request",
        requesters=_requesters(state),
        references=_references(state),
        command=safe(command),
        name=called(state),
        host=code(state.container.host),
        plain_name=safe(state.name_now, _NAME_IN_COMMAND),
        plain_host=safe(state.container.host),
        kind=safe(state.operation.kind),
        rm=code("--rm"),
        started="started" if catalog.wakes(state.operation) else "started again",
        must_be_named=_must_be_named(state),
        requester=person(state.requester),
        canceller=person(state.cancel_requested_by) + typed_at(state.cancel_terminal),
        request=state.request_id,
        **{name: code(f"{command} {line}", _LINE_LENGTH) for name, line in instead.items()},
    )
