"""Decides about a condition that returns None.

A condition that only makes assertions returns None and holds; one whose ``return`` was forgotten returns None as well.
So the code of the condition is looked at: a function that never returns a value is to have an assertion in it, or to
call a function of the user that has one and never returns a value either. A lambda that is one call is as good as the
function that it calls. For all others, None is a false value.
"""

# Tested by tests/timeouts/test_eventually.py.

import dis
import functools
import inspect
import types
from collections.abc import Iterator
from typing import Any

from asynctest_tornado._util.tracebacks import USER, owner_of_file

__unittest = True

#: How deep to look for an assertion: a condition calls a helper that calls a helper.
_MOST_CALLS = 3

HOLDS, IS_FALSE, IS_MISTAKE = "holds", "is false", "is a mistake"


def meaning_of_none(condition: Any) -> str:
    """Return the meaning of a condition that has returned None: `HOLDS`, `IS_FALSE` or `IS_MISTAKE`."""
    func = _function_of(condition)
    code = code_of(func)
    if code is None:
        return IS_FALSE
    if _is_name_of_assertion(code.co_name):
        return HOLDS  # some return the None of another one, as those of mocks do
    if _never_returns(code):
        raises = any(instruction.opname == "RAISE_VARARGS" for instruction in dis.get_instructions(code))
        return HOLDS if raises or not __debug__ or _asserts(func, code, _MOST_CALLS) else IS_MISTAKE
    if code.co_name == "<lambda>" and _is_one_call(code):
        if _has_assertion(code):
            return HOLDS
        helpers = list(_helpers(func, code))
        if any(_asserts(helper, helper_code, _MOST_CALLS) for helper, helper_code in helpers):
            return HOLDS
        return IS_MISTAKE if helpers else IS_FALSE
    return IS_FALSE


def _function_of(condition: Any) -> Any:
    while isinstance(condition, functools.partial):
        condition = condition.func
    return inspect.unwrap(condition) if inspect.isroutine(condition) else condition


def code_of(condition: Any) -> types.CodeType | None:
    """Return the code of a function, or of the one that a ``partial`` calls."""
    while isinstance(condition, functools.partial):
        condition = condition.func
    code = getattr(getattr(condition, "__func__", condition), "__code__", None)
    return code if isinstance(code, types.CodeType) else None


def spans_of(code: types.CodeType) -> list[tuple[int, int, int, int]]:
    """Return the first line, column, last line and column of each part of the body of a lambda."""
    found = [(first, begin, last, end) for first, last, begin, end in code.co_positions() if _are_known(begin, end)]
    return [span for span in found if span[:2] != span[2:]]  # type: ignore[misc]  # of the lambda as a whole


def _are_known(*columns: int | None) -> bool:
    return None not in columns


def _never_returns(code: types.CodeType) -> bool:
    """Return whether a function never returns a value but None."""
    if code.co_name == "<lambda>":
        return False
    before: dis.Instruction | None = None
    for instruction in dis.get_instructions(code):
        is_none = before is not None and before.opname.startswith("LOAD_CONST") and before.argval is None
        # "return a if b else None" may jump to it.
        if instruction.opname == "RETURN_VALUE" and (instruction.is_jump_target or not is_none):
            return False
        if instruction.opname == "RETURN_CONST" and instruction.argval is not None:
            return False
        before = instruction
    return True


def _is_one_call(code: types.CodeType) -> bool:
    """Return whether the body of a lambda is one call, and not for example ``a() or b()``."""
    spans = spans_of(code)
    if not spans:
        return True  # the places are not known
    whole = (*min(span[:2] for span in spans), *max(span[2:] for span in spans))
    instructions = list(dis.get_instructions(code))
    return any(
        each.opname.startswith("CALL")
        and each.positions is not None
        and (each.positions.lineno, each.positions.col_offset) == whole[:2]
        and (each.positions.end_lineno, each.positions.end_col_offset) == whole[2:]
        for each in instructions
    )


def _asserts(func: Any, code: types.CodeType, depth: int) -> bool:
    """Return whether a function makes assertions, or calls a function of the user that does."""
    if _is_name_of_assertion(code.co_name) or _has_assertion(code):
        return True
    return depth > 0 and any(_asserts(helper, inner, depth - 1) for helper, inner in _helpers(func, code))


def _has_assertion(code: types.CodeType) -> bool:
    """Return whether code has an ``assert``, or the name of an assertion in it."""
    if any(map(_is_name_of_assertion, code.co_names)):
        return True
    if any("AssertionError" in (each.argrepr, _class_name(each.argval)) for each in dis.get_instructions(code)):
        return True
    if any(each.opname == "LOAD_ASSERTION_ERROR" for each in dis.get_instructions(code)):
        return True
    return any(_has_assertion(each) for each in code.co_consts if isinstance(each, types.CodeType))


def _class_name(value: object) -> str | None:
    return value.__name__ if isinstance(value, type) else None


def _is_name_of_assertion(name: str) -> bool:
    return name.lstrip("_").startswith("assert") or name in ("AssertionError", "fail")


def _helpers(func: Any, code: types.CodeType) -> Iterator[tuple[Any, types.CodeType]]:
    """Find the functions of the user that code refers to, and that never return a value."""
    for each in _things(func, code):
        inner = code_of(each) if isinstance(each, types.FunctionType | types.MethodType) else None
        if inner is None or inner is code or owner_of_file(inner.co_filename) is not USER:
            continue
        if _never_returns(inner):
            yield each, inner


_LOADS = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_PASSED_OVER = frozenset({"PUSH_NULL", "CACHE"})


def _things(func: Any, code: types.CodeType) -> Iterator[Any]:
    """Find the objects that the names in the code of a function stand for, as ``helper`` and ``self.page.check``."""
    function = getattr(func, "__func__", func)
    variables = _first_variables(func, code)
    thing: Any = None
    for each in dis.get_instructions(code):
        name = each.argval
        if each.opname.startswith("STORE_FAST"):
            store, name = name if isinstance(name, tuple) else (name, None)
            variables[store] = thing
            thing = variables.get(name)
        elif each.opname.startswith(("LOAD_FAST", "LOAD_DEREF")):
            thing = variables.get(name[-1] if isinstance(name, tuple) else name)
        elif each.opname == "LOAD_GLOBAL":
            thing = getattr(function, "__globals__", {}).get(name)
        elif each.opname in _LOADS:
            thing = None if thing is None else _attribute(thing, name)
        elif each.opname not in _PASSED_OVER:
            thing = None
        yield thing


def _first_variables(func: Any, code: types.CodeType) -> dict[Any, Any]:
    """Return the variables that a function has when it begins, as far as they are known: of its closure, and self."""
    function = getattr(func, "__func__", func)
    variables = dict(zip(code.co_freevars, map(_content, getattr(function, "__closure__", None) or ()), strict=False))
    if isinstance(func, types.MethodType):
        variables[code.co_varnames[0]] = func.__self__
    return variables


def _attribute(owner: Any, name: str) -> Any:
    """Return an attribute of an object, without any call of its code."""
    found = inspect.getattr_static(owner, name, None)
    if isinstance(found, staticmethod):
        return found.__func__
    if isinstance(found, classmethod):
        return types.MethodType(found.__func__, owner)
    is_method = isinstance(found, types.FunctionType) and not isinstance(owner, types.ModuleType | type)
    return types.MethodType(found, owner) if is_method else found


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # the variable is not assigned to yet
        return None
