"""What does ``list hosts`` show to the one who asked?

Pure. Who serves a host is what Temporal says at this moment; a worker that has ended is named
for a minute more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.slack.mrkdwn import Reply, answer_to, bullet_list, code, escape, reply
from bot.temporal.hosts import MAX_HOSTS, HostStanding, engine_words, service_words
from workflows.model.listing import in_natural_order

#: What Slack takes in one message, with room for the rest.
_MOST = 40


def host_list(standings: Sequence[HostStanding], *, now: datetime, asked: str = "") -> Reply:
    """Show hosts, one a line: the default one first, then those that nobody serves."""
    if all(_is_unheard_of(standing) for standing in standings):
        words = "no host has announced itself. Each docker worker does so when it starts: "
        return reply(answer_to(asked, f"{words}`dockwarden worker --host NAME`."))
    ordered = sorted(
        standings,
        key=lambda one: (not one.is_default, bool(one.workers), in_natural_order(one.host)),
    )
    rows = [_row(standing, now) for standing in ordered[:_MOST]]
    left_out = len(ordered) - len(rows)
    at_least = "at least " if len(ordered) >= MAX_HOSTS else ""
    more = f"… and {at_least}{left_out} more." if left_out > 0 else ""
    title = f"{at_least}{len(ordered)} host{'' if len(ordered) == 1 else 's'}"
    return reply(answer_to(asked, title), bullet_list(rows), more, _advice(ordered))


def _row(standing: HostStanding, now: datetime) -> str:
    light = "🟢" if standing.workers else "🔴"
    default = " · meant where a command names none" if standing.is_default else ""
    engines = "; ".join(escape(engine_words(told)) for told in standing.engines)
    return (
        f"{light} {code(standing.host)}{default} · {engines or 'no engine announced'} · "
        f"{escape(service_words(standing, now))}"
    )


def _advice(standings: Sequence[HostStanding]) -> str:
    """Say what to do about a host that nobody serves, once."""
    silent = next((one for one in standings if not one.workers), None)
    if silent is None:
        return ""
    start = code(f"dockwarden worker --host {silent.host}")
    return (
        f"Requests for a host that nobody serves are refused. Whoever runs {code(silent.host)} can "
        f"see whether {start} runs there, and what its log says."
    )


def _is_unheard_of(standing: HostStanding) -> bool:
    return not standing.engines and not standing.workers
