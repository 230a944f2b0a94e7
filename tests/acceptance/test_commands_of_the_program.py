"""Do the program's own commands work on real parts: check, version, and the bot behind HTTP?"""

from __future__ import annotations

import hashlib
import hmac
import time
from urllib.parse import urlencode

import aiohttp
import pytest

from deploy.laptop.channel import request_of
from deploy.laptop.slack_server import CHANNEL_ID, TEAM_ID, USERS, credentials
from deploy.laptop.state import StateDirectory
from tests.rigs.laptop import LaptopProcess
from tests.rigs.people import People
from tests.rigs.program import dockwarden, free_port
from workflows.model.state import RequestStatus


@pytest.fixture(name="environment")
def _environment(laptop: LaptopProcess) -> dict[str, str]:
    """Settings for a further process beside those of the laptop."""
    ready, app = laptop.ready, credentials(StateDirectory(laptop.state))
    return {
        "DOCKWARDEN_SLACK_BOT_TOKEN": app.bot_token,
        "DOCKWARDEN_SLACK_APP_TOKEN": app.app_token,
        "DOCKWARDEN_SLACK_SIGNING_SECRET": app.signing_secret,
        "DOCKWARDEN_SLACK_API_URL": f"{ready['slack']}/api/",
        "DOCKWARDEN_SEAL_KEY_FILE": ready["seal_key_file"],
        "DOCKWARDEN_POLICIES": str(laptop.file.with_name("policies.toml")),
        "DOCKWARDEN_DOCKER_HOST": ready["docker_host"],
        "TEMPORAL_ADDRESS": ready["temporal"],
    }


async def test_the_check_of_a_good_machine(environment: dict[str, str]) -> None:
    """With everything in place each thing has one line that says what it is; status 0."""
    async with dockwarden("check", **environment) as check:
        assert await check.end() == 0, check.lines
    # Another test may have served a second host here, which this policy book names.
    own = [line for line in check.lines if not line.startswith(("ok    host edge", "ok    hosts"))]
    things = [line.split(":")[0] for line in own]
    assert things == [
        f"ok    {thing}"
        for thing in (
            *("settings", "policies", "Slack token", "Slack scopes", "approvers", "Socket Mode"),
            *("Temporal", "records", "search attributes", "policy books", "host local"),
            *("seal key", "Docker"),
        )
    ]
    assert check.has("served by 1 worker")
    (docker,) = [line for line in check.lines if "Docker" in line]
    assert "storage driver" in docker
    assert docker.endswith(" MB free\n")


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("DOCKWARDEN_DOCKER_HOST", "unix:///nowhere.sock", "FAIL  Docker: "),
        ("DOCKWARDEN_MIN_FREE_MB", "999999999", "FAIL  Docker: "),
        ("DOCKWARDEN_DATA_ROOT", "/nowhere", "FAIL  Docker: "),
        ("TEMPORAL_ADDRESS", "127.0.0.1:1", "FAIL  Temporal: 127.0.0.1:1 does not answer; start"),
        ("DOCKWARDEN_POLICIES", "/nowhere.toml", "FAIL  policies: the policy book /nowhere.toml"),
        ("DOCKWARDEN_SLACK_BOT_TOKEN", "", "FAIL  Slack token: DOCKWARDEN_SLACK_BOT_TOKEN is not"),
        ("DOCKWARDEN_SLACK_APP_TOKEN", "", "FAIL  Socket Mode: DOCKWARDEN_SLACK_APP_TOKEN is not"),
    ],
)
async def test_the_check_of_a_bad_machine(
    environment: dict[str, str], setting: str, value: str, says: str
) -> None:
    """What is wrong has its line with what to do, the rest is checked all the same; status 1."""
    async with dockwarden("check", **{**environment, setting: value}) as check:
        assert await check.end() == 1
    assert [line for line in check.lines if line.startswith("FAIL")] == [
        line for line in check.lines if line.startswith(says)
    ]
    assert check.has(says), check.lines
    assert check.has("ok    settings")
    assert not check.has("Traceback")
    assert not check.has(environment["DOCKWARDEN_SLACK_BOT_TOKEN"])


@pytest.mark.parametrize("command", ["bot", "worker"])
async def test_missing_settings_are_named(command: str) -> None:
    """Started with nothing set, a command names what it needs, without a stack trace."""
    async with dockwarden(command) as program:
        assert await program.end() == 2
    assert program.has("DOCKWARDEN_SLACK_BOT_TOKEN is missing: set it")
    assert not program.has("Traceback")


async def test_the_version() -> None:
    """The version is one line and needs nothing."""
    async with dockwarden("version") as program:
        assert await program.end() == 0
    assert [line.split(".")[0] for line in program.lines] == ["dockwarden 0"]


async def test_a_bot_behind_http(people: People, environment: dict[str, str]) -> None:
    """Behind HTTP a signed command becomes a request; a forged or an old one gets 401."""
    container = people.engine.run(name="called-1")
    port = free_port()
    settings = {"DOCKWARDEN_SLACK_MODE": "http", "DOCKWARDEN_HTTP_PORT": str(port)}
    secret = environment["DOCKWARDEN_SLACK_SIGNING_SECRET"]
    async with dockwarden("bot", **environment, **settings) as bot, aiohttp.ClientSession() as web:
        await bot.until(" ready role=bot")

        async def call(text: str, *, secret: str, at: float) -> tuple[int, str]:
            body = _command(text)
            url = f"http://127.0.0.1:{port}/slack/events"
            async with web.post(url, data=body, headers=_signed(body, secret, at)) as answer:
                return answer.status, await answer.text()

        now = time.time()
        assert (await call("stop called-1", secret=secret[::-1], at=now))[0] == 401
        assert (await call("stop called-1", secret=secret, at=now - 600))[0] == 401
        assert not [m for m in await people.channel.messages() if "called-1" in str(m)]

        status, answer = await call("stop called-1 snapshot", secret=secret, at=now)
        assert (status, answer) == (200, ""), "its card is the answer"
        card = await people.channel.wait_for(
            "the card", lambda m: bool(request_of(m)) and "called-1" in str(m)
        )
        request = people.request_on(card)
        await people.approve(request)
        await people.until(request, RequestStatus.SUCCEEDED)
    assert people.engine.state(container) == "exited"
    assert bot.has("refused: bad signature")
    assert not bot.has(secret)


def _command(text: str) -> str:
    return urlencode(
        {
            "command": "/container",
            "text": text,
            "user_id": USERS["alice"],
            "team_id": TEAM_ID,
            "channel_id": CHANNEL_ID,
            "trigger_id": f"{time.time_ns()}.1.once",
            "api_app_id": "A0WARDEN1",
            "response_url": "http://127.0.0.1:1/unused",
        }
    )


def _signed(body: str, secret: str, at: float) -> dict[str, str]:
    stamp = str(int(at))
    code = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={code}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
