"""``loop_scope = "class"``: one loop for all tests of a class."""

import inspect
import types
import unittest.util
from collections.abc import Callable
from typing import Any

from asynctest_tornado._clock.feature import VIRTUAL_TIME
from asynctest_tornado._clock.virtual_clock import make_clock
from asynctest_tornado._features.all_features import FEATURES
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import OPEN, Harness
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._leaks import policy
from asynctest_tornado._leaks.feature import LEAKS
from asynctest_tornado._loop import new_loop
from asynctest_tornado._network.feature import NETWORK
from asynctest_tornado._network.virtual_network import make_network
from asynctest_tornado._sources import installation
from asynctest_tornado._timeouts import limits
from asynctest_tornado._unittest import misspelled_settings
from asynctest_tornado._util.settings import LOOP_SCOPE

__unittest = True

_NAME = "_asynctest_scope"


class ClassScope:
    """A harness for the class, in which its tests have theirs.

    :param cls: the class.
    """

    def __init__(self, cls: Any) -> None:
        misspelled_settings.check_environment()
        name = unittest.util.strclass(cls)
        options: dict[Feature, Any] = {LEAKS: policy.policy(cls.leaks, cls.allowed_leaks)}
        if cls.clock_factory is not None:
            options[VIRTUAL_TIME] = make_clock(cls.clock_factory)
        if cls.network_factory is not None:
            options[NETWORK] = make_network(cls.network_factory)
        self.harness = Harness(lambda: name, features=FEATURES.of_test(options), options=options)
        #: The harness of the test that runs, if one does.
        self.current = self.harness
        #: The resources that the first test has made for all tests.
        self.made: dict[str, Any] = {}
        self._cls = cls
        self._limit: Limit = limits.limit(None, self._cls.async_test_timeout)
        self._is_set_up = False

    def open(self) -> None:
        """Make the loop, and call ``asyncSetUpClass``."""
        installation.begin(self)
        harness = self.harness
        self._cls.io_loop = harness.open(lambda: new_loop.new_ioloop(self._cls.loop_factory, harness.features))
        self._cls.addClassCleanup(self.close)
        harness.waits.run(self._cls.asyncSetUpClass, self._limit, shared=True)
        self._is_set_up = True
        # For an overridden tearDownClass() that does not call the one of its base.
        self._cls.addClassCleanup(self.tear_down)

    def tear_down(self) -> None:
        """Call ``asyncTearDownClass``, once."""
        if self._is_set_up:
            self._is_set_up = False
            self.harness.trap.hold()
            self.harness.waits.run(self._cls.asyncTearDownClass, self._limit, shared=True)

    def close(self) -> None:
        """Close the loop. Raises the errors that were not reported yet."""
        delattr(self._cls, _NAME)
        del self._cls.io_loop
        try:
            self.harness.finish()
        finally:
            self.made.clear()
            installation.discard(self)
            self.harness.trap.forget_reports()

    def call(self, func: Callable[[], None]) -> None:
        """Call a function whose resources belong to the class, and not to the test that happens to be the first."""
        self.harness.context.call(func)

    def describe(self) -> str:
        """Describe the work that is left for the loop."""
        return self.current.waits.snapshot()


def is_shared(cls: Any) -> bool:
    """Return whether the tests of the class share a loop. Raises ``ValueError`` for a wrong ``loop_scope``."""
    return LOOP_SCOPE.read(cls.loop_scope, f"{LOOP_SCOPE.by_attribute} of {cls.__qualname__}") == "class"


_HOOKS = ("asyncSetUpClass", "asyncTearDownClass")


def open_for(cls: Any, base: Any) -> None:
    """Open the scope of a class, if it has one.

    :param base: the class that has the hooks anyway.

    Raises ``TypeError`` for a class whose ``get_new_ioloop``, or whose hooks, would never be called, or that lacks a
    ``@classmethod``.
    """
    if not is_shared(cls):
        _check_has_no_hooks(cls, base)
        return
    for name in _HOOKS:
        if isinstance(inspect.getattr_static(cls, name), types.FunctionType):
            raise TypeError(
                f"{cls.__qualname__}.{name}() is a method of each test, and not of the class. Write @classmethod "
                "above it."
            )
    if cls.get_new_ioloop is not base.get_new_ioloop:
        raise TypeError(
            f"{cls.__qualname__} overrides get_new_ioloop(), which is for a loop for each test, and its loop_scope is "
            "'class'. Set loop_factory instead, or leave loop_scope out."
        )
    scope = ClassScope(cls)
    setattr(cls, _NAME, scope)
    scope.open()


def _check_has_no_hooks(cls: Any, base: Any) -> None:
    for name in _HOOKS:
        hook = inspect.getattr_static(cls, name)
        is_ours = hook is inspect.getattr_static(base, name)
        if isinstance(hook, classmethod) and inspect.iscoroutinefunction(hook.__func__) and not is_ours:
            raise TypeError(
                f"{cls.__qualname__} has {name}(), and no loop to run it: each of its tests has one of its own. Set "
                "loop_scope = 'class'."
            )


def of(cls: Any) -> ClassScope | None:
    """Return the scope of a class, or None if each of its tests has a loop of its own.

    Raises ``RuntimeError`` if it was not opened.
    """
    if cls.loop_scope == "test" or not is_shared(cls):
        return None
    scope: ClassScope | None = vars(cls).get(_NAME)
    if scope is None or scope.harness.state is not OPEN:
        raise RuntimeError(
            f"{cls.__qualname__} has no event loop: AsyncTestCase.setUpClass(), which makes it where loop_scope is "
            f"'class', has not been called. Call super().setUpClass() first thing in the setUpClass() of "
            f"{cls.__qualname__}, and run its tests in a suite."
        )
    return scope
