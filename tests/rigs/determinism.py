"""What in the code of ``workflows/`` could make two runs of one history differ?

Temporal's sandbox watches only a few modules of that room; for the others the code is read here.
It goes by what is allowed wherever it can, so that what nobody has thought of is refused.
"""

from __future__ import annotations

import ast

_ALL = None
#: What may be imported, and which of its names; the standard library's here are harmless.
_IMPORTS: dict[str, frozenset[str] | None] = {
    "__future__": _ALL,
    "abc": _ALL,
    "asyncio": frozenset(
        {"CancelledError", "Event", "Future", "Lock", "Queue", "Task", "TaskGroup", "create_task"}
        | {"gather", "shield", "sleep", "timeout", "wait_for"}
    ),
    "collections": _ALL,
    "collections.abc": _ALL,
    "contextlib": frozenset({"asynccontextmanager", "contextmanager", "suppress"}),
    "dataclasses": _ALL,
    "datetime": _ALL,
    "difflib": frozenset({"get_close_matches"}),
    "enum": _ALL,
    "fnmatch": frozenset({"fnmatchcase"}),
    "functools": frozenset({"partial", "reduce", "total_ordering", "wraps"}),
    "hashlib": frozenset({"sha256"}),
    "hmac": frozenset({"compare_digest", "new"}),
    "inspect": frozenset({"Parameter", "signature"}),
    "itertools": _ALL,
    "json": frozenset({"JSONDecodeError", "dumps", "loads"}),
    "math": _ALL,
    "operator": _ALL,
    "re": _ALL,
    "string": _ALL,
    "types": _ALL,
    "typing": _ALL,
    # Another Python may know other characters. That changes a text, and it could change which
    # commands come only of a reason that shows nothing, which is refused behind a patch.
    "unicodedata": frozenset({"category"}),
    "urllib.parse": frozenset({"quote"}),
    "temporalio": frozenset({"activity", "converter", "workflow"}),
    "temporalio.activity": frozenset({"defn"}),
    "temporalio.common": _ALL,
    "temporalio.converter": frozenset({"value_to_type"}),
    "temporalio.exceptions": _ALL,
    "temporalio.workflow": _ALL,
}
#: Temporal's own clock, whose methods have the names of Python's.
_CLOCK = "temporalio.workflow"
_CLOCK_NAMES = frozenset(
    {"now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp", "time", "time_ns"}
)
_FORBIDDEN_ATTRIBUTES = frozenset(
    {"run_in_executor", "to_thread", "unsafe"}
    | {"__builtins__", "__dict__", "__globals__", "__setattr__"}
)
_FORBIDDEN_BUILTINS = frozenset(
    {"breakpoint", "compile", "delattr", "eval", "exec", "getattr", "globals", "hash", "id"}
    | {"input", "locals", "open", "print", "setattr", "vars", "__builtins__", "__import__"}
)
_MODULE_STATEMENTS = (
    *(ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.Assign, ast.AnnAssign),
)
_FIXED_CALLS = frozenset({"frozenset", "tuple", "datetime.timedelta", "types.MappingProxyType"})
_ORDERING_CALLS = frozenset({"dict", "enumerate", "iter", "list", "map", "tuple", "zip"})


def found_in_code(source: str) -> list[str]:
    """List what code does that depends on more than its history, each with its line."""
    tree = ast.parse(source)
    reader = _Reader(tree)
    return [f"{line}: {what}" for line, what in sorted(reader.found)]


class _Reader(ast.NodeVisitor):
    """Reads one file; ``found`` holds line and complaint."""

    def __init__(self, tree: ast.Module) -> None:
        self.found: list[tuple[int, str]] = []
        self._imported: dict[str, str] = {}
        self._sets: set[str] = set()
        self._bases: set[ast.expr] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    self._imported[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    self._imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            elif isinstance(node, ast.Attribute):
                self._bases.add(node.value)
        self._shared = {*self._imported, "cls"} | {
            node.name
            for node in tree.body
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        }
        for statement in tree.body:
            self._check_module_statement(statement)
            if isinstance(statement, ast.Assign):
                self._shared |= {t.id for t in statement.targets if isinstance(t, ast.Name)}
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                self._shared.add(statement.target.id)
        self.visit(tree)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Keep the names of its sets to the function."""
        outside = set(self._sets)
        self.generic_visit(node)
        self._sets = outside

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """As above."""
        self.visit_FunctionDef(node)

    def visit_Import(self, node: ast.Import) -> None:
        """Refuse what is not on the list."""
        for alias in node.names:
            self._check_import(node, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Refuse modules and names that are not on the list."""
        for alias in node.names:
            self._check_import(node, node.module or ".", alias.name)

    def visit_Name(self, node: ast.Name) -> None:
        """Refuse builtins, and modules under another name, where nobody sees what is called."""
        if node.id in _FORBIDDEN_BUILTINS and node.id not in self._imported:
            self._refuse(node, f"{node.id}()")
        if self._imported.get(node.id) in _IMPORTS and node not in self._bases:
            self._refuse(node, f"the module {node.id} handed on")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Refuse what is not on the list, and clocks of whatever."""
        base = self._dotted(node.value)
        allowed = _IMPORTS.get(base, _ALL)
        is_module = f"{base}.{node.attr}" in _IMPORTS
        if allowed is not _ALL and node.attr not in allowed and not is_module:
            self._refuse(node, f"{base}.{node.attr}")
        self._check_attribute(node, base, node.attr)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        """Refuse it: it changes what all requests share."""
        self._refuse(node, f"global {', '.join(node.names)}")

    def visit_arguments(self, node: ast.arguments) -> None:
        """Refuse defaults that can change."""
        for default in (*node.defaults, *node.kw_defaults):
            if default is not None and not self._is_constant(default):
                self._refuse(default, f"default {ast.unparse(default)} can change")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Refuse a change of what is shared; remember names of sets."""
        for target in node.targets:
            self._remember(target, node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """As above."""
        self._remember(node.target, node.value)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """As above."""
        self._remember(node.target, node.value)
        self.generic_visit(node)

    def visit_Delete(self, node: ast.Delete) -> None:
        """As above."""
        for target in node.targets:
            self._remember(target, None)

    def visit_For(self, node: ast.For) -> None:
        """Refuse a set, whose order differs from process to process."""
        self._check_order(node.iter)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """As above."""
        self._check_order(node.iter)
        self.generic_visit(node)

    def visit_Starred(self, node: ast.Starred) -> None:
        """As above."""
        self._check_order(node.value)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """As above, where a call makes an order of what it is given."""
        is_join = isinstance(node.func, ast.Attribute) and node.func.attr in {"join", "fromkeys"}
        if is_join or self._dotted(node.func) in _ORDERING_CALLS:
            for argument in node.args:
                self._check_order(argument)
        self.generic_visit(node)

    def _check_import(self, node: ast.stmt, module: str, name: str = "") -> None:
        if module.partition(".")[0] == "workflows":
            if "sandbox" in (name, module.rpartition(".")[2]):
                self._refuse(node, "import of workflows.sandbox, which is the worker's")
            return
        allowed = _IMPORTS.get(module, frozenset())
        is_allowed = allowed is _ALL or not name or name in allowed
        if module not in _IMPORTS or not is_allowed or name == "*":
            self._refuse(node, f"import of {module} {name}".rstrip())
        self._check_attribute(node, module, name)

    def _check_attribute(self, node: ast.AST, base: str, name: str) -> None:
        if name in _FORBIDDEN_ATTRIBUTES or (name in _CLOCK_NAMES and base != _CLOCK):
            self._refuse(node, f"{base or '…'}.{name}")

    def _check_module_statement(self, node: ast.stmt) -> None:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not (is_text or is_for_types or isinstance(node, _MODULE_STATEMENTS)):
            self._refuse(node, "a statement that runs on import")

    def _check_order(self, node: ast.expr) -> None:
        if self._is_set(node):
            self._refuse(node, f"the order of {ast.unparse(node)}")

    def _remember(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name) and value is not None and self._is_set(value):
            self._sets.add(target.id)
        root = target
        while isinstance(root, (ast.Attribute, ast.Subscript)):
            is_class = isinstance(root, ast.Attribute) and root.attr == "__class__"
            root = root.value
            is_class = is_class or (
                isinstance(root, ast.Call) and self._dotted(root.func) == "type"
            )
            is_shared = isinstance(root, ast.Name) and root.id in self._shared
            if is_class or is_shared:
                self._refuse(target, f"change of {ast.unparse(target)}")

    def _is_set(self, node: ast.expr) -> bool:
        if isinstance(node, ast.BinOp):
            return self._is_set(node.left)
        if isinstance(node, ast.Call):
            is_method = isinstance(node.func, ast.Attribute) and self._is_set(node.func.value)
            return is_method or self._dotted(node.func) in {"set", "frozenset"}
        is_named = isinstance(node, ast.Name) and node.id in self._sets
        return is_named or isinstance(node, (ast.Set, ast.SetComp))

    def _is_constant(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Tuple):
            return all(map(self._is_constant, node.elts))
        if isinstance(node, ast.UnaryOp):
            return self._is_constant(node.operand)
        if isinstance(node, ast.Call):
            return self._dotted(node.func) in _FIXED_CALLS
        return isinstance(node, (ast.Constant, ast.Name, ast.Attribute))

    def _dotted(self, node: ast.expr) -> str:
        """Spell a name with the module that it comes from; empty for what is no name."""
        if isinstance(node, ast.Attribute):
            base = self._dotted(node.value)
            return f"{base}.{node.attr}" if base else ""
        if isinstance(node, ast.Name):
            return self._imported.get(node.id, node.id)
        return ""

    def _refuse(self, node: ast.AST, what: str) -> None:
        self.found.append((getattr(node, "lineno", 0), what))
