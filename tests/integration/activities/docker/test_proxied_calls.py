"""Do the worker and the socket proxy speak of the same calls?

Each kind of call that the code has is made through the proxy, with the extremes of what it sends:
one that the configuration lacks fails here, and so does a pattern that no call needs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from temporalio.exceptions import ApplicationError

import activities.docker
from activities.docker.engine import Engine
from activities.docker.errors import PROXY_ANSWERS
from activities.docker.foreign_labels import FOREIGN_LABELS, was_labels
from activities.docker.protection import Protection
from tests.integration.activities.docker.docker_worker import HOST, REQUEST
from tests.rigs.docker_proxy import DockerProxy
from tests.rigs.dockerd import DockerEngine
from tests.rigs.socket_proxy import CONFIG, SocketProxy
from workflows.model.names import REQUEST_LABEL, SOURCE_LABEL
from workflows.model.timing import MAX_GRACE_SECONDS

_ID: Final = "0123456789abcdef" * 4
_IMAGE: Final = f"sha256:{_ID}"
_LABELS: Final = {REQUEST_LABEL: REQUEST, SOURCE_LABEL: _ID}
_REFERENCES: Final = (
    "web:1",
    "dockwarden/web-1:req-0123456789ab",
    "registry.example.com:5000/team/web__a/b.c-d:1.0_b",
    "Registry.example.com/web:1",
    "[2001:db8::1]:5000/team/web:1",
    f"{'a' * 110}/{'b' * 130}:{'c' * 128}",
)
_WAS: Final = was_labels(
    {"com.docker.compose.project": "\u00e9" * 90, "com.docker.compose.service": "w"}
)

#: The calls of docker-py that the code makes, each with what it may be given.
_CALLS: Final[dict[str, tuple[Callable[[Engine], object], ...]]] = {
    "info": (lambda engine: engine.facts(),),
    "containers": (lambda engine: engine.containers(), lambda engine: engine.written_bytes(_ID)),
    "inspect_container": (lambda engine: engine.container(_ID),),
    "images": (
        lambda engine: engine.snapshots(),
        lambda engine: engine.snapshots(_ID),
        lambda engine: engine.labelled_images(_LABELS),
    ),
    "stop": (
        lambda engine: engine.stop(_ID, 0),
        lambda engine: engine.stop(_ID, 99),
        lambda engine: engine.stop(_ID, 599),
        lambda engine: engine.stop(_ID, MAX_GRACE_SECONDS),
    ),
    "start": (lambda engine: engine.start(_ID),),
    "pause": (lambda engine: engine.pause(_ID),),
    "unpause": (lambda engine: engine.unpause(_ID),),
    "commit": (
        lambda engine: engine.commit(_ID, _LABELS),
        lambda engine: engine.commit(_ID, {**_WAS, **_LABELS}, sorted(FOREIGN_LABELS)),
    ),
    "inspect_image": (
        lambda engine: engine.image(_IMAGE),
        *(lambda engine, name=name: engine.image(name) for name in _REFERENCES),
    ),
    "tag": tuple(lambda engine, name=name: engine.tag(_IMAGE, name) for name in _REFERENCES),
    "remove_image": (lambda engine: engine.remove_image(_IMAGE),),
}


@pytest.fixture
def behind(engine: DockerEngine) -> Iterator[DockerProxy]:
    """Write down what arrives at the engine."""
    with DockerProxy(engine.base_url) as behind:
        yield behind


def _made_by_the_code() -> set[str]:
    """Name the calls of docker-py in the code: whatever is asked of something named ``api``."""
    made = set()
    for file in Path(activities.docker.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Attribute(value=ast.Name(id="api"), attr=name):
                    made.add(name)
    return made


def _patterns() -> list[str]:
    """Read which addresses the configuration lets through, as haproxy does."""
    text = CONFIG.read_text(encoding="utf-8")
    names = dict(re.findall(r'^    setenv (\w+) "(.*)"$', text, re.MULTILINE))
    found = re.findall(r"^    acl \w+ url -m (str|reg) (.+)$", text, re.MULTILINE)
    patterns = []
    for kind, written in found:
        pattern = re.escape(written) if kind == "str" else written.strip('"')
        while gap := re.search(r"\$\{(\w+)\}", pattern):
            pattern = pattern.replace(gap[0], names[gap[1]])
        patterns.append(pattern.replace("\\\\", "\\").replace("\\$", "$"))
    return patterns


def test_every_call_of_the_code_is_let_through(behind: DockerProxy) -> None:
    """And no pattern is there for nothing."""
    assert set(_CALLS) == _made_by_the_code()
    with SocketProxy(behind.base_url) as proxy:
        engine = Engine(base_url=proxy.base_url, host=HOST, protection=Protection())
        for calls in _CALLS.values():
            for call in calls:
                before = len(behind.passed(""))
                with suppress(ApplicationError):
                    call(engine)
                assert len(behind.passed("")) > before, proxy.log()
        engine.close()
        assert proxy.refused() == 0
    arrived = [exchange.line.partition(" ")[2] for exchange in behind.passed("")]
    unused = [one for one in _patterns() if not any(re.search(one, url) for url in arrived)]
    assert unused == []


def test_a_commit_may_blank_the_labels_of_the_list_alone() -> None:
    """The configuration has the same names as the code."""
    text = CONFIG.read_text(encoding="utf-8")
    groups = re.findall(r'^    setenv \w+ "([^()]*)\(([^()$]*)\)"$', text, re.MULTILINE)
    names = [prefix + name for prefix, rest in groups for name in rest.split("|")]
    assert sorted(name.replace("[.]", ".") for name in names) == sorted(FOREIGN_LABELS)


def test_the_worker_knows_the_answers_of_the_proxy() -> None:
    """What the configuration says in the engine's place is told as what it is."""
    said = re.findall(r'"message": "([^"]*)"', CONFIG.read_text(encoding="utf-8"))
    assert sorted(said) == sorted(PROXY_ANSWERS)
