"""How does what comes from Temporal become our types, in little time?

The SDK asks each dataclass for its types anew whenever one is read, and spells them out of their
text each time: for the state of a request that is most of what a worker does. Here that is found
out once for each type. What is read, and what is refused, is as with the SDK
(``tests/unit/bot/temporal/test_conversion.py`` reads all that was recorded in both ways).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
    JSONTypeConverter,
    value_to_type,
)

from workflows.sandbox import WORKFLOW_MODULES

_Read = Callable[[Any], Any]


class _KnownTypes(JSONTypeConverter):
    """Reads dataclasses; all else is left to the SDK."""

    def to_typed_value(self, hint: type, value: Any) -> Any:  # noqa: ANN401 - as in the SDK
        """Read a value as a dataclass, if it is to be one that is there once in a process."""
        if not is_dataclass(hint) or hint.__module__ in WORKFLOW_MODULES:
            return JSONTypeConverter.Unhandled
        try:
            return _reader(hint)(value)
        except TypeError:
            raise
        except Exception as error:
            message = f"{hint.__name__} cannot be read"
            raise TypeError(message) from error


@cache
def _reader(hint: Any) -> _Read:  # noqa: ANN401, PLR0911 - any type, each in its way
    """Find out once how a type is read."""
    origin, arguments = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return _dataclass_reader(hint)
    if hint is str:
        return _text
    if hint is datetime:
        return _time
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if origin in (Union, UnionType):
        return _union_reader(hint, arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004
        return _tuple_reader(arguments[0])
    return lambda value: value_to_type(hint, value, (_KNOWN_TYPES,))


def _dataclass_reader(kind: Any) -> _Read:  # noqa: ANN401
    hints = get_type_hints(kind)
    readers: dict[str, _Read] = {}

    def read(value: Any) -> Any:  # noqa: ANN401
        if not isinstance(value, dict):
            message = f"{kind.__name__} is not read of {type(value).__name__}"
            raise TypeError(message)
        if not readers:
            # Not before it is used: a type may hold others of its own kind.
            readers.update({field.name: _reader(hints[field.name]) for field in fields(kind)})
        return kind(**{name: read(value[name]) for name, read in readers.items() if name in value})

    return read


def _union_reader(hint: Any, arguments: tuple[Any, ...]) -> _Read:  # noqa: ANN401
    takes_none = NoneType in arguments
    readers = tuple(_reader(argument) for argument in arguments if argument is not NoneType)

    def read(value: Any) -> Any:  # noqa: ANN401
        if value is None and takes_none:
            return None
        for reader in readers:
            try:
                return reader(value)
            except Exception:  # noqa: BLE001, S112 - as in the SDK: the next may take it
                continue
        message = f"nothing of {hint} is read of {type(value).__name__}"
        raise TypeError(message)

    return read


def _tuple_reader(item: Any) -> _Read:  # noqa: ANN401
    reader = _reader(item)

    def read(value: Any) -> Any:  # noqa: ANN401
        if not isinstance(value, (list, tuple)):
            message = f"no tuple is read of {type(value).__name__}"
            raise TypeError(message)
        return tuple(map(reader, value))

    return read


def _text(value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        message = f"no text is read of {type(value).__name__}"
        raise TypeError(message)
    return value


def _time(value: Any) -> datetime:  # noqa: ANN401
    return datetime.fromisoformat(_text(value))


_KNOWN_TYPES: Final = _KnownTypes()


class _PayloadConverter(CompositePayloadConverter):
    """The SDK's converters, with ours for JSON."""

    def __init__(self) -> None:
        known = DefaultPayloadConverter.default_encoding_payload_converters
        json = JSONPlainPayloadConverter(custom_type_converters=(_KNOWN_TYPES,))
        super().__init__(
            *(json if isinstance(one, JSONPlainPayloadConverter) else one for one in known)
        )


#: What each client of ours reads and writes with; what it writes is as with the SDK.
DATA_CONVERTER: Final = DataConverter(payload_converter_class=_PayloadConverter)
