"""Do workflows depend on their histories alone, where the sandbox does not watch them?"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

from tests.rigs.determinism import found_in_code
from tests.rigs.every_case import every_case
from tests.rigs.shared_values import changeable_values

_ROOM = Path(__file__).parents[3] / "workflows"
#: The worker calls the one module that is left out, and no workflow may import it.
_FILES = sorted(file for file in _ROOM.rglob("*.py") if file != _ROOM / "sandbox.py")

_FORBIDDEN_CODE = {
    "clock": "from datetime import UTC, datetime\ndef f(): return datetime.now(UTC)",
    "clock of another name": "from datetime import datetime as d\ndef f(): return d.utcnow()",
    "clock of a module": "import datetime\ndef f(): return datetime.date.today()",
    "clock in a variable": "from datetime import datetime\ndef f():\n  d = datetime\n  d.now()",
    "clock handed on": "from datetime import datetime\ndef f(g): return g(datetime.now)",
    "time": "import time",
    "time of another name": "import time as t\ndef f(): return t.monotonic()",
    "time by name": "from time import monotonic",
    "random": "import random",
    "random by name": "from random import choice as pick",
    "secrets": "from secrets import token_hex",
    "uuid": "import uuid",
    "import in a function": "def f():\n  import random\n  return random.random()",
    "import by name": "import importlib",
    "import by a builtin": "def f(): return __import__('random')",
    "another project": "import docker",
    "everything": "from datetime import *",
    "relative": "from . import names",
    "the sandbox": "from workflows.sandbox import workflow_runner",
    "the sandbox by its room": "from workflows import sandbox",
    "no sandbox": "from temporalio import workflow\ndef f(): return workflow.unsafe",
    "no sandbox by name": "from temporalio.workflow import unsafe",
    "a client": "from temporalio.client import Client",
    "open": "def f(): return open('x')",
    "print": "def f(): print('x')",
    "input": "def f(): return input()",
    "pathlib": "from pathlib import Path",
    "os": "import os.path",
    "sys": "import sys",
    "socket": "import socket",
    "subprocess": "import subprocess",
    "io": "import io",
    "shutil": "import shutil",
    "tempfile": "import tempfile",
    "urllib": "from urllib import request",
    "http": "import http.client",
    "logging": "import logging",
    "threads": "import threading",
    "executors": "from concurrent.futures import ThreadPoolExecutor",
    "processes": "import multiprocessing",
    "thread of asyncio": "import asyncio\nasync def f(): await asyncio.to_thread(f)",
    "thread of asyncio by name": "from asyncio import to_thread",
    "thread of a loop": "def f(loop): return loop.run_in_executor(None, f)",
    "loop": "import asyncio\ndef f(): return asyncio.get_event_loop()",
    "any order of tasks": "import asyncio\nasync def f(tasks): await asyncio.wait(tasks)",
    "asyncio in a variable": "import asyncio\ndef f():\n  a = asyncio\n  return a.wait",
    "cache": "from functools import lru_cache",
    "cache of a module": "import functools\n@functools.cache\ndef f(): ...",
    "cached property": "from functools import cached_property",
    "default list": "def f(a=[]): ...",
    "default dict": "def f(*, a={}): ...",
    "default call": "def f(a=dict()): ...",
    "default of a lambda": "def f(): return lambda a=[]: a",
    "global": "X = 1\ndef f():\n  global X\n  X = 2",
    "global dictionary": "X = 1\ndef f(): globals()['X'] = 2",
    "change of a class": "class A: ...\ndef f(): A.x = 1",
    "change of one's class": "class A:\n  def f(self): type(self).x = 1",
    "change of one's class by name": "class A:\n  def f(self): self.__class__.x += 1",
    "change in a class method": "class A:\n  @classmethod\n  def f(cls): cls.x = 1",
    "change of a module": "from workflows import names\ndef f(): names.HOST = 1",
    "change of an item": "X = make()\ndef f(): X['a'] = 1",
    "change by name": "class A: ...\ndef f(): setattr(A, 'x', 1)",
    "change behind the back": "class A: ...\ndef f(): A.__dict__['x'] = 1",
    "run on import": "from workflows import names\nnames.register()",
    "order of a set": "def f():\n  for x in {1, 2}: ...",
    "order of a set call": "def f(a): return [x for x in set(a)]",
    "order of a named set": "def f(a):\n  b = set(a) & {1}\n  return list(b)",
    "order of a difference": "def f(a): return ','.join(set(a) - {1})",
    "order of a union": "def f(a): return [*frozenset(a).union(a)]",
    "order of a constant": "X = frozenset({'a'})\ndef f():\n  for x in X: ...",
    "address": "def f(a): return sorted(a, key=id)",
    "hash": "def f(a): return hash(a)",
}
_HARMLESS_CODE = {
    "Temporal's clock": "from temporalio import workflow\ndef f(): return workflow.now()",
    "its clock by name": "from temporalio.workflow import now, time\ndef f(): return now()",
    "its log": "from temporalio import workflow\ndef f(): workflow.logger.info('x')",
    "its chance": "from temporalio import workflow\ndef f(): return workflow.uuid4()",
    "time spans": "from datetime import timedelta\nX = timedelta(days=1)\ndef f(a=X): return a",
    "tasks": "import asyncio\nasync def f(a): await asyncio.gather(*map(asyncio.shield, a))",
    "submodule": "import collections.abc\ndef f(a: collections.abc.Sequence[int]): ...",
    "types only": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  from re import Pattern",
    "one's own state": "class A:\n  def f(self):\n    self.x = 1\n    self.y['a'] = 2",
    "state of a function": "def f():\n  n = 0\n  def g():\n    nonlocal n\n    n += 1\n  g()",
    "local list": "def f():\n  a = []\n  a.append(1)\n  return a",
    "defaults": "def f(a=(), b=None, *, c=-1, d=frozenset(), e=(1, 'x')): ...",
    "membership": "def f(a, b): return b in {x for x in a} and bool(set(a) & set(b))",
    "sorted set": "def f(a):\n  for x in sorted(set(a)): ...",
    "two functions": "def f(a):\n  b = set(a)\n  return 1 in b\ndef g(b):\n  return list(b)",
}
_HEAD = """
import asyncio, contextlib, dataclasses, enum, re, typing
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from datetime import timedelta
from types import MappingProxyType
from temporalio.common import RetryPolicy, SearchAttributeKey
class Plain: ...
@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    a: object = 1
    b: list = dataclasses.field(default_factory=list)
@dataclasses.dataclass
class Thawed:
    a: int = 1
"""
_CHANGEABLE = {
    "list": "X = []",
    "annotated list": "X: typing.Final[list[int]] = [1]",
    "dict": "X = {'a': 1}",
    "set": "X = {1}",
    "deque": "X = deque()",
    "defaultdict": "X = defaultdict(int)",
    "counter": "X = Counter()",
    "bytes": "X = bytearray()",
    "iterator": "X = iter('abc')",
    "tuple of lists": "X = ([],)",
    "mapping of lists": "X = MappingProxyType({'a': []})",
    "instance": "X = Plain()",
    "instance that can change": "X = Thawed()",
    "frozen, but not what it holds": "X = Frozen(b=())\nX = Frozen()",
    "Temporal's options": "X = RetryPolicy()",
    "lock": "X = asyncio.Lock()",
    "result of a call": "def make(): return []\nX = make()",
    "merged mappings": "Y = MappingProxyType({})\nX = Y | Y",
    "kept by a closure": "def make():\n  k = []\n  return lambda: k\nX = make()",
    "class attribute": "class X:\n  a = []",
    "class attribute by a call": "class X:\n  a: dict = dict()",
    "private class attribute": "class X:\n  __a = set()",
    "attribute beside a frozen one": "class X(Frozen):\n  c: typing.ClassVar = []",
}
_FIXED = {
    "plain": "X = 1, 'a', b'', None, True, 1.5, frozenset({1}), timedelta(days=1)",
    "pattern": "X = re.compile('a')",
    "mapping": "X = MappingProxyType({'a': (1,)})",
    "frozen": "X = Frozen(b=())",
    "search attribute": "X = SearchAttributeKey.for_keyword('a')",
    "enum": "class X(enum.StrEnum):\n  A = 'a'\n  @property\n  def b(self): return 1",
    "types": "T = typing.TypeVar('T')\nX = Callable[[], None]\nY = tuple[int, ...]\nZ = int | None",
    "functions": "@contextlib.contextmanager\ndef f(a=1): yield\nclass X:\n  g = staticmethod(f)",
    "fields": "class X(Frozen):\n  c: typing.ClassVar = (1, 'a')",
}


def _module(folder: Path, text: str) -> list[str]:
    file = folder / "snippet.py"
    file.write_text(_HEAD + text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("snippet", file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["snippet"] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        return changeable_values(module)
    finally:
        del sys.modules["snippet"]


@every_case("file", _FILES)
def test_workflows_depend_on_their_histories_alone(file: Path) -> None:
    """No file asks for anything that differs between two runs, or keeps what can change."""
    name = ".".join(file.relative_to(_ROOM.parent).with_suffix("").parts)

    module = importlib.import_module(name.removesuffix(".__init__"))

    assert found_in_code(file.read_text(encoding="utf-8")) == []
    assert changeable_values(module) == []


@every_case("kind", _FORBIDDEN_CODE)
def test_forbidden_code_is_found(kind: str) -> None:
    """The reading can fail: each kind of what is forbidden is found."""
    assert found_in_code(_FORBIDDEN_CODE[kind])


@every_case("kind", _HARMLESS_CODE)
def test_harmless_code_is_left_alone(kind: str) -> None:
    """What leads to the same commands each time may be written."""
    assert found_in_code(_HARMLESS_CODE[kind]) == []


@pytest.mark.parametrize("kind", _CHANGEABLE)
def test_changeable_value_is_found(tmp_path: Path, kind: str) -> None:
    """A value that requests could change for each other is found."""
    assert [name.partition(".")[0] for name in _module(tmp_path, _CHANGEABLE[kind])] == ["X"]


@pytest.mark.parametrize("kind", _FIXED)
def test_fixed_value_is_left_alone(tmp_path: Path, kind: str) -> None:
    """Constants of all kinds that stay as they are may be kept."""
    assert _module(tmp_path, _FIXED[kind]) == []
