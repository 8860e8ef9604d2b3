"""Shell commands that run a test again."""

import os
import shlex
import sys
import unittest
from typing import Any

from asynctest_tornado._util import settings
from asynctest_tornado._util.real_time import get_folder

__unittest = True


def command(test: unittest.TestCase, result: Any, runner: str) -> str:
    """Return the command that runs a test case, and nothing else where its name is enough to find it.

    :param result: the result, or the item of pytest that stands for it.
    :param runner: the arguments of ``python`` that run a test, if its name follows.
    """
    item, config = getattr(result, "nodeid", None), getattr(result, "config", None)
    if isinstance(item, str):
        return of_pytest(item, config)
    name, module = test.id(), type(test).__module__
    if module == "__main__":
        spec = getattr(sys.modules[module], "__spec__", None)
        program = shlex.quote(sys.argv[0]) if spec is None else f"-m {spec.name}"
        return f"{_options()}{_python()} {program} {shlex.quote(name.removeprefix('__main__.'))}"
    named = shlex.quote(name) if is_found(name) else f"{shlex.quote(module)} -k {shlex.quote(name)}"
    return f"{_options()}{_path_to(module)}{_python()} {runner} {named}"


def of_pytest(item: str, config: Any) -> str:
    """Return the command that runs an item of pytest.

    :param item: its name, as from the root folder of pytest.
    """
    file, separator, rest = item.partition("::")
    root, current = config.rootpath, config.invocation_params.dir
    if root != current:
        file = os.path.relpath(root / file, current)
    warnings = [word for each in config.option.pythonwarnings or () for word in ("-W", each)]
    return shlex.join(["python", *_flags(), "-m", "pytest", *warnings, f"{file}{separator}{rest}"])


def _python() -> str:
    return shlex.join(["python", *_flags()])


def _flags() -> list[str]:
    """Return the options of the interpreter that may let a test fail: filters of warnings, and the development mode."""
    given = iter(sys.orig_argv[1:])
    found = []
    for option in given:
        if option in ("-W", "-X"):
            option += next(given, "")
        if not option.startswith("-") or option[1:2] in "mc":
            break
        if option.startswith("-W") or option == "-Xdev":
            found.append(option)
    return found


def is_found(name: str) -> bool:
    """Return true if the parts of a name lead from a module to a method of a class of tests."""
    path, _, method = name.rpartition(".")
    module, _, _ = path.rpartition(".")
    while module and module not in sys.modules:
        module = module.rpartition(".")[0]
    found: Any = sys.modules.get(module)
    for part in path.removeprefix(f"{module}.").split("."):
        found = getattr(found, part, None)
    return isinstance(found, type) and issubclass(found, unittest.TestCase) and hasattr(found, method)


def _options() -> str:
    """Return the variables for options of the command line, which the command of a replay does not have."""
    given = settings.by_option
    variables = [each.variable for each in (settings.TIMEOUT, settings.LEAKS) if each.variable in given]
    return "".join(f"{variable}={shlex.quote(given[variable])} " for variable in variables)


def _path_to(module: str) -> str:
    """Return the variable by which ``python`` finds a module that discovery has found in another folder."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if not isinstance(file, str):
        return ""
    folder = os.path.dirname(os.path.abspath(file))
    depth = module.count(".") + (os.path.basename(file) == "__init__.py")
    for _ in range(depth):
        folder = os.path.dirname(folder)
    try:
        current = get_folder()
    except OSError:
        return ""  # the test has removed its current folder
    known = [current, *map(os.path.abspath, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    # Discovery inserts it before all others.
    if folder in known or not sys.path or os.path.abspath(sys.path[0]) != folder:
        return ""
    return f"PYTHONPATH={shlex.quote(os.path.relpath(folder, current))} "
