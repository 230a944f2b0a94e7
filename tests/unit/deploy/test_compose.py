"""Does the compose file give each service what it needs, and nothing more?

It is read by its own lines; ``tests/image`` has Compose read it, and runs it.
"""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path

from bot.settings import Settings
from deploy.laptop.temporal_server import AS_INSTALLED
from tests.rigs import compose_file
from workflows.model.names import PROTECTED_LABEL, SEARCH_ATTRIBUTES

_DEPLOY = Path(__file__).parents[3] / "deploy"
_ONCE = {"schema", "namespace", "search-attributes"}
_OURS = {"bot", "control-worker", "docker-worker", "check"}
#: What only those see who ask for it.
_BESIDE = {"ui", "prometheus", "gate"}


def _beginning(name: str) -> str:
    """Give the lines that services share by this name."""
    return compose_file.text().partition(f"\nx-{name}: &{name}\n")[2].partition("\n\n")[0]


def _body(service: str) -> str:
    """Give the lines of a service, with those that it shares."""
    body = compose_file.services()[service]
    for name in ("once", "dockwarden"):
        if f"<<: *{name}\n" in body:
            body = _beginning(name) + body
    return _beginning("confined") + body if "<<: *confined\n" in body else body


def _networks(service: str) -> set[str]:
    """Name the networks of a service; its own stand behind those of the beginning."""
    body = _body(service)
    if in_lines := re.search(r"^    networks:\n((?:      .*\n)*)", body, re.M):
        return set(re.findall(r"^      ([a-z]+):", in_lines[1], re.M))
    return set(re.findall(r"networks: \[(.*)\]", body)[-1].split(", "))


def test_the_search_attributes_are_those_of_the_workflows() -> None:
    """Temporal gets each search attribute that the workflows set."""
    script = (_DEPLOY / "temporal" / "search-attributes.sh").read_text(encoding="utf-8")
    made = re.search(r'^attributes="(.*)"$', script, re.M)
    assert made
    assert made[1].split() == [key.name for key in SEARCH_ATTRIBUTES]


def test_the_docker_worker_has_no_slack_token_and_no_other_has_the_engine() -> None:
    """Each service of the compose file gets only what it needs."""
    services = compose_file.services()
    assert "SLACK" not in services["docker-worker"]
    with_engine = {name for name in services if "engine" in _networks(name)}
    assert with_engine == {"docker-worker", "socket-proxy"}
    # Who counts what the proxy refuses meets it in a network where it takes no calls.
    proxy = services["socket-proxy"]
    assert _networks("socket-proxy") & _networks("prometheus") == {"metrics"}
    assert "      engine:\n        aliases: [engine-gate]\n" in proxy
    assert "PROXY_BIND: engine-gate:2375\n" in proxy
    with_socket = {name for name, body in services.items() if "docker.sock" in body}
    assert with_socket == {"socket-proxy"}
    with_password = {name for name in services if "POSTGRES_PASSWORD" in _body(name)}
    assert with_password == {"postgres", "schema", "temporal"}


def test_no_request_can_stop_dockwarden_itself() -> None:
    """Every lasting service of the compose file is protected from requests."""
    assert f'\nx-protected: &protected\n  {PROTECTED_LABEL}: "true"\n' in compose_file.text()
    bare = {name for name in compose_file.services() if "*protected" not in _body(name)}
    assert bare == _ONCE


def test_nothing_can_do_what_it_need_not() -> None:
    """No capability, no way to gain one; ours write nowhere. PostgreSQL gives its files away."""
    services = set(compose_file.services())
    assert {n for n in services if "security_opt: [no-new-privileges]" in _body(n)} == services
    assert {n for n in services if "cap_drop: [ALL]" not in _body(n)} == {"postgres"}
    assert {n for n in services if "read_only: true" in _body(n)} >= _OURS


def test_no_log_fills_the_disk() -> None:
    """Each service keeps a few files of ten megabytes."""
    assert "max-size: 10m" in _beginning("logging")
    services = set(compose_file.services())
    assert {n for n in services if "logging: *logging" not in _body(n)} == set()


def test_only_temporal_reaches_the_database() -> None:
    """Whoever owns the bot or a worker cannot even try the database's password."""
    networks = {name: _networks(name) for name in compose_file.services()}
    with_database = {name for name, theirs in networks.items() if "database" in theirs}
    assert with_database == {"postgres", "schema", "temporal"}
    assert networks["postgres"] == networks["schema"] == {"database"}
    with_temporal = {name for name, theirs in networks.items() if "temporal" in theirs}
    assert with_temporal == set(networks) - {"postgres", "schema", "socket-proxy"}


def test_only_who_calls_slack_has_a_way_out() -> None:
    """All networks but one have no way to anywhere else; what has a port has it here only."""
    section = compose_file.text().rpartition("\nnetworks:\n")[2]
    networks = dict(re.findall(r"^  ([a-z]+):\n((?:    .*\n)*)", section, re.M))
    assert {name for name, body in networks.items() if "internal: true" not in body} == {"outside"}
    services = compose_file.services()
    assert set(networks) == set().union(*map(_networks, services))
    out = {name for name in services if "outside" in _networks(name)}
    assert out == {"bot", "control-worker", "check"} | _BESIDE
    ports = re.findall(r"ports: \[(.*)\]", compose_file.text())
    assert len(ports) == len(_BESIDE)
    assert sum(one.startswith('"127.0.0.1:') for one in ports) == len(ports) - 1
    # The gate opens it, to who has a certificate, once somebody says at which address.
    assert '"${GATE_ADDRESS:-127.0.0.1}:7233:7233"' in ports
    assert {n for n in services if "profiles: " in _body(n)} == _BESIDE | {"check"}


def test_temporals_own_command_looks_up_no_name() -> None:
    """In a network without a way out its look-up of names hangs: it gets an address past that.

    Dockwarden itself looks up names in another way, and does not know the prefix.
    """
    given = {n: re.findall(r"TEMPORAL_ADDRESS: (.*)", _body(n)) for n in _ONCE - {"schema"}}
    assert set(map(tuple, given.values())) == {("passthrough:///temporal:7233",)}
    assert "TEMPORAL_ADDRESS: temporal:7233\n" in _beginning("temporal")
    assert {n for n, body in compose_file.services().items() if "<<: *once\n" in body} == _ONCE


def test_temporal_listens_in_both_of_its_networks() -> None:
    """Left alone its image listens on the first address only that it finds for itself."""
    temporal = compose_file.services()["temporal"]
    assert _networks("temporal") == {"database", "temporal"}
    assert "BIND_ON_IP: 0.0.0.0\n" in temporal
    assert "TEMPORAL_BROADCAST_ADDRESS: 127.0.0.1\n" in temporal
    # Its image brings no such file, and does not start without one.
    there = re.search(r"- \./(\S+):(\S+):ro\n", temporal)
    assert there
    assert (_DEPLOY / there[1]).is_file()
    assert f"DYNAMIC_CONFIG_FILE_PATH: {there[2]}\n" in temporal


def test_the_laptop_and_the_tests_have_the_settings_of_an_installation() -> None:
    """What Temporal reads while it runs is the same in all: what works here works there."""
    dynamic = (_DEPLOY / "temporal" / "dynamic.yaml").read_text(encoding="utf-8")
    told = re.findall(r"^([\w.]+):\n  - value: (\d+)$", dynamic, re.M)
    assert dict(told) == {name: str(value) for name, value in AS_INSTALLED.items()}


def test_each_begins_when_what_it_needs_is_there() -> None:
    """First the tables, then Temporal, the namespace, the search attributes, and then ours.

    Compose stops them the other way round: the docker worker before the proxy, through which it
    finishes a stop.
    """
    waits = {
        name: dict(re.findall(r"      ([a-z-]+):\n +condition: service_(\w+)", _body(name)))
        for name in compose_file.services()
    }
    done = "completed_successfully"
    assert waits["schema"] == {"postgres": "healthy"}
    assert waits["temporal"] == {"schema": done}
    assert waits["namespace"] == {"temporal": "healthy"}
    assert waits["search-attributes"] == {"namespace": done}
    ours = {"temporal": "healthy", "namespace": done, "search-attributes": done}
    shared = re.findall(r"    ([a-z-]+):\n +condition: service_(\w+)", _beginning("dockwarden"))
    assert dict(shared) == ours
    assert "<<: *served\n" in compose_file.services()["docker-worker"]
    assert "socket-proxy" in waits["docker-worker"]


def test_nothing_is_killed_at_its_work() -> None:
    """A worker may finish for as long as its setting says, and Compose waits for it."""
    longest = timedelta(seconds=Settings.model_fields["shutdown_seconds"].default)
    for worker in ("control-worker", "docker-worker"):
        given = re.search(r"stop_grace_period: (\d+)m\n", _body(worker))
        assert given
        assert timedelta(minutes=int(given[1])) > longest + timedelta(seconds=15)
    without = {n for n in compose_file.services() if "stop_grace_period" not in _body(n)}
    assert without <= _ONCE | _BESIDE | {"check"}


def test_requests_are_kept_for_a_month() -> None:
    """Temporal's own day would end the lists, the status and Request again."""
    assert "RETENTION: ${TEMPORAL_RETENTION:-30d}\n" in compose_file.services()["namespace"]


def test_each_image_can_be_replaced() -> None:
    """By another tag, a digest or a mirror; server and tools are of one release."""
    images = re.findall(r"^\s+image: (.*)$", compose_file.text(), re.M)
    assert [one for one in images if not one.startswith("${")] == []
    given = dict(re.findall(r"\$\{(\w+):-(\S+)\}", "\n".join(images)))
    server, tools = given["TEMPORAL_IMAGE"], given["TEMPORAL_TOOLS_IMAGE"]
    assert server.partition(":")[2] == tools.partition(":")[2]


def test_a_further_machine_has_its_worker_and_the_proxy_alone() -> None:
    """No Slack token, no way to the engine but the proxy, no port; all else as on the first one."""
    further = compose_file.services(compose_file.FURTHER)
    text = compose_file.text(compose_file.FURTHER)
    assert set(further) == {"docker-worker", "socket-proxy"}
    assert re.findall("SLACK|ports:|POSTGRES", text) == []
    assert "networks: [engine, outside]" in further["docker-worker"]
    assert "networks: [engine]" in further["socket-proxy"]
    assert text.endswith("networks:\n  outside:\n  engine:\n    internal: true\n")
    for shared in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges", "max-size: 10m"):
        assert shared in text.partition("\nservices:\n")[0]
    assert f'{PROTECTED_LABEL}: "true"' in text.partition("\nservices:\n")[0]
    lines = re.compile(r"^ +(?:image: |user: |stop_grace_period: |test: |- ).*$", re.M)
    for name, body in further.items():
        assert "<<: *confined\n" in body
        told = _body(name).replace("engine-gate:2375", "127.0.0.1:2375")
        assert [line for line in lines.findall(body) if line.strip() not in told] == []
    ours = compose_file.environment("docker-worker", compose_file.FURTHER)
    there = compose_file.environment("docker-worker")
    assert there.items() <= ours.items()
    asked = set(re.findall(r"\$\{(\w+):\?", text))
    assert asked == {"DOCKWARDEN_HOST", "TEMPORAL_ADDRESS", "DOCKER_GID"}


def test_the_image_says_which_release_it_is() -> None:
    """Its label has the version of the project, if nobody says another one."""
    project = tomllib.loads((_DEPLOY.parent / "pyproject.toml").read_text(encoding="utf-8"))
    dockerfile = (_DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert f"\nARG VERSION={project['project']['version']}\n" in dockerfile
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.M)) == {"${BASE_IMAGE}"}
