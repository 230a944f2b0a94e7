"""What does each form show, and what does it know of where it was opened?

Pure. A form knows no message, so it carries the address of its request, never an authority. What
people typed is shown as plain text, and only where it may be read.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Self

from bot.slack.beforehand import Known
from bot.slack.listener import REASON_BLOCK
from bot.slack.mrkdwn import Block, code, person
from bot.slack.request_status import ago
from workflows.model.image_reference import complete_reference, reference_problem
from workflows.model.names import (
    APPROVE_FORM,
    ASK_FORM,
    CONTAINER_NAME,
    REJECT_FORM,
    RequestAddress,
    button_value,
    parse_button_value,
)
from workflows.model.plan import SHOWN_DIGITS
from workflows.model.requests import MAX_TEXT_LENGTH, Choice, OperationSpec
from workflows.model.state import RequestState
from workflows.model.text import cut_off, shows_nothing, strip_control_chars
from workflows.model.words import capital
from workflows.operations import catalog
from workflows.operations.standing import known as known_step, status_words, will_be_put_back

TAG_BLOCK = "tag"
_VERSION = 1
_INPUT = "v"
_SHOWN_REASON = 1000
_FOREIGN = "this is not a form of Dockwarden"
#: What of an operation comes back out of a form; a name for the snapshot is typed anew.
_CARRIED = ("kind", "snapshot", "grace_seconds")
_SOME_REQUEST_ID = "0" * 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Which button opened a form; ``message_ts`` is empty when it was on no card."""

    address: RequestAddress
    channel_id: str
    message_ts: str = ""

    @property
    def source(self) -> str:
        """Name the door by which a decision comes."""
        return f"form:{self.channel_id}:{self.message_ts}" if self.message_ts else "list"

    def metadata(self, **more: object) -> str:
        """Write what a form carries."""
        return json.dumps(
            {
                "v": _VERSION,
                "request": button_value(self.address),
                "channel": self.channel_id,
                "ts": self.message_ts,
                **more,
            }
        )

    @classmethod
    def read(cls, view: dict[str, Any]) -> tuple[Self, dict[str, Any]]:
        """Read where a submitted form comes from, and what else it carries.

        Raises:
            ValueError: it is not a form of ours.
        """
        try:
            metadata = json.loads(view["private_metadata"])
            origin = cls(
                address=parse_button_value(metadata["request"]),
                channel_id=str(metadata["channel"]),
                message_ts=str(metadata["ts"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(_FOREIGN) from error
        return origin, metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a form asks for: an operation on a container, by the name that it has now."""

    operation: OperationSpec
    container: str

    def carried(self) -> dict[str, object]:
        """Write it for a form to carry."""
        return {"container": self.container, "operation": asdict(self.operation)}

    @classmethod
    def read(cls, metadata: dict[str, Any], tag: str) -> Self:
        """Read it from what a form has carried, with the name for the snapshot that was typed.

        Raises:
            ValueError: it is not a form of ours.
        """
        try:
            kind, snapshot, grace = map(metadata["operation"].get, _CARRIED)
            container = str(metadata["container"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(_FOREIGN) from error
        is_ours = catalog.find(str(kind)) is not None and CONTAINER_NAME.fullmatch(container)
        if not is_ours or not (grace is None or isinstance(grace, int)):
            raise ValueError(_FOREIGN)
        spec = OperationSpec(kind=str(kind), snapshot=bool(snapshot), grace_seconds=grace)
        return cls(operation=replace(spec, snapshot_ref=tag or None), container=container)


def typed(view: dict[str, Any], block: str = REASON_BLOCK) -> str:
    """Read what was typed into a form; some clients send what was not touched as nothing.

    Raises:
        ValueError: it is not a form of ours.
    """
    try:
        value = view["state"]["values"][block][_INPUT].get("value")
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(_FOREIGN) from error
    return str(value or "").strip()


def tag_problem(tag: str) -> str:
    """Say what is wrong with the name for a snapshot; nothing when it is right."""
    return reference_problem(complete_reference(tag, "container", _SOME_REQUEST_ID)) if tag else ""


def decision_form(
    choice: Choice, origin: Origin, known: Known, *, may_read: bool, now: datetime
) -> dict[str, Any]:
    """Draw the form for a decision with words: what it is about, and who reads them."""
    if choice is Choice.REJECT:
        return _view(
            REJECT_FORM,
            origin.metadata(),
            title="Reject the request",
            submit="Reject",
            blocks=[
                *_about(origin, known.state, may_read=may_read, now=now),
                _input("Why?", hint="Whoever asked reads this, and it stays on the card."),
            ],
        )
    return _view(
        APPROVE_FORM,
        origin.metadata(),
        title="Approve with a comment",
        submit="Approve",
        blocks=[
            *_about(origin, known.state, may_read=may_read, now=now),
            *_plan(origin, known.state),
            _input(
                "Comment", hint="Whoever asked reads this, in the thread of the card.", needed=False
            ),
        ],
    )


def ask_form(
    origin: Origin, state: RequestState, wish: Wish, *, user_id: str, now: datetime
) -> dict[str, Any]:
    """Draw the form by which somebody asks anew: the request is theirs now, with their reason."""
    target = f"{code(wish.container)} on {code(state.container.host)}"
    is_own = state.requester == user_id
    whose = "You" if is_own else person(state.requester)
    words = catalog.words_of(state.operation)
    lines = [
        f"*{capital(catalog.words_of(wish.operation))} {target}*",
        f"{whose} asked to {words} it {ago(now, state.requested_at)}: {status_words(state)}.",
        "This is a request of its own, *and yours*: others decide about it, and you cannot.",
    ]
    is_needed = state.policy is not None and state.policy.reason_required
    again = wish.operation.kind == state.operation.kind
    blocks = [
        _section("\n".join(lines), "what"),
        _input(
            "Why?",
            hint="Those who decide read this, and it stays on the card.",
            needed=is_needed and again,
            initial=state.reason if is_own and again else "",
        ),
    ]
    if catalog.makes_image(wish.operation):
        blocks.append(_tag_input())
    title = "Ask again, as you" if again else "Start it again, as you"
    metadata = origin.metadata(**wish.carried())
    return _view(ASK_FORM, metadata, title=title, submit="Ask", blocks=blocks)


def _about(
    origin: Origin, state: RequestState | None, *, may_read: bool, now: datetime
) -> list[Block]:
    address = origin.address
    if state is None:
        target = f"{code(address.container)} on {code(address.host)}"
        return [_section(f"Request {code(address.request_id)} for {target}", "what")]
    target = f"{code(state.name_now)} on {code(state.container.host)}"
    asked = f"{person(state.requester)} asked {ago(now, state.requested_at)}"
    has_reason = not shows_nothing(state.reason)
    shown = has_reason and may_read
    where = "" if shown or not has_reason else ", with a reason that stands on its card"
    what = f"*{capital(catalog.words_of(state.operation))} {target}*\n{asked}{where}"
    blocks = [_section(f"{what}{':' if shown else '.'}", "what")]
    if shown:
        reason = cut_off(strip_control_chars(state.reason), _SHOWN_REASON)
        blocks.append(_plain(f"“{reason}”", "asked"))
    return blocks


def _plan(origin: Origin, state: RequestState | None) -> list[Block]:
    """Say in short what is approved, if it is what the card of this form shows."""
    plan_hash = origin.address.plan_hash
    if state is None or not state.shows_its_plan or state.plan_hash != plan_hash:
        return [_section("What will happen stands on the card; that is what you approve.", "plan")]
    steps = ", ".join(known_step(step, state).to_do.lower() for step in state.steps)
    digits = f" · plan {code(plan_hash[:SHOWN_DIGITS])}" if plan_hash else ""
    warned = " ⚠️ Its card warns of something: read it first." if state.cautions else ""
    what = "that" if len(state.steps) == 1 else "a step"
    return [
        _section(
            f"Dockwarden will {steps or catalog.words_of(state.operation)}. If {what} fails, it "
            f"{will_be_put_back(state)}.{warned}{digits}",
            "plan",
        )
    ]


def _view(
    callback_id: str, metadata: str, *, title: str, submit: str, blocks: list[Block]
) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": metadata,
        "title": {"type": "plain_text", "text": title},
        "submit": {"type": "plain_text", "text": submit},
        "close": {"type": "plain_text", "text": "Back"},
        "blocks": blocks,
    }


def _section(text: str, block_id: str) -> Block:
    return {"type": "section", "block_id": block_id, "text": {"type": "mrkdwn", "text": text}}


def _plain(text: str, block_id: str) -> Block:
    shown = {"type": "plain_text", "text": text, "emoji": False}
    return {"type": "section", "block_id": block_id, "text": shown}


def _input(label: str, *, hint: str, needed: bool = True, initial: str = "") -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": _INPUT,
        "multiline": True,
        "max_length": MAX_TEXT_LENGTH,
    }
    if initial:
        element["initial_value"] = cut_off(initial, MAX_TEXT_LENGTH)
    return {
        "type": "input",
        "block_id": REASON_BLOCK,
        "optional": not needed,
        "label": {"type": "plain_text", "text": label},
        "hint": {"type": "plain_text", "text": hint},
        "element": element,
    }


def _tag_input() -> Block:
    return {
        "type": "input",
        "block_id": TAG_BLOCK,
        "optional": True,
        "label": {"type": "plain_text", "text": "Name of the snapshot"},
        "hint": {
            "type": "plain_text",
            "text": "Left empty, it gets a new one, after the container and the request.",
        },
        "element": {"type": "plain_text_input", "action_id": _INPUT, "max_length": 250},
    }
