"""What does the policy book accept, and which of its policies could apply?"""

from __future__ import annotations

from pathlib import Path

import pytest

from activities.policies import book as policies
from activities.policies.book import PolicyBookError
from workflows.model.requests import Policy
from workflows.operations import catalog
from workflows.operations.operation import Operation

EXAMPLE = Path(__file__).parents[4] / "deploy" / "policies.example.toml"


def _book(*tables: str) -> policies.PolicyBook:
    return policies.parse("\n".join(f"[[policy]]\n{table}" for table in tables))


def test_the_example_book_is_right() -> None:
    """The book that is offered for copying can be loaded."""
    book = policies.load(EXAMPLE)

    assert [policy.required_approvals for policy in book.policies] == [2, 2, 1, 1]
    assert book.uses_groups
    assert policies.uncovered(book) == ()
    assert policies.overtaken(book) == {}


def test_every_field_is_read() -> None:
    """All fields of a policy arrive as they were written."""
    book = _book(
        """
        name = "edge"
        operations = ["stop"]
        hosts = ["edge-*"]
        containers = ["web-?"]
        labels = { tier = "edge" }
        requesters = ["S0DEV", "U0ALICE"]
        approvers = ["U0BOB", "S0LEADS", "W0CAROL", "U0BOB"]
        approver_groups = ["S0OPS", "S0LEADS"]
        required_approvals = 2
        expires_after = "1h30m"
        reason_required = true
        references = ["team/*"]
        terminal_decides = true
        """
    )

    assert book.policies == (
        Policy(
            name="edge",
            operations=("stop",),
            hosts=("edge-*",),
            containers=("web-?",),
            labels={"tier": "edge"},
            approvers=("U0BOB", "W0CAROL"),
            approver_groups=("S0LEADS", "S0OPS"),
            required_approvals=2,
            expires_after_seconds=5400,
            reason_required=True,
            requesters=("U0ALICE",),
            requester_groups=("S0DEV",),
            references=("team/*",),
            terminal_decides=True,
        ),
    )


def test_what_is_left_out_has_defaults() -> None:
    """One approval within fifteen minutes, for everything, without a reason."""
    book = _book('name = "all"\napprovers = ["U0BOB"]')

    policy = book.policies[0]
    assert (policy.operations, policy.hosts, policy.containers) == ((), (), ())
    assert policy.required_approvals == 1
    assert policy.expires_after_seconds == 900
    assert not policy.reason_required
    assert not policy.terminal_decides
    assert (policy.requesters, policy.requester_groups, policy.references) == ((), (), ())


_WEB = 'name = "web"\napprovers = ["U0BOB"]\n'


@pytest.mark.parametrize(
    ("table", "says"),
    [
        # an unknown key is named with its policy and the one that was meant
        (
            'name = "web"\naprovers = ["U0BOB"]',
            'policy 1 ("web"): unknown key "aprovers"; did you mean "approvers"?',
        ),
        (
            'name = "web"\ncolour = "red"\napprovers = ["U0BOB"]',
            'policy 1 ("web"): unknown key "colour"; possible: name, ',
        ),
        # nobody could decide
        ('name = "web"', 'policy 1 ("web"): nobody could decide'),
        ('name = "web"\napprovers = []', "nobody could decide"),
        ('name = "web"\napprover_groups = []', "nobody could decide"),
        # more approvals than people, also when somebody is named twice
        (_WEB + "required_approvals = 2", "required_approvals is 2"),
        (
            'name = "web"\napprovers = ["U0BOB", "U0BOB"]\nrequired_approvals = 2',
            "approvers names 1 only",
        ),
        (_WEB + "required_approvals = 0", "required_approvals: "),
        # wrong types are not guessed at
        (_WEB + 'required_approvals = "1"', "required_approvals: "),
        (_WEB + "required_approvals = true", "required_approvals: "),
        ('name = "web"\napprovers = "U0BOB"', "approvers: "),
        (_WEB + 'reason_required = "yes"', "reason_required: "),
        (_WEB + "terminal_decides = 1", "terminal_decides: takes true or false"),
        (_WEB + "labels = { a = 1 }", "labels: "),
        # ids that are none
        ('name = "web"\napprovers = ["@bob"]', '"@bob" is the id of no Slack user, like'),
        ('name = "web"\napprover_groups = ["U0BOB"]', "is the id of no Slack user group"),
        (_WEB + 'requesters = ["devs"]', '"devs" is the id of no Slack user, like'),
        # ids so long that whoever has them is found nowhere, and could never decide
        (f'name = "web"\napprovers = ["U{31 * "0"}"]', "is the id of no Slack user, like"),
        (f'name = "web"\napprover_groups = ["S{31 * "0"}"]', "is the id of no Slack user group"),
        # nobody could ask, or nobody who may ask could get an approval
        (_WEB + "requesters = []", "requesters: takes a list of ids"),
        (_WEB + 'requesters = ["U0BOB"]', "whoever may ask could get no approval"),
        # no name may be given to a snapshot
        (_WEB + "references = []", "references: takes a list of names"),
        # patterns that cover nothing, so that a weaker rule would hold
        (_WEB + 'containers = ["/db-*"]', '"/db-*" covers nothing'),
        (_WEB + 'containers = ["db-[0-9"]', "covers nothing"),
        (_WEB + 'hosts = ["Edge"]', '"Edge" covers nothing'),
        (_WEB + 'references = ["team web"]', "covers nothing"),
        # operations that are not there
        (
            _WEB + 'operations = ["kill"]',
            'no operation "kill"; possible: stop, snapshot, start, restart, or "*" for every one',
        ),
        (
            _WEB + 'operations = "stop"',
            (
                'takes a list of operations, like ["stop"], or ["*"] for every one; possible: '
                "stop, snapshot, start, restart; left out, stop and snapshot"
            ),
        ),
        (_WEB + "operations = []", "operations: "),
        (_WEB + 'hosts = [""]', "hosts: "),
        # times that are none
        (_WEB + 'expires_after = "soon"', "expires_after: takes a time"),
        (_WEB + 'expires_after = ""', "expires_after: takes a time"),
        (_WEB + 'expires_after = "0s"', "expires_after: takes a time"),
        (_WEB + 'expires_after = "31d"', "expires_after: takes a time"),
        (_WEB + "expires_after = 15", "expires_after: "),
        # a policy without a name is called by its number
        ('approvers = ["U0BOB"]', "policy 1: name is missing"),
        ('name = " "\napprovers = ["U0BOB"]', "name: "),
    ],
)
def test_a_bad_policy_is_refused(table: str, says: str) -> None:
    """A policy that cannot be meant so refuses the start, by its name and key."""
    with pytest.raises(PolicyBookError) as refused:
        _book(table)

    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        # an empty book would refuse everything in silence
        ("", "holds no policy"),
        ("policy = []", "holds no policy"),
        # a key beside the tables, such as a table with a wrong name
        ('[[policies]]\nname = "web"', 'unknown key "policies"; did you mean "policy"?'),
        # no TOML at all
        ("[[policy]\nname", "is not TOML"),
        # a table instead of a list of tables
        ('[policy]\nname = "web"', "under a line [[policy]]"),
        ('policy = ["web"]', "under a line [[policy]]"),
        # two policies of one name
        (
            2 * '[[policy]]\nname = "a"\napprovers = ["U0B"]\n',
            'the name "a" is used twice',
        ),
    ],
)
def test_a_bad_book_is_refused(text: str, says: str) -> None:
    """A book that is none refuses the start and says why."""
    with pytest.raises(PolicyBookError, match=r"book\.toml") as refused:
        policies.parse(text, name="book.toml")

    assert says in str(refused.value)


_WRONG = ("1", "true", '"x"', "[1]", '[""]', "{ a = 1 }", "[[]]", "1979-05-27", "1.5")


@pytest.mark.parametrize("key", policies._TAKES)
@pytest.mark.parametrize("value", _WRONG)
def test_what_a_key_takes_is_told_in_our_own_words(key: str, value: str) -> None:
    """Whatever stands there instead, no words of a library come through, and an example does."""
    table = "\n".join(line for line in _WEB.splitlines() if not line.startswith(key))
    try:
        _book(f"{table}\n{key} = {value}")
    except PolicyBookError as error:
        said = str(error)
        assert "policy 1" in said
        assert key in said
        assert not any(word in said for word in ("Input", "should", "valid", "type=", "pydantic"))


@pytest.mark.parametrize("pattern", ["db-[0-9]", "db-[!a]?", "*", "DB_1.x"])
def test_patterns_mean_what_they_meant(pattern: str) -> None:
    """What covers something goes on to be taken, classes of characters too."""
    book = _book(f'name = "a"\ncontainers = ["{pattern}"]\napprovers = ["U0B"]')

    assert book.policies[0].containers == (pattern,)


def test_an_old_book_means_what_it_meant() -> None:
    """Without the new keys every full member asks, and a snapshot may have any name."""
    (policy,) = _book('name = "a"\napprovers = ["U0B"]\napprover_groups = ["S0OPS"]').policies

    assert policy == Policy(name="a", labels={}, approvers=("U0B",), approver_groups=("S0OPS",))


@pytest.mark.parametrize("operation", catalog.OPERATIONS, ids=lambda one: one.kind)
def test_an_old_book_allows_no_new_operation(operation: Operation) -> None:
    """A policy without operations covers what it has always covered; "*" covers all of them."""
    old = _book('name = "a"\napprovers = ["U0B"]')
    every = _book('name = "a"\noperations = ["*"]\napprovers = ["U0B"]')
    named = _book(f'name = "a"\noperations = ["{operation.kind}"]\napprovers = ["U0B"]')

    covered = bool(policies.matching(old, operation.kind, "local", "web-1"))
    assert covered == (operation.kind in ("stop", "snapshot"))
    assert policies.matching(every, operation.kind, "local", "web-1") == every.policies
    assert policies.matching(named, operation.kind, "local", "web-1") == named.policies


def test_what_no_policy_covers_is_known() -> None:
    """Who runs it can see which operations nobody can ask for."""
    assert policies.uncovered(_book(_MANY[2])) == ("start", "restart")
    new = 'name = "ups"\noperations = ["start"]\nhosts = ["edge"]\napprovers = ["U0B"]'
    assert policies.uncovered(_book(_MANY[2], new)) == ("restart",)
    assert policies.uncovered(_book('name = "a"\noperations = ["*"]\napprovers = ["U0B"]')) == ()


def test_a_strict_rule_that_a_weaker_one_overtakes_is_known() -> None:
    """A rule that names no operations guards nothing against what is new."""
    strict = 'name = "db"\ncontainers = ["db-*"]\nrequired_approvals = 2\napprovers = ["S0A"]'
    weak = 'name = "rest"\noperations = ["stop", "start"]\napprovers = ["U0B"]'

    assert policies.overtaken(_book(strict, weak)) == {"db": ("start",)}
    assert policies.overtaken(_book(weak, strict)) == {}
    assert policies.overtaken(_book(strict + '\noperations = ["*"]', weak)) == {}
    assert policies.overtaken(_book(strict, 'name = "a"\napprovers = ["U0B"]')) == {}


def test_all_problems_are_told_at_once() -> None:
    """Each problem of each policy gets its line."""
    with pytest.raises(PolicyBookError) as refused:
        _book('name = "a"\nhots = ["x"]\napprovers = ["U0B"]', 'name = "b"\napprovers = ["bob"]')

    assert [line.split(": ")[1] for line in str(refused.value).splitlines()] == [
        'policy 1 ("a")',
        'policy 2 ("b")',
    ]


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    """A book that is not there is explained."""
    with pytest.raises(PolicyBookError, match="DOCKWARDEN_POLICIES"):
        policies.load(tmp_path / "none.toml")


_MANY = (
    'name = "stops"\noperations = ["stop"]\nlabels = { a = "1" }\napprovers = ["U0B"]',
    'name = "edge"\nhosts = ["edge-*"]\nlabels = { b = "1" }\napprovers = ["U0B"]',
    'name = "web"\ncontainers = ["web-*", "Front"]\napprovers = ["U0B"]',
    'name = "rest"\nhosts = ["local"]\napprovers = ["U0B"]',
)


@pytest.mark.parametrize(
    ("operation", "host", "container", "names"),
    [
        # in the book's order; behind the first without labels nothing can apply
        ("stop", "edge-1", "web-1", ["stops", "edge", "web"]),
        ("snapshot", "edge-1", "web-1", ["edge", "web"]),
        ("snapshot", "local", "web-1", ["web"]),
        ("stop", "local", "db", ["stops", "rest"]),
        # container names are case-sensitive
        ("snapshot", "local", "Front", ["web"]),
        ("snapshot", "local", "front", ["rest"]),
        ("snapshot", "local", "WEB-1", ["rest"]),
        # a glob covers the whole name
        ("snapshot", "local", "my-web-1", ["rest"]),
        # nothing covers it
        ("snapshot", "other", "db", []),
    ],
)
def test_the_policies_that_could_apply(
    operation: str, host: str, container: str, names: list[str]
) -> None:
    """A request carries the policies that could apply to it, in order, and no more."""
    chosen = policies.matching(_book(*_MANY), operation, host, container)

    assert [policy.name for policy in chosen] == names


_BOTH = (
    'name = "old"\napprovers = ["U0B"]',
    'name = "marked"\noperations = ["restart"]\nlabels = { a = "1" }\napprovers = ["U0B"]',
    'name = "ups"\noperations = ["start"]\ncontainers = ["web-*"]\napprovers = ["U0B"]',
    'name = "restarts"\noperations = ["restart"]\napprovers = ["U0B"]',
    'name = "all"\noperations = ["*"]\napprovers = ["U0B"]',
)


@pytest.mark.parametrize(
    ("operation", "container", "names"),
    [
        # a stopped container is started: the policies for that go along, in the book's order
        ("restart", "web-1", ["marked", "ups", "restarts"]),
        # the one without labels that ends the search for restarts ends none for starts
        ("restart", "db", ["marked", "restarts", "all"]),
        # a start is never a restart
        ("start", "web-1", ["ups"]),
        ("start", "db", ["all"]),
        ("stop", "web-1", ["old"]),
    ],
)
def test_a_restart_brings_the_policies_for_a_start_along(
    operation: str, container: str, names: list[str]
) -> None:
    """As what it is asked for is known only once the container was seen."""
    chosen = policies.matching(_book(*_BOTH), operation, "local", container)

    assert [policy.name for policy in chosen] == names


def test_the_hash_follows_the_content() -> None:
    """The audit can tell two books apart."""
    first = _book('name = "a"\napprovers = ["U0B"]')
    second = _book('name = "a"\napprovers = ["U0C"]')

    assert len(first.hash) == 12
    assert first.hash != second.hash
