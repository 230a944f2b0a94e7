"""How is a text made harmless and short, at whatever door it is shown, and does it show anything?

Plain words without any mark-up: what Slack would read in a text is for each door to escape. Kept
once, for one and the same reason or id is shown on a card and in a private answer, and has to
look the same there. A workflow asks only whether a text shows anything: it writes facts, never
words.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

#: Straight, English, low, reversed, French and full-width quotes: each closes what another opened.
DOUBLE_QUOTES = frozenset('"\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02')
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029\u0085\v\f]")
_MANY_LINE_ENDS = re.compile(r"\n{3,}")
#: Format characters that writing needs: Persian and composed emoji join with them.
_JOINERS = "\u200c\u200d"
#: What is invisible though its category does not say so: a grapheme joiner, vowels of Khmer that
#: are not drawn, the fillers of Hangul, an empty pattern of Braille, a note without a head.
_BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0\U0001d159"
#: Selectors of a form, and what is reserved for characters that are not drawn.
_NEVER_DRAWN = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF))
_DIGITS = re.compile(r"[0-9a-f]*")
_SHORT_ID_LENGTH = 12
#: One with dashes or slashes in it has a form that its provider's tools want whole.
_LONGEST_ID = 60


def strip_control_chars(text: str) -> str:
    """Take out what would disturb the text around it: control and direction characters."""
    lines = _LINE_ENDS.sub("\n", text).replace("\t", " ")
    visible = (
        c
        for c in lines
        if c == "\n" or c in _JOINERS or unicodedata.category(c) not in ("Cc", "Cf", "Cs")
    )
    return _MANY_LINE_ENDS.sub("\n\n", "".join(visible)).strip()


def is_invisible(character: str) -> bool:
    """Whether a character that is no white space is not drawn, wherever it stands."""
    if character.isascii():
        return not character.isprintable()
    return (
        unicodedata.category(character) in ("Cc", "Cf", "Cs")
        or character in _BLANKS
        or any(first <= ord(character) <= last for first, last in _NEVER_DRAWN)
    )


def shows_nothing(text: str) -> bool:
    """Whether a reader sees nothing of a text: a reason that must be there is then missing.

    An accent that stands over no letter is nothing either.
    """
    return all(
        character.isspace() or is_invisible(character) or unicodedata.category(character)[0] == "M"
        for character in text
    )


def one_line(text: str) -> str:
    """Write a text in one line, without what :func:`strip_control_chars` takes out."""
    return " ".join(strip_control_chars(text).split())


def cut_off(text: str, limit: int) -> str:
    """Cut a text to ``limit`` characters, the last of which then says so: ``…``."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def shorten(text: str, limit: int) -> str:
    """Cut a name to ``limit`` characters, keeping both of its ends."""
    if len(text) <= limit:
        return text
    tail = limit // 3
    return f"{text[: limit - tail - 1]}…{text[-tail:]}"


def short_id(image_or_container_id: str) -> str:
    """Write the first digits of a long number, which are enough; of another id both of its ends."""
    digits = image_or_container_id.removeprefix("sha256:")
    if _DIGITS.fullmatch(digits):
        return digits[:_SHORT_ID_LENGTH]
    return shorten(digits, _LONGEST_ID)


def workflow_url(temporal_ui: str, namespace: str, workflow_id: str, run_id: str) -> str:
    """Give the address of a workflow in Temporal's own UI; ``""`` when the UI has none.

    Without the run Temporal shows the newest: a later request for the same container.
    """
    if not temporal_ui:
        return ""
    parts = ("namespaces", namespace, "workflows", workflow_id, run_id)
    place = "/".join(quote(part, safe="") for part in parts if part)
    return f"{temporal_ui.rstrip('/')}/{place}"
