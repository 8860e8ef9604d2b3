"""Restores the contexts of the running code at the end of a block."""

# Tested by tests/errors/test_stack_context.py.

import contextlib
import contextvars
import threading
from collections.abc import Callable

from asynctest_tornado._errors import contexts

__unittest = True


def leave(
    chain: Callable[[contexts.Chain], contexts.Chain], token: "contextvars.Token[contexts.Chain] | None" = None
) -> None:
    """Change the contexts of the running code at the end of a block.

    If there are none, as before the block, the variable is unset again by the token; if that was made elsewhere, it is
    set to an empty chain.

    If the garbage collector closes a coroutine in the midst of a block, the running code is another one, and keeps its
    contexts. Besides, Python 3.11 may collect garbage while it sets a variable, and crashes if a finalizer sets one in
    the same context then. Later versions collect between two instructions.

    :param chain: returns the contexts after the block, given the present ones.
    :param token: the token of the change at the beginning of the block.
    """
    if contexts.collector == threading.get_ident():
        return
    after = chain(contexts.contexts.get())
    if token is not None and not after and token.old_value is contextvars.Token.MISSING:
        with contextlib.suppress(ValueError, RuntimeError):  # of another context, or used
            contexts.contexts.reset(token)
            return
    contexts.contexts.set(after)
