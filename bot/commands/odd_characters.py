"""Which character of a name is none that names have, and which name was probably meant?

What an editor or a look-alike has changed is never undone in silence: ``web\u2013`` with an en
dash may have been ``web-`` or ``web--``, and each may be a container. It is named and asked about.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from workflows.model.text import is_invisible

#: Hyphens that no editor makes of anything else.
_HYPHENS = "\u2010\u2011"
#: Dashes, bars and the minus, which phones and Macs make of one hyphen or of two.
_DASHES = "\u2012\u2013\u2014\u2015\u2212"
_SOFT_HYPHEN = "\u00ad"
#: Letters of Cyrillic, Greek and others that look like Latin ones, and a dot.
_LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u04cf"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u03bf\u03bd\u03b1\u03b9\u03ba\u03c1\u03c5\u0131\u0261\u2024"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
    "aeopcyxijshdqwlABEKMHOPCTYXIJSovaikpuig.ABEZHIKMNOPTYX",
)
_TO_HYPHENS = str.maketrans(_HYPHENS + _DASHES, "-" * len(_HYPHENS + _DASHES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """The first odd character of a name, in words, and the names that may have been meant."""

    words: str
    meant: tuple[str, ...]

    @property
    def question(self) -> str:
        """Ask which name was meant; nothing when none comes near."""
        return f" Was {' or '.join(self.meant)} meant?" if self.meant else ""


def with_plain_hyphens(name: str) -> str:
    """Undo the one change of a name that can be undone surely."""
    return name.translate(str.maketrans(_HYPHENS, "-" * len(_HYPHENS)))


def keyword(text: str) -> str:
    """Read one of our own few words, which no odd character can turn into another."""
    visible = "".join(character for character in text if not is_invisible(character))
    return visible.translate(_TO_HYPHENS).lower()


def find_oddity(name: str) -> Oddity | None:
    """Find the first character that no name has; ``None`` when all are plain."""
    odd = next((character for character in name if not ("!" <= character <= "~")), "")
    if not odd:
        return None
    forms = (_plain(name, dash="-", soft=""), _plain(name, dash="--", soft="-"))
    meant = tuple(dict.fromkeys(form for form in forms if form and form.isascii()))
    return Oddity(words=_words(odd), meant=meant)


def show_invisible(text: str) -> str:
    """Write what is not drawn by its number, so that a mistake can be seen."""
    return "".join(
        f"[U+{ord(character):04X}]" if is_invisible(character) else character for character in text
    )


def _plain(name: str, *, dash: str, soft: str) -> str:
    hyphened = "".join(dash if c in _DASHES else soft if c == _SOFT_HYPHEN else c for c in name)
    visible = "".join(character for character in hyphened if not is_invisible(character))
    # The forms of full width, of mathematics and the like are one and the same letter.
    return unicodedata.normalize("NFKC", visible.translate(_LOOK_ALIKES))


def _words(odd: str) -> str:
    name = unicodedata.name(odd, "a character without a name")
    if is_invisible(odd):
        return f"it holds U+{ord(odd):04X} ({name}), which nobody can see"
    if odd in _DASHES:
        return f"the {odd} in it is {name}, not a hyphen"
    like = odd.translate(_LOOK_ALIKES)
    if like != odd:
        return f"the {odd} in it is {name}, which only looks like {like}"
    return f"the {odd} in it is {name}"
