"""The patches of all rooms: puts them in for a run, takes them back at its end.

Here is the list, but for the `Feature.patches`. `sources` are the patches by which errors come to the chain of
handlers; an `ExceptionStackContext` outside of a test, and a server for other frameworks, need these alone.

A run is an object that lives as long as its tests: the result of unittest, the plugin of a session of pytest. It holds
the patches from its first test until its `end`. Runs may be inside each other, as when a test runs another suite: the
patches are taken back when no run holds them. A run whose end does not show, because its runner never calls
``stopTestRun``, holds them as long as its result is there; then they stay until another run ends, or to the end of the
process. Between the end of a run and the end of the process, the process belongs to the program.

Errors that surface later still fail the process:

- The end of the run collects the garbage that is certain to be of its tests, so that its result gets their errors.
- If a thread still runs that a test has started, the hook for errors of threads stays, up to the end of the next run.
- When the interpreter shuts down, the sources are put in again, before it waits for threads.
"""

import atexit
import contextlib
import threading
from collections.abc import Callable
from typing import Any

from asynctest_tornado._harness.feature import Feature, Features
from asynctest_tornado._sources import garbage, interpreter_hooks, loggers, pool_contexts, request_handlers
from asynctest_tornado._util.patching import Patch, Patches, sources

__unittest = True

#: The patches that only tests need.
_of_tests = Patches()
sources.add([*loggers.patches, *interpreter_hooks.patches, *pool_contexts.patches, *request_handlers.patches])
_features: list[Feature] = []
#: True from the end of a run until the program's functions were looked at again.
has_ended = False
_is_in_run = False
_is_watching_end = False


def plug_in(features: Features) -> None:
    """Have the patches of features put in as well."""
    for feature in features.members:
        _features.append(feature)
        _of_tests.add(feature.patches)


def look() -> None:
    """Record the functions that are there before the tests; see `_util.patching`."""
    global has_ended
    has_ended = False
    sources.look()
    _of_tests.look()


def begin(run: object) -> None:
    """Put all patches in for a run, until `end`."""
    sources.hold(run)
    _of_tests.hold(run)
    if not _is_in_run:
        _put_in()


def begin_errors(server: object) -> None:
    """Put the sources in for a server outside of tests, until `end_errors`."""
    sources.hold(server)


def end_errors(server: object) -> None:
    if sources.release(server) and not _is_in_run:
        sources.take_back()


def end(run: object, report: Callable[[], object] = lambda: None) -> None:
    """Take all patches back, unless another run needs them.

    :param report: called when all errors of the run are known, and before the patches are taken back.
    """
    global has_ended, _is_in_run
    are_free = sources.release(run)
    if not _of_tests.release(run):
        return
    garbage.collect_last()
    report()
    garbage.unwatch()
    for feature in _features:
        feature.tests_ended()
    _of_tests.take_back()
    if are_free:
        sources.take_back()
    has_ended, _is_in_run = True, False


def discard(run: object) -> None:
    """Record that a run needs the patches no longer. They stay until another run ends."""
    sources.release(run)
    _of_tests.release(run)


def attach() -> None:
    """Put the patches in for a test that begins, if they are not there. Later functions of others stay in front."""
    if not (_is_in_run and sources.are_in and _of_tests.are_in):
        _put_in()
    Patch.put_in_again(interpreter_hooks.patches)


def _put_in() -> None:
    global _is_in_run, _is_watching_end
    sources.put_in()
    _of_tests.put_in()
    if not _is_in_run:
        _is_in_run = True
        for feature in _features:
            feature.tests_began()
    if not _is_watching_end:
        _is_watching_end = True
        # Called before the interpreter waits for threads, and before the functions of atexit. It is private.
        register: Callable[[Callable[[], object]], Any] = getattr(threading, "_register_atexit", atexit.register)
        with contextlib.suppress(RuntimeError):  # that part has begun already
            register(_begin_last_part)


def _begin_last_part() -> None:
    """Put the sources in for good, when the program is over: errors of tests can still surface."""
    sources.hold(Patches)
    garbage.watch()
