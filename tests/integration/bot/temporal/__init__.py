"""The bot's way to Temporal, on a real server."""

#: Seconds that only a call without a bound needs: Temporal itself lets one wait for thirty.
HANGS = 10
