"""What does the detail of a refusal add to its words, and which names does it say come near?

A detail is a short text of ours, of a worker that may be of an earlier release. One thing is said
once: what only repeats the words of ``words.py`` is left out, what says the same more exactly takes
their place, and names that come near are asked about. A door adds its mark-up.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from workflows.model.errors import RefusalCode
from workflows.model.names import CONTAINER_NAME, HOST_NAME
from workflows.model.state import Refusal

#: So begins a detail that says once more what the words say.
REPEATED: Final = MappingProxyType(
    {
        RefusalCode.UNKNOWN_CONTAINER: "no container has this name",
        RefusalCode.AUTO_REMOVE: "it was started with --rm: stopping it would remove it",
        RefusalCode.PROTECTED: "nobody may touch this container through Dockwarden",
        RefusalCode.OWN_CONTAINER: "Dockwarden itself runs in this container",
        RefusalCode.ALREADY_STOPPED: "the container is exited",
        RefusalCode.ALREADY_RUNNING: "the container is running",
    }
)
#: What a detail completes, in the place of the words.
COMPLETED: Final = MappingProxyType(
    {
        RefusalCode.BAD_REQUEST: "it cannot be asked for so: ",
        RefusalCode.PROTECTED: "{name} is protected, ",
        RefusalCode.UNUSABLE_STATE: "{name} cannot be worked on as it is: ",
        RefusalCode.IMAGE_MISSING: "{host} can make no snapshot of {name}: ",
        RefusalCode.TOO_MANY_LAYERS: "{host} can make no snapshot of {name}: ",
        RefusalCode.OWNER_GONE: "{name} could not be {started}: ",
        RefusalCode.OWNER_MISSING: "{name} could not be {started}: ",
        RefusalCode.ORCHESTRATED: "{name} is not to be stopped here. ",
    }
)
_MEANT: Final = re.compile(r"(?:did you mean|it could be) (.+?)(?:\?|; write the whole name)$")
#: No name has a space or a comma in it.
_BETWEEN: Final = re.compile(r", | or ")
_FORMS: Final = MappingProxyType(
    {
        RefusalCode.UNKNOWN_CONTAINER: CONTAINER_NAME,
        RefusalCode.AMBIGUOUS_CONTAINER: CONTAINER_NAME,
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


def added_by(refusal: Refusal, repeated: str, *known: str) -> str:
    """Give what a detail tells that neither the words nor ``known`` facts do."""
    if meant(refusal) or refusal.detail in known:
        return ""
    return refusal.detail.removeprefix(repeated).lstrip("; ")


def either(names: tuple[str, ...]) -> str:
    """Write names to choose from: ``a``, ``a or b``, ``a, b or c``."""
    return " or ".join((", ".join(names[:-1]), names[-1]) if len(names) > 1 else names)
