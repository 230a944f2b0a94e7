"""What may be passed to a Docker engine as an id, a label value, or an image reference?

Containers by their full id alone, images by their full id or by a checked reference, and label
values of hexadecimal digits only: nothing that a path, a filter or an instruction could be made of.
"""

from __future__ import annotations

import re
from typing import Final

from temporalio.exceptions import ApplicationError

from workflows.model.errors import ErrorType
from workflows.model.image_reference import reference_problem
from workflows.model.names import CONTAINER_ID_FORM

_IMAGE_ID_FORM: Final = re.compile(r"sha256:[0-9a-f]{64}")
_LABEL_VALUE: Final = re.compile(r"[0-9a-f]{12,64}")


def is_image_id(text: str) -> bool:
    """Tell an image's full id from a reference."""
    return _IMAGE_ID_FORM.fullmatch(text) is not None


def check_container_id(text: str) -> None:
    """Let through a container's full id alone."""
    _check(CONTAINER_ID_FORM, text)


def check_image_id(text: str) -> None:
    """Let through an image's full id alone."""
    _check(_IMAGE_ID_FORM, text)


def check_label_value(text: str) -> None:
    """Let through what can stand in a ``LABEL`` instruction without a quote."""
    _check(_LABEL_VALUE, text)


def check_reference(text: str) -> None:
    """Let through a complete image reference."""
    if reference_problem(text):
        _fail("an image reference for the Docker engine is malformed")


def _check(form: re.Pattern[str], text: str) -> None:
    if not form.fullmatch(text):
        _fail("an id for the Docker engine is malformed")


def _fail(text: str) -> None:
    raise ApplicationError(text, type=ErrorType.BAD_INPUT, non_retryable=True)
