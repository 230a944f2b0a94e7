"""What is known of a request without asking its workflow?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSummary:
    """One line about a request.

    ``status`` is a :class:`~workflows.model.state.RequestStatus`, or ``ended`` for a request whose
    workflow was ended by somebody in Temporal while it was open. ``open`` tells whether the
    workflow still runs. ``operation`` is in words, and empty for a request of an earlier release.
    """

    request_id: str
    status: str
    host: str
    container: str
    requester: str
    workflow_id: str
    run_id: str
    started_at: datetime
    open: bool
    operation: str = ""
    permalink: str = ""


#: The status of a request whose workflow ended without a last word of its own.
ENDED = "ended"
