import ast
import enum
import importlib
import inspect
import json
import pkgutil
import re
import subprocess
import sys
import unittest
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asynctest_tornado
from asynctest_tornado._util.private_names import LOCALS, PRIVATE, Private
from tests.support import run_python

PACKAGE = Path(asynctest_tornado.__file__).parent
_MODULES = sorted(PACKAGE.rglob("*.py"))

#: Documented, in spite of their names.
_DOCUMENTED = {"_current_frames", "_exit", "_getframe", "_replace"}
#: Modules, packages and words of ours.
_NO_ATTRIBUTES = {"_", "_py_warnings", "_pydevd_bundle", "_pytest", "_thread", "_warnings"}
#: Attributes of classes without a line that sets them.
_MADE_BY_TYPING = ("_abc", "_is_protocol", "_is_runtime_protocol", "_non_callable_proto_members")
#: Packages that need not be installed.
_OPTIONAL = ("_pytest", "hypothesis", "pluggy", "pytest_asyncio", "tornado.curl_httpclient")


def _is_here(row: Private) -> bool:
    return row.since <= sys.version_info[:2] < row.until


def _owner(row: Private) -> Any:
    """Return the module or class of a row."""
    try:
        return pkgutil.resolve_name(row.owner)
    except ImportError:
        if row.owner.startswith(_OPTIONAL):
            return None
        raise


def _sources(owner: Any) -> Iterator[str]:
    classes = inspect.getmro(owner) if isinstance(owner, type) else [owner]
    for each in classes:
        if getattr(each, "__module__", None) != "builtins":
            try:
                yield inspect.getsource(each)
            except (OSError, TypeError):
                continue  # written in C


def _has(owner: Any, name: str) -> bool:
    """Return whether a module or class has a name, or sets it on its instances."""
    plain = re.sub(r"^_[A-Za-z]+(?=__)", "", name)
    return hasattr(owner, name) or any(re.search(rf"(?<!\w){plain}(?!\w)", source) for source in _sources(owner))


class TestEachRow(unittest.TestCase):
    def test_is_there_in_the_installed_versions(self) -> None:
        for row in PRIVATE:
            owner = _owner(row) if _is_here(row) else None
            if owner is not None:
                with self.subTest(f"{row.owner} has no {row.name} any more"):
                    self.assertTrue(_has(owner, row.name), row)

    def test_stands_there_once(self) -> None:
        found = [(row.owner, row.name) for row in PRIVATE]
        self.assertEqual(len(set(found)), len(found))


def _words(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Return the private names that a module looks up on something, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.value, node.lineno


def _own(tree: ast.AST) -> Iterator[str]:
    """Return the names that a module defines: they are its own, unless they override a name of a base class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                yield node.attr
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).rpartition(".")[2]
        elif (
            isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__slots__"
        ):
            yield from (str(each.value) for each in ast.walk(node.value) if isinstance(each, ast.Constant))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and not name.startswith("_asynctest")


def foreign(source: str) -> list[tuple[str, int]]:
    """Return the private names of others in a module, with their lines."""
    tree = ast.parse(source)
    own = {*_own(tree), *_DOCUMENTED, *_NO_ATTRIBUTES}
    overridden = {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "super()"
    }
    return [(name, line) for name, line in _words(tree) if _is_private(name) and name not in own - overridden]


#: Names of public classes of this library, for its other rooms.
_OF_PUBLIC_CLASSES = {
    *("_open_site", "_app"),  # AsyncHTTPTestCase
    *("_failures", "_reason_of_server", "_sent_cookies"),  # Response
    *("_describe", "_leave"),  # StreamedResponse
    *("_end", "_let_go"),  # WebSocket
    *("_drop_targets", "_move"),  # VirtualClock
    *("_defer", "_log_deferred"),  # ServerError
    *("_attach", "_detach", "_faults"),  # VirtualNetwork
    *("_host_name", "_lasting", "_next", "_own_context", "_refusal", "_table", "_where"),  # ServedHost and Link
    *("_check_name", "_has", "_has_refused", "_record_stop", "_set", "_usable"),  # these two, and a connection
    *("_hosts", "_is_closed", "_open_host", "_reached", "_server_options"),  # Network
    *("_listens_on", "_place", "_start", "_stop", "_wait_closed"),  # ServedHost
}


class TestTheTable(unittest.TestCase):
    def test_has_each_private_name_of_others_in_the_source(self) -> None:
        listed = {row.name for row in PRIVATE}
        rooms = {part for path in _MODULES for part in (path.stem, path.parent.name)}
        for path in _MODULES:
            for name, line in foreign(path.read_text(encoding="utf-8")):
                # The doors name rooms, and the plugin of pytest names the plugins that it registers.
                is_room = path.stem in ("__init__", "pytest_plugin") and name in {
                    *rooms,
                    "_inner",
                    "_prefixed",
                    "_wanted",
                    "_fixtures",
                }
                if path.stem != "private_names" and not is_room and name not in _OF_PUBLIC_CLASSES:
                    with self.subTest(f"{path.name}:{line}"):
                        self.assertIn(name, listed)

    def test_names_nothing_that_the_source_does_not_use(self) -> None:
        sources = "\n".join(path.read_text(encoding="utf-8") for path in _MODULES if path.stem != "private_names")
        used = set(re.findall(r"\w+", sources))
        self.assertEqual([], [row for row in PRIVATE if row.name not in used])

    def test_has_what_our_classes_override(self) -> None:
        listed = {row.name for row in PRIVATE}
        for path in _MODULES:
            name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
            if path.stem in ("__main__", "replace"):
                continue  # they act as they are imported, and have no classes
            for cls in filter(inspect.isclass, vars(importlib.import_module(name)).values()):
                if cls.__module__ != name or issubclass(cls, enum.Enum):
                    continue
                others = [base for base in cls.__mro__[1:] if not base.__module__.startswith("asynctest_tornado")]
                for own in filter(_is_private, vars(cls)):
                    is_overridden = any(own in vars(base) for base in others)
                    if is_overridden and not own.startswith(_MADE_BY_TYPING):
                        with self.subTest(cls=cls):
                            self.assertIn(own, listed)

    def test_a_new_one_is_found(self) -> None:
        self.assertEqual([("_new", 2)], foreign("import asyncio\nasyncio.run(main)._new\n"))
        self.assertEqual([("_new", 1)], foreign("getattr(loop, '_new', None)"))
        self.assertEqual([], foreign("class C:\n    def _new(self):\n        self._old = self._new()"))


#: Attributes and functions that lead to local variables of functions.
_WAYS = {"f_locals", "co_freevars", "co_cellvars", "cell_contents", "getargvalues", "getclosurevars"}
#: "chain" is of functions that stand side by side. The traceback is all that leads from an error to the call that
#: raised it, and without the variable there is a KeyError. "self" is the server whose method a task of the user waits
#: in: only the frames of its coroutine lead there.
_OWN_LOCALS = {("_sources.pool_contexts", "chain"), ("_pytest.serve", "self")}


def _leads_to_locals(node: ast.AST) -> bool:
    found = (getattr(each, "attr", getattr(each, "value", None)) for each in ast.walk(node))
    names = {name for name in found if isinstance(name, str)}  # a set with bytes, too, may compare the two
    return not _WAYS.isdisjoint(names)


def _keys(node: ast.AST) -> Iterator[ast.AST]:
    """Return the expressions by which code looks up a value, or compares it."""
    if isinstance(node, ast.Subscript):
        yield node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "pop"):
        yield from node.args[:1]
    elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
        yield from (node.left, *node.comparators)
    elif isinstance(node, ast.Compare) and ast.unparse(node.left) == "name":
        yield from node.comparators


def local_variables(source: str) -> set[str]:
    """Return the names by which a module looks up local variables of functions."""
    functions = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return {
        each.value
        for function in filter(_leads_to_locals, functions)
        for node in ast.walk(function)
        for key in _keys(node)
        for each in ast.walk(key)
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.isidentifier()
        if not each.value.startswith("__")  # of a module
    }


class LocalVariablesTest(unittest.TestCase):
    def test_each_is_there_in_the_installed_versions(self) -> None:
        for row in LOCALS:
            code = inspect.unwrap(pkgutil.resolve_name(row.owner)).__code__
            with self.subTest(f"{row.owner} has no variable {row.name} any more"):
                self.assertIn(row.name, (*code.co_varnames, *code.co_cellvars))

    def test_none_is_looked_up_in_frames_of_ours(self) -> None:
        found = {
            (".".join(path.relative_to(PACKAGE).with_suffix("").parts), name)
            for path in _MODULES
            for name in local_variables(path.read_text(encoding="utf-8"))
        }
        self.assertEqual(found - _OWN_LOCALS, {(row.room, row.name) for row in LOCALS})
        self.assertEqual([], [row for row in LOCALS if row.owner.startswith("asynctest_tornado")])

    def test_a_new_one_is_found(self) -> None:
        for code in (
            "coro.cr_frame.f_locals.get('new')",
            "frame.f_locals['new']",
            "getattr(frame, 'f_locals', {}).get('new')",
            "variables = frame.f_locals; return variables['new']",
            "'new' in frame.f_locals",
            "[cell for name, cell in zip(func.__code__.co_freevars, cells) if name == 'new']",
        ):
            with self.subTest(code):
                self.assertEqual({"new"}, local_variables(f"def f(frame): {code}"))


_CLOCK = {"InVirtualTime.test_an_hour": r"TypeError: A VirtualClock cannot pass time .* lacks \w*"}
_NO_DEADLOCK = {
    "Failing.test_deadlock": r"Operation timed out after 0.1 seconds",
    "Failing.test_timeout_of_wait": r"operation timed out after 0.1 seconds",
}
_FIRST_ONLY = {"Failing.test_second_of_gather": "ZeroDivisionError: first"}
_NO_TIMER = {"Leaking.test_timer": "^ok$"}
_OTHER_NAME = {"Leaking.test_timer": r"pending timer (None|IOLoop\._run_callback\w*), due in 60 s\n"}

#: The tests of `tests.samples.on_renamed` that have another end without a name, and which one.
LOSSES: dict[str, dict[str, str]] = {
    **dict.fromkeys(
        (
            *("_close_self_pipe", "_csock", "_internal_fds", "_make_self_pipe", "_read_from_self", "_ssock"),
            *("_write_to_self", "_clock_resolution", "_loop"),
        ),
        _CLOCK,
    ),
    "_selector": {**_CLOCK, **_NO_DEADLOCK},
    "_ready": {**_CLOCK, **_FIRST_ONLY},
    "_scheduled": {**_CLOCK, **_NO_DEADLOCK, **_NO_TIMER},
    "_callback": {**_CLOCK, **_FIRST_ONLY, **_OTHER_NAME},
    "_args": {**_FIRST_ONLY, **_OTHER_NAME},
    "_run_callback": _OTHER_NAME,
    "_context": _CLOCK if sys.version_info >= (3, 12) else {**_CLOCK, **_NO_TIMER},
    "_exception": _FIRST_ONLY,
    "_signal_handlers": _NO_DEADLOCK,
    "_start_new_thread": {"Failing.test_in_thread": "^ok$"},
    "_start_joinable_thread": {"Failing.test_in_thread": "^ok$"},
    "_warn_unawaited_coroutine": {"Failing.test_unawaited": "^ok$"},
}
#: Those without which there is no test case.
REFUSED = ("_callSetUp", "_callTestMethod", "_callTearDown", "_callCleanup")
#: pytest runs no test of `tests.samples.on_renamed`.
_OF_PYTEST = ("_pytest", "pluggy", "pytest_asyncio")
#: How many that lose nothing are renamed at once.
_AT_ONCE = 12


def _run(rows: Sequence[Private]) -> "subprocess.CompletedProcess[str]":
    names = [f"{row.owner.partition('.')[0]}:{row.name}" for row in rows]
    # Other modules use them, too.
    names += [f"concurrent:{row.name}" for row in rows if row.name == "_register_atexit"]
    finds_deadlocks = not any(_NO_DEADLOCK.keys() <= LOSSES.get(row.name, {}).keys() for row in rows if _loses(row))
    timeout = "60" if finds_deadlocks else "0.1"
    return run_python("-W", "error", "-m", "tests.renamed", *names, ASYNC_TEST_TIMEOUT="60", DEADLOCK_TIMEOUT=timeout)


def _end(report: str) -> str:
    """Return the error of a report, or the verdict, without the numbers that differ from run to run.

    A time limit may be over before the test has come to its first line: then the report has no traceback.
    """
    lines = [
        line for line in report.removeprefix("ERROR ").splitlines() if re.match(r"[\w.]+(Error|Warning|Group)\b", line)
    ]
    return re.sub(r"\d+(\.\d+)?(e-\d+)?|0x\w+", "", (lines or [report])[0])


class TestWithoutOneOfTheNames(unittest.TestCase):
    rows: Sequence[Private]
    losing: Sequence[Sequence[Private]]
    batches: Sequence[Sequence[Private]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.rows = [row for row in PRIVATE if _is_here(row) and not row.owner.startswith(_OF_PYTEST)]
        cls.losing = [[row] for row in cls.rows if _loses(row)]
        others = [row for row in cls.rows if not _loses(row) and row.name not in REFUSED]
        cls.batches = [others[start : start + _AT_ONCE] for start in range(0, len(others), _AT_ONCE)]

    def test_nothing_but_the_promised_loss_happens(self) -> None:
        batches: list[Sequence[Private]] = [[], *self.losing, *self.batches]
        with ThreadPoolExecutor(2) as pool:
            runs = list(pool.map(_run, batches))
        before: dict[str, str] = json.loads(runs[0].stdout)
        self.assertEqual(_EXPECTED, {name: re.split(r"\W", verdict)[0] for name, verdict in before.items()})
        for rows, run in zip(batches[1:], runs[1:], strict=True):
            with self.subTest(", ".join(f"{row.owner}.{row.name}" for row in rows)):
                self.assertEqual(0, run.returncode, run.stderr)
                self._compare(before, json.loads(run.stdout), LOSSES.get(rows[0].name, {}) if _loses(rows[0]) else {})

    def _compare(self, before: dict[str, str], after: dict[str, str], losses: dict[str, str]) -> None:
        self.assertEqual(before.keys(), after.keys())
        for name, report in after.items():
            if name in losses:
                self.assertRegex(report, losses[name])
                self.assertNotEqual(_end(before[name]), _end(report))
            else:
                self.assertEqual(_end(before[name]), _end(report), report)

    def test_a_hook_of_test_cases_is_refused(self) -> None:
        for row in self.rows:
            if row.name in REFUSED:
                with self.subTest(row.name):
                    run = _run([row])
                    self.assertNotEqual(0, run.returncode)
                    self.assertIn(f"AsyncTestCase needs unittest.TestCase.{row.name}()", run.stderr)


def _loses(row: Private) -> bool:
    # Others have attributes of the same name.
    return row.name in LOSSES and not row.owner.startswith(("selectors.", "threading.Thread"))


#: The verdicts of the samples, with all names in their place.
_EXPECTED = {
    **dict.fromkeys(
        (
            *("Passing.test_native", "Passing.test_generator", "Passing.test_wait", "Passing.test_executor"),
            *("Passing.test_thread_wakes_the_loop", "Passing.test_gather", "Passing.test_expected_error"),
            *("Passing.test_cleanup_runs_on_the_loop", "HTTP.test_fetch"),
            *("InVirtualTime.test_an_hour", "InSchedules.test_orders"),
        ),
        "ok",
    ),
    "Passing.test_expected_failure": "expected",
    "Passing.test_skipped": "skipped",
    **dict.fromkeys(
        (
            *("Failing.test_raises", "Failing.test_in_callback", "Failing.test_in_task", "Failing.test_in_thread"),
            *("Failing.test_in_timer_of_asyncio", "Failing.test_in_coroutine_of_tornado", "Failing.test_unawaited"),
            *("Failing.test_second_of_gather", "Failing.test_timeout", "Failing.test_deadlock"),
            *("Failing.test_in_cleanup", "HTTP.test_error_of_handler"),
        ),
        "ERROR",
    ),
    **dict.fromkeys(
        (
            *("Failing.test_assertion", "Failing.test_timeout_of_wait"),
            *("Leaking.test_timer", "Leaking.test_periodic"),
        ),
        "FAIL",
    ),
}


if __name__ == "__main__":
    unittest.main()
