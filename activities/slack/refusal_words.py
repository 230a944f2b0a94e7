"""What reads somebody in private who may not ask for this, or not so, or not now?

A refusal that may be about a decision as well (a guest, an app) has words of its own here for the
one who asks. In ``wrong`` and ``advice`` ``{…}`` stands for a fact of the request.
"""

from __future__ import annotations

from dataclasses import dataclass

from workflows.model import words
from workflows.model.errors import RefusalCode
from workflows.model.words import REFUSED


@dataclass(frozen=True, slots=True)
class Words:
    """``wrong`` goes on behind a colon, and ``advice`` is a sentence of its own.

    What is wrong with a request stands in ``workflows/model/words.py``, for all doors.

    A detail is added to ``wrong`` in brackets; where it says the same more exactly it completes
    ``as_detailed`` instead. ``repeated`` is the beginning of a detail that says it once more.
    ``is_all`` leaves out how the request stands, which ``wrong`` says. ``has_detail`` says that
    the words hold the detail themselves, as ``{detail}``.
    """

    wrong: str = ""
    advice: str = ""
    as_detailed: str = ""
    repeated: str = ""
    is_all: bool = False
    has_detail: bool = False


#: Where whoever runs Dockwarden changes the rules.
_BOOK = "its policy book, the file that `DOCKWARDEN_POLICIES` of the control worker names"
NEW_POLICY = f"Whoever runs Dockwarden can add a `[[policy]]` that covers it to {_BOOK}."
MORE_APPROVERS = (
    f"Whoever runs Dockwarden can name more under `approvers` of that policy in {_BOOK}."
)

#: What may not be asked for, or not by this person, or not now. There is no card.
ASKED = {
    RefusalCode.NOT_A_REQUESTER: Words(
        advice="Ask one of them to. Whoever runs Dockwarden can name you under `requesters` of "
        f"that policy in {_BOOK}.",
    ),
    RefusalCode.TOO_MANY_OPEN: Words(
        advice="`{command} requests mine` lists them, and `{command} cancel ID` withdraws one. "
        "Whoever runs Dockwarden can allow more: `DOCKWARDEN_OPEN_REQUESTS` of the control worker.",
        has_detail=True,
    ),
    RefusalCode.ALREADY_RUNNING: Words(
        advice="To restart it: {as_restart}",
    ),
    RefusalCode.START_TOO_OLD: Words(
        advice="Nothing was changed. Ask again. If it stays so, the clock of Dockwarden's bot, or "
        "of its Temporal, is wrong.",
    ),
    RefusalCode.START_USED: Words(
        advice="Nothing was changed. If it is still wanted, ask again: that is a request of its "
        "own.",
    ),
    RefusalCode.REFERENCE_OUTSIDE: Words(
        advice="Choose such a name, or leave it out: {unnamed}\nWhoever runs Dockwarden can allow "
        f"others under `references` of that policy in {_BOOK}.",
        has_detail=True,
    ),
    RefusalCode.LOOK_NOT_SEALED: Words(
        advice="Nothing was changed. Whoever runs Dockwarden can set `DOCKWARDEN_SEAL_KEY` of that "
        "worker as it is set for the control worker; `dockwarden check` says which one is it.",
    ),
    RefusalCode.RULES_UNKNOWN: Words(advice="Nothing was changed. Ask again in a minute."),
    RefusalCode.BOOK_UNREADABLE: Words(
        advice="Whoever runs Dockwarden finds the mistake in the log of the control worker, or by "
        "`dockwarden check --only policies` beside it; a corrected book counts once that worker is "
        "started anew.",
    ),
    RefusalCode.BOOKS_DIFFER: Words(
        advice="Ask again in a minute: a worker that was replaced may have ended just now. Whoever "
        "runs Dockwarden can give all of them the same book; `dockwarden check --only temporal` "
        "shows whether they have it.",
        has_detail=True,
    ),
}

_KEY = "`DOCKWARDEN_SEAL_KEY`"
_PAST_US = "somebody has written past them into its Temporal, in your name"
_TO_SEALED = {
    RefusalCode.NOT_SEALED: f"Whoever runs Dockwarden can set {_KEY} for its bot and its terminals "
    f"as it is set for the control worker; then do it again. If it is set there, {_PAST_US}.",
    RefusalCode.BAD_SEAL: f"Whoever runs Dockwarden can see whether {_KEY} is the same for its "
    f"bot, its terminals and the control worker; then do it again. If it is, {_PAST_US}.",
    RefusalCode.SEAL_UNKNOWN: f"Whoever runs Dockwarden can set {_KEY} for the control worker as "
    "for its bot and its terminals; then do it again.",
}
#: What no process of ours seems to have sent, be it a request or a decision.
SEALED = {
    code: Words(wrong=REFUSED[code], advice=f"Nothing was changed. {advice}")
    for code, advice in _TO_SEALED.items()
}

_NOT_THE_PERSON = (
    "It was given in your name. If that was not you, tell whoever runs Dockwarden: anybody who can "
    "reach its Temporal can name somebody else."
)
_IN_SLACK = "Press a button of the card, or type it in Slack."
_TO_TYPISTS = {
    RefusalCode.NOT_AT_A_TERMINAL: f"{_IN_SLACK} Whoever runs Dockwarden can set "
    f"`terminal_decides = true` for that policy in {_BOOK}.",
    RefusalCode.UNNAMED_TERMINAL: _IN_SLACK,
    RefusalCode.OWN_TERMINAL: "Ask one of the approvers named on the card.",
    RefusalCode.SAME_TERMINAL_USER: "It now takes somebody else.",
}
#: What was typed at a terminal, and does not count for that.
TYPED = {
    code: Words(wrong=words.TYPED[code], advice=f"{advice} {_NOT_THE_PERSON}")
    for code, advice in _TO_TYPISTS.items()
}

_TO_ASKERS = {
    RefusalCode.GUEST: "Ask a full member to do it. Whoever runs Dockwarden can name a guest, by "
    f"user id, under `requesters` of a policy in {_BOOK}.",
    RefusalCode.BOT: "Whoever wants it has to ask in person.",
    RefusalCode.DEACTIVATED: "Ask from an account that is active.",
    RefusalCode.UNKNOWN_PERSON: "Ask from an account of this workspace.",
    RefusalCode.WRONG_TEAM: "Ask a member of it to do it.",
    RefusalCode.NOT_VERIFIED: "Ask again in a minute.",
}
#: Refusals that may be about a decision too, in words for the one who asks.
ASKERS = {code: Words(wrong=REFUSED[code], advice=advice) for code, advice in _TO_ASKERS.items()}
