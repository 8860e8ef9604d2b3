"""Explains why ``assertRaises`` does not catch the error of a callback."""

# Tested by tests/errors/test_hints.py.

import ast
import linecache
import threading
import types

from asynctest_tornado._errors import hints
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._timeouts import pending_report
from asynctest_tornado._util.tracebacks import PACKAGE, USER, owner_of

__unittest = True

#: Of unittest, and of pytest.
_METHODS = {"assertRaises", "assertRaisesRegex", "raises"}
_MOST_TASKS = 100


class RaisingBlocks(Feature):
    """A hint for an error that is trapped while a coroutine waits in a block which expects to catch such an error."""

    def recorded(self, trap: Trap, error: BaseException) -> None:
        wait = trap.waits[-1] if trap.waits else None
        if trap.loop is None or not isinstance(wait, Deadline) or wait.thread != threading.get_ident():
            return
        for task in list(trap.loop.all_tasks())[:_MOST_TASKS]:
            for _, frame in pending_report.frames_of(task.get_coro()):
                method = _block_around(frame, error)
                if method is not None:
                    name = type(error).__qualname__
                    text = (
                        f"The test waits in a block of {method}(), which cannot catch the error of a callback or "
                        f"another task: use ExpectError({name})."
                    )
                    hints.add(error, text, trap)
                    return


def _block_around(frame: types.FrameType, error: BaseException) -> str | None:
    """Return the method whose block the line of a frame is in, if it is for errors of this class."""
    code = frame.f_code
    if _METHODS.isdisjoint(code.co_names) or owner_of(frame) not in (USER, PACKAGE):
        return None
    try:
        tree = ast.parse("".join(linecache.getlines(code.co_filename, frame.f_globals)))
    except (SyntaxError, ValueError):
        return None
    classes = {cls.__name__ for cls in type(error).__mro__}
    line = frame.f_lineno
    for node in ast.walk(tree):
        if isinstance(node, ast.With) and node.body[0].lineno <= line <= (node.end_lineno or 0):
            for item in node.items:
                method = _method_of(item.context_expr, classes)
                if method is not None:
                    return method
    return None


def _method_of(call: ast.expr, classes: set[str]) -> str | None:
    if not (isinstance(call, ast.Call) and call.args):
        return None
    name = _last_name(call.func)
    first = call.args[0]
    wanted = {_last_name(each) for each in (first.elts if isinstance(first, ast.Tuple) else (first,))}
    return name if name in _METHODS and wanted & classes else None


def _last_name(node: ast.expr) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None


RAISING_BLOCKS = RaisingBlocks()
