"""Are clicks that come too soon dropped and told, and is nobody locked out who works?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import pytest

from bot.settings import Settings
from tests.fakes.slack_stub import TEAM, SlackStub
from tests.integration.bot.slack.bot_on_stub import BUTTON, REQUEST, Bot, bot_on, form_body
from workflows.model.names import ActionId, RequestAddress, button_value

PER_REQUEST, PER_PERSON = 5, 120


@dataclass
class _Clock:
    """A clock that stands until it is told to go on."""

    now: float = 0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    """Give a clock that stands."""
    return _Clock()


Start = Callable[..., AbstractAsyncContextManager[Bot]]


@pytest.fixture
def start(slack_stub: SlackStub, clock: _Clock) -> Start:
    """Give what starts a bot with settings."""
    return lambda **settings: bot_on(slack_stub, limits=Settings(**settings), clock=clock)


@pytest.fixture
async def bot(start: Start) -> AsyncIterator[Bot]:
    """Run a bot with the limits that it has when nothing is set."""
    async with start() as bot:
        yield bot


def _button(number: int) -> str:
    return button_value(
        RequestAddress(request_id=f"{number:012x}", host="local", container=f"web-{number}")
    )


def _form(value: str) -> dict[str, object]:
    metadata = {"v": 1, "request": value, "channel": "C0OPS", "ts": "17.1"}
    return form_body(json.dumps(metadata), "no")


async def test_the_sixth_click_of_a_minute_on_one_request_is_dropped_and_told_once(
    bot: Bot, clock: _Clock
) -> None:
    """Five go on; who is told of the sixth knows when the next one is taken."""
    for _ in range(50):
        assert await bot.click(ActionId.APPROVE) == ""

    assert len(bot.requests.decisions) == PER_REQUEST
    await bot.slack_stub.until(lambda: bot.slack_stub.responses)
    clock.now = 11.9
    await bot.click(ActionId.CANCEL)
    clock.now = 12
    await bot.click(ActionId.CANCEL)
    assert len(bot.requests.instructions) == 1
    (answer,) = bot.slack_stub.responses
    assert (answer["response_type"], answer["replace_original"]) == ("ephemeral", False)
    assert answer["text"] == (
        f"🐢 Not recorded: you clicked on request `{REQUEST}` more than 5 times within a minute. "
        "Try again in 12 seconds; until then no click of yours on it is recorded."
    )


async def test_a_later_drop_is_told_again(bot: Bot, clock: _Clock) -> None:
    """Nobody believes that a click was taken because an earlier one was."""
    for _ in range(6):
        await bot.click(ActionId.APPROVE)
    clock.now = 14.5
    for _ in range(3):
        await bot.click(ActionId.APPROVE)

    assert len(bot.requests.decisions) == 6
    await bot.slack_stub.until(lambda: len(bot.slack_stub.responses) == 2)
    assert "Try again in 10 seconds" in bot.slack_stub.responses[1]["text"]


async def test_others_and_other_requests_are_not_held_up(bot: Bot) -> None:
    """A flood of one person on one card costs neither the next card nor the next person."""
    for _ in range(500):
        await bot.click(ActionId.APPROVE)
    await bot.click(ActionId.APPROVE, user={"id": "U0CAROL", "team_id": TEAM})
    await bot.click(ActionId.APPROVE, _button(2))

    assert len(bot.requests.decisions) == PER_REQUEST + 2


async def test_the_reject_form_counts_when_it_is_opened_and_when_it_is_sent(bot: Bot) -> None:
    """A form that comes too soon stays open and says so, each time: it would close in silence."""
    for _ in range(4):
        await bot.click(ActionId.REJECT)
    # A click is answered before the form is opened.
    await bot.slack_stub.until(lambda: bot.slack_stub.count("views.open") == 4)
    await bot.dispatch(_form(BUTTON))
    assert len(bot.requests.decisions) == 1

    for _ in range(2):
        response = await bot.dispatch(_form(BUTTON))
        answer = json.loads(response.body)
        assert answer["response_action"] == "errors"
        assert "Not recorded" in answer["errors"]["reason"]
        assert f"on request {REQUEST}" in answer["errors"]["reason"]
    await bot.click(ActionId.REJECT)
    assert bot.slack_stub.count("views.open") == 4
    assert len(bot.requests.decisions) == 1


async def test_sixty_cards_at_once_and_once_more_lock_nobody_out(bot: Bot) -> None:
    """Whoever works off a night's cards, and presses each again, meets no limit."""
    for _ in range(2):
        await asyncio.gather(
            *(bot.click(ActionId.APPROVE, _button(number)) for number in range(60))
        )

    assert len(bot.requests.decisions) == PER_PERSON
    assert bot.slack_stub.responses == []


async def test_sixty_rejections_with_their_forms_lock_nobody_out(bot: Bot) -> None:
    """Each takes a click and a form, as fast as Slack can carry them."""
    for number in range(60):
        await bot.click(ActionId.REJECT, _button(number))
        await bot.dispatch(_form(_button(number)))

    assert len(bot.requests.decisions) == 60


async def test_a_person_has_a_limit_over_all_requests(bot: Bot, clock: _Clock) -> None:
    """A hundred and twenty clicks on as many requests, told once, and on it goes."""
    for number in range(PER_PERSON + 30):
        await bot.click(ActionId.APPROVE, _button(number))

    assert len(bot.requests.decisions) == PER_PERSON
    await bot.slack_stub.until(lambda: bot.slack_stub.responses)
    clock.now = 0.5
    await bot.click(ActionId.APPROVE, _button(999))
    assert len(bot.requests.decisions) == PER_PERSON + 1
    (answer,) = bot.slack_stub.responses
    assert answer["text"] == (
        "🐢 Not recorded: you clicked more than 120 times within a minute. Try again in 1 second; "
        "until then no click of yours is recorded."
    )


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({"clicks_per_request": 2}, 2),
        ({"clicks_per_request": 0}, PER_PERSON),
        ({"clicks_per_request": 0, "clicks_per_person": 7}, 7),
        ({"clicks_per_person": 0}, PER_REQUEST),
        ({"clicks_per_request": 0, "clicks_per_person": 0}, 200),
    ],
)
async def test_each_limit_is_a_setting(
    start: Start, settings: dict[str, int], allowed: int
) -> None:
    """What is set is what is reached; 0 limits nothing."""
    async with start(**settings) as bot:
        for _ in range(200):
            await bot.click(ActionId.APPROVE)

        assert len(bot.requests.decisions) == allowed


@pytest.mark.parametrize(("settings", "allowed"), [({"commands_per_person": 9}, 3), ({}, 20)])
async def test_the_limit_of_commands_is_a_setting(
    start: Start, settings: dict[str, int], allowed: int
) -> None:
    """A third of a minute's commands at once; clicks cost none of them."""
    async with start(**settings) as bot:
        await bot.click(ActionId.APPROVE)
        answers = await asyncio.gather(*(bot.command("help") for _ in range(25)))

        taken = [answer for answer in answers if "Too many" not in answer["text"]]
        assert len(taken) == allowed


async def test_no_limit_of_commands(start: Start) -> None:
    """For measurements it is taken away."""
    async with start(commands_per_person=0) as bot:
        answers = await asyncio.gather(*(bot.command("help") for _ in range(300)))

        assert not any("Too many" in answer["text"] for answer in answers)


@pytest.mark.parametrize("value", ["", "nothing of ours", "x local web-1"])
async def test_buttons_that_are_not_ours_count_for_their_person(
    start: Start, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    """They are about no request, and still they cannot go on for ever."""
    async with start(clicks_per_person=3) as bot:
        for _ in range(10):
            await bot.click(ActionId.APPROVE, value)

        await bot.slack_stub.until(lambda: len(bot.slack_stub.responses) == 4)
        assert "you clicked more than 3 times" in bot.slack_stub.responses[-1]["text"]
    assert caplog.text.count("unknown button refused") == 1


@pytest.mark.parametrize("metadata", ["", "[]", "{}", '{"request": 7}', "{"])
async def test_a_form_that_is_not_ours_is_refused_and_not_counted_for_a_request(
    bot: Bot, metadata: str
) -> None:
    """It is told as before."""
    response = await bot.dispatch(form_body(metadata, "no"))

    assert "does not belong" in json.loads(response.body)["errors"]["reason"]
