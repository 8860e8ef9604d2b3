"""The plugin for pytest: its settings, and whether it has anything to do.

pytest imports this in every project, and nothing else of the library with it: the first test that needs that does so.
"""

import importlib.util
import sys

import pytest

from asynctest_tornado._pytest import _fixtures, _hooks, _whose

__unittest = True

#: Before what the user says of warnings, which wins for that.
_FILTER = "always:.* leaks what it has begun and not ended:ResourceWarning"


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    if not _is_there(pluginmanager, "pytest_tornado"):
        parser.getgroup("asynctest_tornado").addoption(
            "--async-test-timeout",
            metavar="SECONDS",
            help="how long each asynchronous test or fixture may take, 0 for no limit; those of TestCases go by "
            "ASYNC_TEST_TIMEOUT",
        )
    parser.addini(
        "asynctest_tornado_mode",
        "'strict': only tests with one of its fixtures or its marker run on Tornado's loop; 'auto': all asynchronous "
        "tests do, but those of other plugins",
        default="strict",
    )
    parser.addini("asynctest_tornado_timeout", "as --async-test-timeout", default="")
    parser.addini("asynctest_tornado_leaks", "'ignore', 'note', 'warn' or 'fail' for tests that leak", default="")
    parser.addini("asynctest_tornado_clock", "'real' or 'virtual': the time of tests on Tornado's loop", default="")


def _is_there(manager: pytest.PytestPluginManager, package: str) -> bool:
    """Tell whether pytest loads the plugin of a package, which may come after us."""
    if importlib.util.find_spec(package) is None:
        return False  # as nearly always; the rest takes a while
    if any(getattr(plugin, "__name__", "").partition(".")[0] == package for plugin in manager.get_plugins()):
        return True
    from importlib.metadata import entry_points

    found = [each for each in entry_points(group="pytest11") if each.value.partition(".")[0] == package]
    return any(not manager.is_blocked(each.name) for each in found)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"{_whose.MARKER}(timeout=None, clock_factory=None, leaks=None, allowed_leaks=(), schedules=None, "
        "fail_on_server_error=False, loop_factory=None): run the test, which may be a generator, on Tornado's loop "
        "(asynctest_tornado)",
    )
    if not sys.warnoptions:
        config.getini("filterwarnings").insert(0, _FILTER)
    mode = config.getini("asynctest_tornado_mode")
    if mode not in ("auto", "strict"):
        raise pytest.UsageError(f"asynctest_tornado_mode cannot be {mode!r}. Set it to 'auto' or 'strict'.")
    if _is_there(config.pluginmanager, "pytest_tornado"):
        return  # the same fixtures and marker: whoever has both has tests that were written for that one
    config.pluginmanager.register(_hooks.Hooks(config), _whose.NAME)
    config.pluginmanager.register(_fixtures.Fixtures(), f"{_whose.NAME}_fixtures")
    if not _is_there(config.pluginmanager, "pytest_base_url"):
        config.pluginmanager.register(_fixtures.BaseURL(), f"{_whose.NAME}_base_url")


def pytest_report_header(config: pytest.Config) -> str | None:
    if config.pluginmanager.has_plugin(_whose.NAME):
        return None
    return "asynctest_tornado: leaves the fixtures to pytest-tornado; run pytest with -p no:tornado to use its own"
