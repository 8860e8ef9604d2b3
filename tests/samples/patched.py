"""Prints the attributes of other modules that a run of tests changes: while a test runs, and after the run.

It compares all modules, classes and loggers that are imported, and knows nothing of the patches of this library.
"""

import io
import json
import logging
import sys
import types
import unittest
from collections.abc import Iterator
from typing import Any

from tornado.web import Application

from asynctest_tornado import AsyncHTTPTestCase, VirtualClock, VirtualNetwork

#: Caches of Tornado, and the filters that unittest's runner sets.
NO_FUNCTIONS = ("_Configurable__impl_class", "_async_client_dict_AsyncHTTPClient", "filters", "_event_loop_policy")
during: dict[tuple[str, str], Any] = {}


def owners() -> Iterator[tuple[str, Any]]:
    for name, module in sorted(sys.modules.items()):
        if isinstance(module, types.ModuleType) and name.partition(".")[0] not in ("asynctest_tornado", "__main__"):
            yield name, module
            for each in list(vars(module).values()):
                if isinstance(each, type) and each.__module__ == name:
                    yield f"{name}.{each.__qualname__}", each
    for name, logger in sorted(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger):
            yield f"logger {name}", logger


def attributes() -> dict[tuple[str, str], Any]:
    return {
        (owner, name): value
        for owner, thing in owners()
        for name, value in list(vars(thing).items())
        if name not in NO_FUNCTIONS and (not name.startswith("__") or name == "__init__")
    }


class Plain(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        return Application()

    async def test(self) -> None:
        await self.fetch("/")
        during.clear()
        during.update(attributes())


class InMemory(Plain):
    network_factory = VirtualNetwork
    clock_factory = VirtualClock


class Traced(InMemory):
    trace = "failures"


def changed(cls: type[unittest.TestCase]) -> dict[str, list[str]]:
    before = attributes()
    known = {owner for owner, _ in before}
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(cls)
    result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
    if not result.wasSuccessful():
        raise RuntimeError(result.errors)
    after = attributes()

    def differences(others: dict[tuple[str, str], Any]) -> list[str]:
        places = before.keys() | others.keys()
        return sorted(
            f"{owner}.{name}"
            for owner, name in places
            if owner in known and before.get((owner, name)) is not others.get((owner, name))
        )

    return {"during": differences(during), "after": differences(after)}


if __name__ == "__main__":
    print(json.dumps({cls.__name__: changed(cls) for cls in (Plain, InMemory, Traced)}))
