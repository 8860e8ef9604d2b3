"""The plugin for pytest: declares its settings, registers hooks and fixtures.

pytest imports this in every project, with the few rooms that it needs. The first test on Tornado's loop imports the
rest of the library.
"""

import sys
import typing as _typing
from collections.abc import Generator, Sequence

import pytest

from asynctest_tornado._pytest import claims as _claims
from asynctest_tornado._pytest import fixtures as _fixtures
from asynctest_tornado._pytest import hooks as _hooks
from asynctest_tornado._pytest import inner_fixtures as _inner_fixtures
from asynctest_tornado._util import settings as _settings

__unittest = True

#: It comes first, so that the filters of the user override it.
_FILTER = "always:.* left these resources open:ResourceWarning"
#: The option of pytest-tornado, pytest-tornasync and others.
_OPTION_OF_OTHERS = "--async-test-timeout"


def pytest_addoption(parser: pytest.Parser) -> None:
    # Options, keys and attributes of the options are shared by all plugins: each name of ours says whose it is.
    for setting in _settings.SETTINGS:
        text = setting.pytest_meaning
        if setting.pytest_option:
            group = parser.getgroup("asynctest_tornado")
            group.addoption(setting.pytest_option, metavar=setting.unit, help=text)
        if setting.ini:
            # Where an environment variable comes next, nothing is set.
            default = "" if setting.variable else setting.default
            kind: _typing.Literal["args", "string"] = "args" if default == () else "string"
            parser.addini(setting.ini, text, kind, default)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(parser: pytest.Parser, args: Sequence[str]) -> Generator[None, object, object]:
    """Accept the option of pytest-tornado if the user gives it, and no plugin that is loaded has it.

    If this registered it in advance, another plugin that has it could not be loaded.
    """
    _check_options(args)
    result = yield
    is_given = any(str(arg).partition("=")[0] == _OPTION_OF_OTHERS for arg in args)
    if is_given and parser.parse_known_and_unknown_args([f"{_OPTION_OF_OTHERS}=0"])[1]:
        parser.getgroup("asynctest_tornado").addoption(
            _OPTION_OF_OTHERS, metavar="SECONDS", type=float, help="as --asynctest-tornado-timeout"
        )
    return result


def _check_options(args: Sequence[str]) -> None:
    """Raise ``pytest.UsageError`` for an option that was meant for this library, and that it does not have."""
    known = {setting.pytest_option for setting in _settings.SETTINGS if setting.pytest_option}
    for arg in map(str, args):
        name = arg.partition("=")[0]
        if name.startswith("--asynctest") and name not in known:
            raise pytest.UsageError(f"There is no option {name}. asynctest_tornado has {', '.join(sorted(known))}.")


def pytest_configure(config: pytest.Config) -> None:
    arguments = f"({_arguments()}): run the test, which may be a generator, on Tornado's loop {_claims.SIGNATURE}"
    config.addinivalue_line("markers", _claims.OWN_MARKER + arguments)
    if not _claims.has_package(config, "pytest_tornado"):
        config.addinivalue_line("markers", _claims.MARKER + arguments)
    if not sys.warnoptions:
        config.getini("filterwarnings").insert(0, _FILTER)
    try:
        _settings.MODE.read(config.getini(_settings.MODE.ini), f"the setting {_settings.MODE.ini} of pytest")
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    manager = config.pluginmanager
    manager.register(_hooks.Hooks(config), _claims.NAME)
    manager.register(_inner_fixtures.Inner(), f"{_claims.NAME}_inner")
    manager.register(_fixtures.named(prefix=_claims.PREFIX), f"{_claims.NAME}_prefixed")
    _register_first(manager, _fixtures.named(), f"{_claims.NAME}_fixtures")
    _wanted(config)


def pytest_terminal_summary(terminalreporter: _typing.Any) -> None:
    """Say in how many orders tests have passed that run in all of them: in each run if that is no proof."""
    passed = terminalreporter.getreports("passed")
    # Other plugins may have objects of any kind there.
    explored = [each for each in passed if _claims.EXPLORED in getattr(each, "__dict__", ())]
    found = [(each.nodeid, *vars(each)[_claims.EXPLORED]) for each in explored]
    lines = [f"{name}: {said}" for name, is_proof, said in found if terminalreporter.verbosity > 0 or not is_proof]
    if lines:
        terminalreporter.section("orders of asynctest_tornado")
        terminalreporter.write_line("\n".join(lines))


def _arguments() -> str:
    """Return the arguments of the marker, with their defaults; None stands for the settings of pytest and the like."""
    return ", ".join(
        f"{setting.argument}={None if setting.variable else setting.default}"
        for setting in _settings.SETTINGS
        if setting.argument
    )


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Register the fixtures that the user asks for after the fixtures of all plugins that were loaded."""
    names = _wanted(session.config)
    if names:
        session.config.pluginmanager.register(_fixtures.named(names), f"{_claims.NAME}_wanted")


def _wanted(config: pytest.Config) -> set[str]:
    """Return the names of the fixtures that the user asks for."""
    wanted = config.getini("asynctest_tornado_fixtures")
    unknown = set(wanted) - _fixtures.NAMES - {"all"}
    if unknown:
        raise pytest.UsageError(
            f"asynctest_tornado_fixtures cannot name {min(unknown)!r}. It takes 'all', or some of "
            f"{', '.join(sorted(_fixtures.NAMES))}."
        )
    return set(_fixtures.NAMES) if "all" in wanted else set(wanted)


def _register_first(manager: pytest.PytestPluginManager, plugin: object, name: str) -> None:
    """Register fixtures that any other plugin overrides by fixtures of the same names.

    Of several plugins, pytest takes the fixture of the plugin that was registered last. Its manager of fixtures, which
    is made when the session begins, gets all plugins from a list. pytest has no public way to come first in the list.
    Without the list, these fixtures override the fixtures of plugins that were loaded before.
    """
    manager.register(plugin, name)
    history = getattr(manager.hook.pytest_plugin_registered, "_call_history", None)
    if isinstance(history, list):
        history.sort(key=lambda entry: entry[0].get("plugin") is not plugin)  # the others keep their order
