"""How does one test hold for many cases, each of them named when it fails?

Each test of its own costs some 16 ms of two processors, whatever it does: it is collected by each
process, sent to one of them, and reported. Where hundreds of cases assert the same quick thing
on values, one test that takes them all tells as much.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest

_FAILURES = (Exception, pytest.fail.Exception)


def every_case(
    argument: str, cases: Iterable[Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test for each value of an argument; all that fail are told at its end.

    It is written like ``pytest.mark.parametrize`` with one argument, and takes fixtures and other
    parameters beside it; a fixture is made once for all cases.
    """
    values = list(cases)
    assert values, f"no case of {argument}"

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        assert not inspect.iscoroutinefunction(test), "what waits is a test of its own"

        @functools.wraps(test)
        def of_all(**given: Any) -> None:
            failures: list[BaseException] = []
            for value in values:
                try:
                    test(**given, **{argument: value})
                except _FAILURES as error:
                    error.add_note(f"with {argument} = {value!r}")
                    failures.append(error)
            if failures:
                message = f"{len(failures)} of {len(values)} cases of {argument} fail"
                raise BaseExceptionGroup(message, failures)

        signature = inspect.signature(test)
        left = [one for name, one in signature.parameters.items() if name != argument]
        of_all.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
        return of_all

    return decorate
