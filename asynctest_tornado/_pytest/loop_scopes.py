"""Which tests share a loop, by their settings and asynchronous fixtures."""

# Tested by tests/pytest/test_scopes.py.

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from asynctest_tornado._pytest import async_fixtures, claims

__unittest = True


def of_fixture(fixturedef: Any) -> str:
    """Return the scope whose tests share the loop of a fixture. A package may have many modules, as the session has."""
    return "session" if fixturedef.scope == "package" else str(fixturedef.scope)


def assign(items: Sequence[pytest.Function]) -> None:
    """Record the scope of the loop of each test.

    That is the scope that the settings of the test name, or the scope of its widest asynchronous fixture. A fixture has
    one loop, so that all tests of a module that have such fixtures run on the loop of the widest.

    :param items: the tests that are for this library.
    """
    groups: dict[object, list[pytest.Function]] = defaultdict(list)
    for item in items:
        wanted, *wide = _by_settings(item), *_of_fixtures(item)
        item.stash[claims.LOOP_SCOPE] = max([wanted, *wide], key=claims.LOOP_SCOPES.index)
        if wide:
            groups[item.getparent(pytest.Module)].append(item)
    for group in groups.values():
        widest = max((item.stash[claims.LOOP_SCOPE] for item in group), key=claims.LOOP_SCOPES.index)
        for item in group:
            item.stash[claims.LOOP_SCOPE] = widest


def _by_settings(item: pytest.Function) -> str:
    from asynctest_tornado._pytest import settings

    try:
        return settings.loop_scope(item, list(claims.markers_of(item)))
    except (TypeError, ValueError):
        return "function"  # the test itself says so


def _of_fixtures(item: pytest.Function) -> Iterator[str]:
    """Return the scopes of the asynchronous fixtures of a test that several tests share."""
    for name, definitions in item._fixtureinfo.name2fixturedefs.items():
        for definition in reversed(definitions):
            is_shared = definition.scope != "function" and claims.is_async(definition.func)
            if is_shared and not async_fixtures.is_of_another(definition, item):
                yield of_fixture(definition)
            if name not in definition.argnames:
                break  # it does not extend the one that it overrides
