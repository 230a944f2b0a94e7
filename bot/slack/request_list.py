"""What does ``requests`` show to the one who asked?

Pure.
"""

from __future__ import annotations

from datetime import datetime

from bot.slack.mrkdwn import Reply, bullet_list, code, person, reply
from bot.slack.request_status import ago, what_of
from bot.slack.standing import summary_words
from bot.temporal.visibility import RequestPage


def show(title: str, page: RequestPage, *, now: datetime) -> Reply:
    """Show requests, one a line."""
    if not page.rows:
        return reply(f"*{title}*: none.")
    lines = [
        f"{summary_words(row)} · {code(row.request_id)} · {what_of(row)} · "
        f"{person(row.requester)}, {ago(now, row.started_at)}"
        for row in page.rows
    ]
    left_out = page.total - len(page.rows)
    more = f"… and {left_out} more." if left_out > 0 else ""
    return reply(f"*{title}* ({page.total})", bullet_list(lines), more)
