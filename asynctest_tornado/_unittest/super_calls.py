"""Whether the setUp() of a test case leads to the one of its base class."""

import types

__unittest = True


def lead_to(base: type, cls: type) -> bool:
    """Return false if the ``setUp`` of a class cannot call the one of the base class: its code names neither.

    True if it can, also if that depends. A function that gets there in another way, by a helper, is not recognized.
    """
    if getattr(cls, "setUp", None) is getattr(base, "setUp", None):
        return True  # mostly
    for each in cls.__mro__:
        if each is base:
            return True
        own = vars(each).get("setUp")
        if own is not None and not _may_call_super(own):
            return False
    return True


def _may_call_super(func: object) -> bool:
    while hasattr(func, "__wrapped__"):  # by a decorator, such as mock.patch
        func = func.__wrapped__
    if not isinstance(func, types.FunctionType):
        return True
    names = func.__code__.co_names
    return "super" in names or "setUp" in names
