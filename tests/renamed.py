"""Run samples on versions of asyncio, Tornado and others in which private names are renamed.

``python -m tests.renamed asyncio:_ready tornado:_finished``: the names are changed as the modules are imported, in all
of their package, so that each module still finds its own.
"""

import importlib.machinery
import importlib.util
import json
import re
import sys
import types
from collections.abc import Sequence
from typing import Any

SUFFIX = "_renamed"
#: Attributes of futures and tasks, which are written in C as well. To look would import asyncio.
_OF_FUTURES = {
    "_callbacks",
    "_exception",
    "_fut_waiter",
    "_log_destroy_pending",
    "_log_traceback",
    "_source_traceback",
}


class _Loader(importlib.machinery.SourceFileLoader):
    pattern: re.Pattern[str]

    def get_code(self, fullname: str) -> types.CodeType | None:
        source = self.get_source(fullname) or ""
        changed = self.pattern.sub(lambda match: match[0] + SUFFIX, source)
        if changed == source:
            return super().get_code(fullname)
        return compile(changed, self.path, "exec", dont_inherit=True)


class Renaming:
    """Changes names in the source of modules.

    :param names: the names, by the package that they are private to.
    """

    def __init__(self, names: dict[str, set[str]]) -> None:
        # A name with two underscores is mangled by its class.
        plain = {
            package: {re.sub(r"^_[A-Za-z]+(?=__)", "", each) for each in found} for package, found in names.items()
        }
        self._patterns = {
            package: re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(each)))})(?!\w)")
            for package, each in plain.items()
        }

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> Any:
        pattern = self._patterns.get(fullname.partition(".")[0])
        if pattern is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            loader = _Loader(spec.loader.name, spec.loader.path)
            loader.pattern = pattern
            spec.loader = loader
        return spec


def rename(names: Sequence[str]) -> None:
    """Rename private names, each given with its package, in all modules that are imported from now on."""
    by_package: dict[str, set[str]] = {}
    for each in names:
        package, _, name = each.partition(":")
        by_package.setdefault(package, set()).add(name)
    if "warnings" in by_package:
        by_package["_py_warnings"] = by_package["warnings"]  # which defines them, from Python 3.14 on
    if by_package.get("asyncio", set()) & _OF_FUTURES:
        sys.modules["_asyncio"] = None  # type: ignore[assignment]  # the same classes are there in Python
    for module in list(sys.modules):
        if module.partition(".")[0] in by_package:
            del sys.modules[module]
    sys.meta_path.insert(0, Renaming(by_package))


def main(names: Sequence[str]) -> None:
    rename(names)
    from tests.samples import on_renamed

    json.dump(on_renamed.verdicts(), sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
