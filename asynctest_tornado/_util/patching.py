"""Patches of other modules: put in when they are needed, taken back after that.

A function that came later stays in front of ours: a mock belongs to the test, an instrumentation to the application. If
it goes, and restores the function of the interpreter or of Tornado instead of ours, ours is put in again.

A patch is taken back only if it is still in its place. Beneath a function that came later, ours stays, and hands on
without doing anything, until the next run. Ours is not put on top of that function, which leads to it.

A test may come after a function that ``setUpModule`` has put in while ours was not there. If that refers to the
function which was there before, it is a wrapper: ours is put on top of it, or errors would pass by. If it does not, it
is a mock, and stays in front.

"Later" begins with the tests. A program may instrument Tornado after it has imported this library, and before it runs a
test: `Patches.look` records that as a function that was there before.
"""

# Tested by tests/sources/test_neighbours.py.

import contextlib
import functools
import types
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

__unittest = True

_MISSING: Any = object()
#: The packages whose functions are no replacements of others. pytest puts hooks in as a run begins, and some versions
#: for each part of a test; its hooks only warn.
_INTERPRETER = ("_thread", "threading", "sys", "warnings", "_warnings", "_py_warnings", "concurrent")
_ORIGINALS = (*_INTERPRETER, "tornado", "_pytest")


class Patch:
    """A function of this library in the place of another one.

    :param owner: the module, the class, or the object.
    :param name: the name there.
    :param ours: the function of this library. It has to call `found`; and nothing else, unless the patch `is_active`.
    :param is_needed: returns true if the patch has to stay after the run.
    """

    def __init__(
        self, owner: Any, name: str, ours: Callable[..., Any], is_needed: Callable[[], bool] = lambda: False
    ) -> None:
        self.owner = owner
        self.name = name
        self._names = vars(owner)
        #: The function that was there before.
        self.found: Callable[..., Any] = getattr(owner, name)
        self._known = self._names.get(name, _MISSING)
        # As the class has it, and as its attribute.
        self._originals = self._known, self.found
        self._ours = functools.update_wrapper(ours, self.found)
        self._is_needed = is_needed
        #: True from `put_in` to `take_back`, also if a later function is in front of it.
        self.is_active = False
        #: True if ours is on top of a function that wraps another one, and not ours.
        self._is_on_wrapper = False
        #: True if it was put in, and not taken out since: it may be beneath a later function.
        self._is_placed = False

    @property
    def is_on_top(self) -> bool:
        """True if no later function is in front of ours."""
        return self._names.get(self.name) is self._ours

    def look(self) -> None:
        """Record the present function as one that was there before."""
        present = self._names.get(self.name, _MISSING)
        if not self._is_placed and present is not self._ours:
            self._known = present

    def put_in(self) -> bool:
        """Put the function in, unless another one came later. Return true if it is there, and will stay there."""
        self.is_active = True
        present = self._names.get(self.name, _MISSING)
        if present is self._ours:
            return not self._is_on_wrapper
        is_wrapper = not (present is self._known or _is_of(present, _ORIGINALS))
        if is_wrapper and not self._is_beneath(present):
            return False
        self._is_on_wrapper = is_wrapper
        self._known = present
        self.found = getattr(self.owner, self.name)
        setattr(self.owner, self.name, self._ours)
        self._is_placed = True
        return not self._is_on_wrapper  # which may be taken away, and ours with it

    def _is_beneath(self, present: Any) -> bool:
        """Return whether a function may call one that was there before, or a hook of pytest, and does not call ours."""
        references = _references(present)
        originals = self._known, *self._originals
        return not any(each is self._ours for each in references) and any(
            _is_of(each, ("_pytest",)) or any(each is original for original in originals) for each in references
        )

    @staticmethod
    def put_in_again(patches: "Iterable[Patch]") -> None:
        """Put active patches in again that another program has replaced by the functions which it had found before.

        Each test asks; mostly, all of them are there.
        """
        for each in patches:
            if each._names.get(each.name) is not each._ours and each.is_active:
                each.put_in()

    def take_back(self) -> None:
        """Restore the function that was there before, if no other one came later."""
        if self._is_needed():
            return
        self.is_active = False
        if self._names.get(self.name) is not self._ours:
            return
        if self._known is _MISSING:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self._known)
        self._is_placed = False


class Patches:
    """Patches that are in as long as an object needs them: a run of tests, for example."""

    def __init__(self) -> None:
        self._patches: list[Patch] = []
        #: By their numbers, weakly: not every object has a hash, and one may be gone without a call of `release`.
        self._holders: dict[int, Callable[[], object]] = {}
        #: True if all are in their places, as far as this library knows.
        self.are_in = False

    def add(self, patches: Sequence[Patch]) -> None:
        """Add patches."""
        self._patches += patches

    def look(self) -> None:
        """Record the present functions as functions that were there before; see `Patch`."""
        for patch in self._patches:
            patch.look()

    def put_in(self) -> None:
        are_in = [patch.put_in() for patch in self._patches]
        self.are_in = all(are_in)

    def hold(self, owner: object) -> None:
        """Put the patches in, for an object that needs them until `release`."""
        number, holders = id(owner), self._holders
        with contextlib.suppress(TypeError):  # it has __slots__
            holders[number] = weakref.ref(owner, lambda _: holders.pop(number, None))
        if not self.are_in:
            self.put_in()

    def release(self, owner: object) -> bool:
        """Record that an object does not need the patches any more. Return true if no other one does."""
        self._holders.pop(id(owner), None)
        return not self._holders

    def take_back(self) -> None:
        self.are_in = False
        for patch in self._patches:
            patch.take_back()


#: The patches by which errors come to the chain of handlers. `_sources.installation` has the list.
sources = Patches()


def comes_with_interpreter(func: Any) -> bool:
    """Return whether a function is the interpreter's own, and no replacement."""
    return _is_of(func, _INTERPRETER)


def _references(func: Any) -> list[Any]:
    """Return the objects that a function refers to, so that it may call them."""
    # Not the attribute __wrapped__: a mock may have it as well.
    references: list[Any] = []
    while isinstance(func, functools.partial):
        references += [*func.args, *func.keywords.values()]
        func = func.func
    if isinstance(func, types.FunctionType):
        references += [*(func.__defaults__ or ()), *(func.__kwdefaults__ or {}).values()]
        references += [func.__globals__.get(name) for name in func.__code__.co_names]
        for cell in func.__closure__ or ():
            with contextlib.suppress(ValueError):  # it is empty yet
                references.append(cell.cell_contents)
    return references


def _is_of(func: Any, packages: tuple[str, ...]) -> bool:
    while isinstance(func, functools.partial):
        func = func.func
    func = getattr(func, "__func__", func)
    module: object = None
    if isinstance(func, types.FunctionType):
        module = func.__globals__.get("__name__")  # and not __module__, which a wrapper copies
    elif isinstance(func, types.BuiltinFunctionType):
        module = func.__module__
    return str(module).partition(".")[0] in packages
