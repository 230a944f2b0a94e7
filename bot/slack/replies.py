"""Which words does somebody read in private who asked, clicked or made a mistake?

Pure. The words about decisions that did not count are the workflow's, not the bot's.
"""

from __future__ import annotations

from datetime import UTC, datetime

from bot.commands.parser import SUB_COMMANDS, Group
from bot.commands.tokens import CommandError
from bot.slack.mrkdwn import (
    Reply,
    answer_to,
    bullet_list,
    code,
    deciders,
    escape,
    link,
    person,
    plain,
    reply,
)
from bot.slack.request_status import ago
from bot.slack.standing import over_words, summary_words
from bot.slack.uptake_words import Act
from bot.temporal.errors import (
    AlreadyOpenError,
    BotError,
    LookUnansweredError,
    NothingAskedError,
    PlanUnreadError,
    RequestEndedError,
    RequestStuckError,
    RequestUnknownError,
    Silent,
    TemporalCall,
    TemporalMisconfiguredError,
    TemporalUnavailableError,
)
from workflows.model.plan import SHOWN_DIGITS
from workflows.model.requests import Choice, Policy
from workflows.model.state import RequestState, RequestStatus
from workflows.model.text import short_id
from workflows.operations import catalog
from workflows.operations.standing import status_words

_NOT_DONE = {
    TemporalCall.START: "not started, for Temporal does not answer. Nothing was recorded.",
    TemporalCall.DECIDE: "not recorded, for Temporal does not answer. The request is as it was.",
    TemporalCall.CANCEL: "not recorded, for Temporal does not answer. Nothing was cancelled.",
    TemporalCall.STOP_TRYING: "not recorded, for Temporal does not answer. Nothing was changed.",
    TemporalCall.TRY_NOW: "not recorded, for Temporal does not answer. Nothing was changed.",
    TemporalCall.READ: "Temporal does not answer, so there is nothing to show.",
}
_UNCONFIRMED = "not confirmed, for Temporal did not answer in time:"
_MAYBE_DONE = {
    TemporalCall.START: (
        f"{_UNCONFIRMED} the request may not be started. Asking again does no harm: one container "
        "never gets two requests."
    ),
    TemporalCall.DECIDE: (
        f"{_UNCONFIRMED} your decision may not be recorded. Deciding again does no harm: the same "
        "decision counts once."
    ),
    TemporalCall.CANCEL: (f"{_UNCONFIRMED} it may not be recorded. Cancelling again does no harm."),
    TemporalCall.STOP_TRYING: (
        f"{_UNCONFIRMED} it may not be recorded. Saying it again does no harm."
    ),
    TemporalCall.TRY_NOW: f"{_UNCONFIRMED} it may not be recorded. Saying it again does no harm.",
    TemporalCall.READ: _NOT_DONE[TemporalCall.READ],
}


#: One of each group, which the help shows as somebody would type it.
_SHOWN = ("stop", "inspect", "approve")
_MOST_NAMED = 10
_NOTED = {
    Act.APPROVAL: "your approval of request",
    Act.REJECTION: "your rejection of request",
    Act.CANCEL: "your cancel of request",
    Act.STOP_TRYING: "“Stop trying” for request",
    Act.TRY_NOW: "“Try now” for request",
}
_SILENT = {
    Silent.WORKER: (
        "no Dockwarden worker answers. Whoever runs Dockwarden can see whether `dockwarden "
        "worker` runs."
    ),
    Silent.BUSY: (
        "nobody took the question up in time: Dockwarden's worker is busy, or has just ended. "
        "Try again in a minute."
    ),
    Silent.HOST: (
        "no Dockwarden worker serves {host}. `list hosts` shows those that are known; if it is a "
        "new one, start {start} there."
    ),
    Silent.BUSY_HOST: (
        "nobody took the question up in time: the Dockwarden worker of {host} is busy, or has "
        "just ended. Try again in a minute."
    ),
    Silent.ENGINE: (
        "the engine of {host} does not answer in time. If it stays so, whoever runs the "
        "host can see to it."
    ),
}


def help_text(command: str, topic: str = "") -> Reply:
    """Explain all sub-commands, or one."""
    if topic:
        row = SUB_COMMANDS[topic]
        return reply(
            f"{code(f'{command} {row.usage}')}\n{row.summary}",
            f"For example: {code(f'{command} {row.example}')}",
            row.explained,
        )
    examples = bullet_list(code(f"{command} {SUB_COMMANDS[name].example}") for name in _SHOWN)
    return reply(
        "*Dockwarden asks people before it touches a container.*",
        *(f"*{group}*\n{_rows(command, group)}" for group in Group),
        f"*stop* leaves a container down until somebody asks to *start* it; *snapshot* takes it "
        f"down only while its snapshot is made. For example:\n{examples}",
        f"*Who decides?* {code(f'{command} inspect NAME')} names who may ask and who decides about "
        "a container, and each card who decides about that request. Nobody approves what they "
        "asked for themselves.",
    )


def mistake(command: str, error: CommandError) -> Reply:
    """Say what is wrong with a command, where, and how the very same would be right."""
    right = "Try" if error.own else "Right would be, for example"
    return reply(
        plain(f"⚠️ {error.problem}"),
        plain(f"{command} {error.marked}"),
        f"{right}: {code(f'{command} {error.example}')}",
    )


def nobody_here(asked: str, policy: Policy | None, user_id: str) -> Reply:
    """Refuse what is asked for where nobody but the requester could read the card."""
    named = _deciders(policy, user_id)
    where = f"{named} is" if named else "those are who decide"
    return reply(
        f"🚫 {answer_to(asked, 'not started, for nobody who decides could read its card here.')}\n"
        f"Ask in a channel where {where}, and the app too (`/invite` brings it there)."
    )


def recorded(request_id: str, act: Act, decided: RequestState | None = None) -> Reply:
    """Say that an act was taken, and of what; what it came to is the workflow's to say."""
    return reply(
        f"👍 Noted: {_NOTED[act]} {code(request_id)}.",
        "" if decided is None else _what_it_is_about(decided),
    )


def _what_it_is_about(state: RequestState) -> str:
    """Show somebody who typed only an id what that is, with the digits that its card shows."""
    pin, plan_hash = state.pin, state.plan_hash
    exactly = f" ({code(short_id(pin.container_id))})" if pin is not None else ""
    plan = f" · plan {code(plan_hash[:SHOWN_DIGITS])}" if plan_hash else ""
    return (
        f"That is to {catalog.words_of(state.operation)} {code(state.container.name)}{exactly} on "
        f"{code(state.container.host)}, as {person(state.requester)} asked for{plan}"
    )


def form_unavailable(command: str, choice: Choice, request_id: str) -> Reply:
    """Say that Slack did not open the form, and which way is left."""
    words = "the reason" if choice is Choice.REJECT else "your comment"
    example = code(f'{command} {choice} {request_id} "{words}"')
    return reply(f"Slack did not open the form. Press it again, or write {example}.")


def too_many() -> Reply:
    """Ask somebody to slow down."""
    return reply(
        "🐢 Too many commands in a short time. Wait a few seconds and repeat the last one."
    )


def too_many_clicks(number: int, seconds: int, *, request_id: str) -> Reply:
    """Say which click was dropped, and when the next one is taken."""
    what, it = (f" on request {code(request_id)}", " on it") if request_id else ("", "")
    times = "once" if number == 1 else f"{number} times"
    wait = "1 second" if seconds == 1 else f"{seconds} seconds"
    return reply(
        f"🐢 Not recorded: you clicked{what} more than {times} within a minute. Try again in "
        f"{wait}; until then no click of yours{it} is recorded."
    )


def foreign_team() -> Reply:
    """Refuse somebody from another workspace."""
    return reply("🚫 Only members of this workspace can use Dockwarden. Nothing was recorded.")


def bad_button() -> Reply:
    """Refuse a button that no card of ours has."""
    return reply("🚫 This button does not belong to a Dockwarden request. Nothing was recorded.")


def again_unknown(command: str, request_id: str, example: str) -> Reply:
    """Say that what was asked for is not known any more, or not now."""
    return reply(
        f"Not started: what request {code(request_id)} asked for cannot be read now, or is no "
        "longer kept. "
        f"Ask with {code(f'{command} {example}')}."
    )


def reason_missing() -> Reply:
    """Ask for the reason that a rejection needs."""
    return reply("Write a reason: the requester reads it.")


def slow(asked: str) -> Reply:
    """Say that the answer takes longer than Slack waits."""
    words = "this takes longer than usual; not confirmed yet. If nothing follows, try again."
    return reply(f"⏳ {answer_to(asked, words)}")


def unexpected(error_id: str, asked: str = "") -> Reply:
    """Say that something broke, with an id that stands in the log too."""
    words = (
        f"something went wrong in Dockwarden (error {code(error_id)}). See what became of it "
        "before you repeat it, and tell an administrator the error's id."
    )
    return reply(f"💥 {answer_to(asked, words)}")


def failure(
    error: BotError, command: str, *, asked: str = "", now: datetime | None = None
) -> Reply:
    """Put a known failure into words; ``asked`` is what was typed, if anything was."""
    match error:
        case AlreadyOpenError():
            words = _already_open(error, command, now or datetime.now(UTC))
            return reply(f"🚫 {answer_to(asked, words)}")
        case RequestEndedError():
            return reply(f"🚫 {answer_to(asked, _ended(error))}")
        case RequestUnknownError():
            recent = code(f"{command} requests recent")
            words = (
                f"there is no request {code(error.request_id)}, or it is no longer kept. {recent} "
                "shows the latest."
            )
        case NothingAskedError():
            shown = code(f"{command} requests")
            words = (
                f"there is no request for {code(error.container)} on {code(error.host)}, or it is "
                f"no longer kept. {shown} shows all that are open."
            )
        case PlanUnreadError():
            words = (
                f"not recorded, for what request {code(error.request_id)} would do cannot be shown "
                "to you now: nobody says it reliably. Press the button of its card, which shows "
                "it: that works all the same."
            )
        case TemporalUnavailableError():
            words = (_MAYBE_DONE if error.maybe_done else _NOT_DONE)[error.call]
            words += " Try again in a moment."
        case LookUnansweredError():
            words = silence(error)
        case RequestStuckError():
            words = (
                f"{code(error.workflow_id)} is stuck: Dockwarden's worker fails at it again and "
                "again, and nothing that you do in Slack can change that. Tell whoever runs "
                "Dockwarden: the worker's log has the fault under this name. See on the host "
                "whether the container runs."
            )
        case TemporalMisconfiguredError():
            words = (
                "not done, for Temporal is not set up for Dockwarden. An administrator runs "
                "`dockwarden check`, which says what is missing."
            )
        case _:
            words = escape(str(error))
    return reply(f"⚠️ {answer_to(asked, words)}")


def silence(error: LookUnansweredError) -> str:
    """Say who has not answered a look, and what was probably meant."""
    near = f" Did you mean {code(error.near)}?" * bool(error.near)
    return f"{_SILENT[error.silent].format(**_host(error.host))}{near}"


def _host(host: str) -> dict[str, str]:
    return {"host": code(host), "start": code(f"dockwarden worker --host {host}")}


_REPLACE = (
    " Who may reject it can put their own in its place: the same command with `replace` at its end."
)


def _already_open(error: AlreadyOpenError, command: str, now: datetime) -> str:
    """Say who asked what before, when, how it stands, and where its card is."""
    other, state = error.summary, error.state
    status = code(f"{command} status {other.request_id}")
    where = link(other.permalink, "See its card") or f"See {status}"
    stands = summary_words(other) if state is None else f"{status_words(state)}{_by_whom(state)}"
    return (
        f"not started, for {person(other.requester)} asked to "
        f"{escape(other.operation) or 'work on'} {code(other.container)} on {code(other.host)} "
        f"{ago(now, other.started_at)}: {stands}. {where}.{_REPLACE * error.waits}"
    )


def _by_whom(state: RequestState) -> str:
    """Name those who decided, or those who are waited for."""
    if state.approvals:
        decided = ", ".join(person(one.approver_id) for one in state.approvals)
        return f", approved by {decided}"
    waits = state.status is RequestStatus.WAITING
    named = _deciders(state.policy, state.requester) if waits else ""
    return f", by {named}" if named else ""


def _deciders(policy: Policy | None, requester: str) -> str:
    """Name who decides by a policy: never the one who asks."""
    if policy is None:
        return ""
    named = deciders(policy, requester)
    more = f" or {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return f"{' or '.join(named[:_MOST_NAMED])}{more}"


def _ended(error: RequestEndedError) -> str:
    request = error.summary
    card = link(request.permalink, "See its card")
    told = (
        f"not recorded, for request {code(request.request_id)} for {code(request.container)} on "
        f"{code(request.host)} is over: {over_words(request, error.state)}. {card}"
    )
    return told.rstrip()


def _rows(command: str, group: Group) -> str:
    rows = (row for row in SUB_COMMANDS.values() if row.group is group)
    return bullet_list(f"{code(f'{command} {row.usage}')} — {row.summary}" for row in rows)
