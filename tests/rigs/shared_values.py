"""Which values of a module could change, and so be seen by requests that they are none of?

The module is imported and looked at: values say better than their spelling whether they can
change. What is of no known kind counts as something that can.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date, timedelta, timezone
from enum import Enum
from types import (
    DynamicClassAttribute,
    FunctionType,
    GenericAlias,
    MappingProxyType,
    MemberDescriptorType,
    ModuleType,
    NoneType,
    UnionType,
)
from typing import Any

from temporalio.common import SearchAttributeKey

_FIXED_TYPES = (
    *(NoneType, bool, int, float, str, bytes, Enum, date, timedelta, timezone, re.Pattern),
    *(type, ModuleType, property, DynamicClassAttribute, MemberDescriptorType),
    *(GenericAlias, UnionType, SearchAttributeKey),
)
#: What Python and Temporal keep for themselves on a class.
_MACHINERY = re.compile(r"__\w+__|__temporal_\w+|_abc_\w+")


def changeable_values(module: ModuleType) -> list[str]:
    """List what a module and its classes keep that can change."""
    found = [name for name, value in _kept_by(module) if not _is_fixed(value)]
    for cls_name, cls in _kept_by(module):
        if isinstance(cls, type) and cls.__module__ == module.__name__:
            found += [f"{cls_name}.{n}" for n, value in _kept_by(cls) if not _is_fixed(value)]
    return found


def _kept_by(holder: ModuleType | type) -> Iterator[tuple[str, Any]]:
    is_enum = isinstance(holder, type) and issubclass(holder, Enum)
    for name, value in vars(holder).items():
        if not _MACHINERY.fullmatch(name) and not (is_enum and re.fullmatch(r"_\w+_", name)):
            yield name, value


def _is_fixed(value: Any) -> bool:
    """Tell whether a value stays as it is, all the way down."""
    parts = () if isinstance(value, _FIXED_TYPES) else _parts(value)
    return parts is not None and all(map(_is_fixed, parts))


def _parts(value: Any) -> Iterable[Any] | None:
    """List what a value is made of when it cannot change itself; None when it can."""
    parts: Iterable[Any] | None = None
    if isinstance(value, (tuple, frozenset)):
        parts = value
    elif isinstance(value, MappingProxyType):
        parts = value.values()
    elif isinstance(value, (classmethod, staticmethod)):
        parts = (value.__func__,)
    elif isinstance(value, FunctionType):
        kept = [cell.cell_contents for cell in value.__closure__ or ()]
        kept += [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
        # A function may be kept by itself.
        parts = (one for one in kept if not isinstance(one, FunctionType))
    elif is_dataclass(value) and vars(type(value))["__dataclass_params__"].frozen:
        parts = (getattr(value, field.name) for field in fields(value))
    elif type(value).__module__ in {"typing", "__future__"}:
        parts = ()
    return parts
