"""What did the engine say when it refused, and how is that logged without telling a secret?

The engine's answer names what is missing in its own words, which help whoever looks into the log
of the worker, on the machine that owns the container. It can quote the container's environment
and command line, so no value of them is written down.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from workflows.model.text import cut_off, one_line, short_id

_LOGGER: Final = logging.getLogger(__name__)
_LONGEST_LINE: Final = 300
#: Shorter values occur in any text; to hide them would hide nothing and garble all.
_SHORTEST_SECRET: Final = 4
_HIDDEN: Final = "…"


def log_refusal(verb: str, container_id: str, words: str, raw: Mapping[str, Any] | None) -> None:
    """Write down in one line what the engine said to a call about a container.

    Args:
        verb: what was asked for, like ``start``.
        container_id: the container.
        words: the engine's answer.
        raw: the engine's own view of the container, which holds what must not be told;
            ``None`` when the engine did not give it, and then its words are kept back.
    """
    name = str((raw or {}).get("Name") or "").removeprefix("/") or "a container"
    said = one_line(words)
    said = hide(said, raw) if raw is not None else "(not shown: the container was not to be seen)"
    line = f"{verb} of {one_line(name)} ({short_id(container_id)}{_HIDDEN}): {said}"
    begun = "the engine refused: "
    _LOGGER.warning("%s%s", begun, cut_off(line, _LONGEST_LINE - len(begun)))


def hide(words: str, raw: Mapping[str, Any]) -> str:
    """Replace every value of a container's environment and command line that occurs."""
    values = {form for value in _values(raw) for form in _forms(value)}
    for value in sorted(values, key=len, reverse=True):
        words = words.replace(value, _HIDDEN)
    return words


def _values(raw: Mapping[str, Any]) -> Iterator[str]:
    config = raw.get("Config") or {}
    for entry in config.get("Env") or ():
        yield entry.partition("=")[2]
    arguments: Iterable[Any] = (
        raw.get("Path"),
        *(raw.get("Args") or ()),
        *(config.get("Cmd") or ()),
        *(config.get("Entrypoint") or ()),
        *((config.get("Healthcheck") or {}).get("Test") or ()),
    )
    for argument in arguments:
        text = str(argument or "")
        yield text
        yield text.partition("=")[2]


def _forms(value: str) -> Iterator[str]:
    """Give a value as the engine may write it: as it is, or quoted as Go does."""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    for form in (one_line(value), one_line(quoted.replace("\t", "\\t"))):
        if len(form) >= _SHORTEST_SECRET:
            yield form
