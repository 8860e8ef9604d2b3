"""Errors that surface in the interpreter itself: in threads and finalizers.

An error may surface after its test. The test is then identified by the thread in which it happens, or, if an object was
garbage, by the tests that ran since the last collection.
"""

import sys
import threading
from collections.abc import Callable
from typing import Any

from asynctest_tornado._errors import contexts, notes
from asynctest_tornado._sources import garbage, thread_contexts, unawaited_coroutines
from asynctest_tornado._util.patching import Patch

__unittest = True

_handing_on = threading.local()


def _hand_on(hook: Callable[[Any], object], original: Callable[[Any], object], args: Any) -> None:
    """Call the hook that was there before: the interpreter's own, if that one leads back to here.

    Some programs wrap the present hook in one of theirs, and leave it there.
    """
    if getattr(_handing_on, "hook", None) is hook:
        original(args)
        return
    _handing_on.hook = hook
    try:
        hook(args)
    finally:
        _handing_on.hook = None


def _on_thread(args: threading.ExceptHookArgs) -> None:
    error = args.exc_value if _excepthook.is_active else None
    if not (contexts.is_error(error) and contexts.deliver(error, contexts.chain_here())):
        _hand_on(_excepthook.found, threading.__excepthook__, args)


def _on_unraisable(info: "sys.UnraisableHookArgs") -> None:
    error = info.exc_value
    # A warning that was turned into an error is still about a resource that was left open, and no failure.
    if not (_unraisablehook.is_active and contexts.is_error(error)) or isinstance(error, Warning):
        _hand_on(_unraisablehook.found, sys.__unraisablehook__, info)
    elif not garbage.deliver_dropped(error):
        guess = garbage.guess()
        if guess:
            notes.add(error, guess, once=True)
        _hand_on(_unraisablehook.found, sys.__unraisablehook__, info)
        if guess and _unraisablehook.found is sys.__unraisablehook__:
            print(guess, file=sys.stderr)  # which leaves notes out


_excepthook = Patch(threading, "excepthook", _on_thread, is_needed=thread_contexts.are_alive)
_unraisablehook = Patch(sys, "unraisablehook", _on_unraisable)
#: They put the trap in front of the hooks of the interpreter. Later hooks of others stay in front of it.
patches = [_excepthook, _unraisablehook, *thread_contexts.patches, *unawaited_coroutines.patches]
