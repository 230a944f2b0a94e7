"""Which container or host was probably meant by a name that is none?

Whoever found out says it in the detail of its refusal, in words; each door shows the names in its
own way, or offers them.
"""

from __future__ import annotations

import re
from types import MappingProxyType

from workflows.model.errors import RefusalCode
from workflows.model.names import CONTAINER_NAME, HOST_NAME
from workflows.model.state import Refusal

#: What a detail of ours says of names that come near; no name has a space or a comma in it.
_MEANT = re.compile(r"(?:did you mean|it could be) (.+?)(?:\?|; write the whole name)$")
_BETWEEN = re.compile(r", | or ")
_OF_CONTAINERS = (RefusalCode.UNKNOWN_CONTAINER, RefusalCode.AMBIGUOUS_CONTAINER)
_FORMS = MappingProxyType(
    {
        **dict.fromkeys(_OF_CONTAINERS, CONTAINER_NAME),
        RefusalCode.UNKNOWN_HOST: HOST_NAME,
    }
)
_MOST = 3


def meant(refusal: Refusal) -> tuple[str, ...]:
    """Give the names that were probably meant, of containers or of a host."""
    form, found = _FORMS.get(refusal.code), _MEANT.search(refusal.detail)
    if form is None or found is None:
        return ()
    return tuple(name for name in _BETWEEN.split(found[1]) if form.fullmatch(name))[:_MOST]


def one_of(names: tuple[str, ...]) -> str:
    """Join names of which one was meant: ``a``, ``a or b``, ``a, b or c``."""
    return " or ".join((", ".join(names[:-1]), names[-1]) if len(names) > 1 else names)
