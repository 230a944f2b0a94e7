"""What does a setting take, in our own words and with an example?

From the setting's own limits, so that no list of words can go stale; what has a form and not a
limit is told here.
"""

from __future__ import annotations

from enum import StrEnum

from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

#: Settings whose values have a form.
_FORMS = {
    "slack_api_url": "an address that begins with http:// or https://",
    "command": "a slash and up to 31 characters behind it, without a space or another slash",
    "default_host": "small letters, digits, dots and hyphens, with a letter or digit at both ends",
    "host": "small letters, digits, dots and hyphens, with a letter or digit at both ends",
    "temporal_ui_url": "an address that begins with http:// or https://",
    "team": "the id of a Slack workspace",
    "channel": "the id of a Slack channel",
    "user": "the id of a Slack user",
}
_EXAMPLES = {
    "host": "edge-1",
    "default_host": "edge-1",
    "temporal_ui_url": "http://temporal.example.com:8080",
    "health_port": "8080",
    "team": "T024BE7LD",
    "channel": "C012AB3CD",
    "user": "U024BE7LH",
}


def takes(field: str, info: FieldInfo, variable: str) -> str:
    """Say what a variable takes; a setting that is any text is never wrong."""
    example = f"for example {variable}={_EXAMPLES.get(field, info.default)}"
    kind = info.annotation
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        *others, last = kind
        return f"takes {', '.join(others)} or {last}, {example}"
    if kind is bool:
        return f"takes true or false, for example {variable}=true"
    if kind is int:
        return f"takes a whole number{_range(info)}, {example}"
    return f"takes {_FORMS.get(field, 'another value')}, {example}"


def _range(info: FieldInfo) -> str:
    least = next((int(str(m.ge)) for m in info.metadata if isinstance(m, Ge)), None)
    above = next((int(str(m.gt)) for m in info.metadata if isinstance(m, Gt)), None)
    most = next((int(str(m.le)) for m in info.metadata if isinstance(m, Le)), None)
    if least is None and above is not None:
        least = above + 1
    if least is not None and most is not None:
        return f" from {least} to {most}"
    return "" if least is None else f" of at least {least}"
