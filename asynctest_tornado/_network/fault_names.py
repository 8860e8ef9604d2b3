"""The names of faults and of the network, and the errors for others."""

# Tested by tests/network/test_faults.py.

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from asynctest_tornado._util import spelling

__unittest = True

ATTRIBUTES = ("latency", "bandwidth")
METHODS = ("cut", "reset", "half_close", "hold", "refuse", "stop")
#: What can be read of a host, and how to get another value.
READ_ONLY = {
    "connections": "They are those that clients have made.",
    "errors": "To begin anew, call errors.clear().",
    "is_stopped": "To stop the host, call stop().",
    "requests": "To begin anew, call requests.clear().",
    "url": "It is the one that network.serve() got.",
}
_OF_NETWORK = ("serve", "allow", "partition", "heal", "link")
#: The arguments of a network that look like attributes.
_ARGUMENTS = ("faults", "seed")
#: Other words for faults.
_OTHER_WORDS = {
    "delay": "latency",
    "lag": "latency",
    "slow": "latency",
    "rate": "bandwidth",
    "speed": "bandwidth",
    "throughput": "bandwidth",
    "drop": "cut",
    "close": "cut",
    "disconnect": "cut",
    "truncate": "cut",
    "abort": "reset",
    "hang": "hold",
    "pause": "hold",
    "silence": "hold",
    "reject": "refuse",
    "down": "stop",
    "kill": "stop",
    "shutdown": "stop",
}
_PACKAGE = __name__.partition(".")[0]


class CheckedNames:
    """An object that accepts no attributes but its own: a test would claim a fault that it never had."""

    def _explain_set(self, name: str, value: Any) -> str:
        """Return the message for an attribute that the object does not have, and that is set."""
        raise NotImplementedError

    def _explain_get(self, name: str) -> str:
        """Return the message for an attribute that the object does not have."""
        raise NotImplementedError

    def _explain_method(self, name: str, value: Any) -> str:
        """Return the message for a method that is set."""
        raise NotImplementedError

    if not TYPE_CHECKING:  # which would take every name for an attribute then

        def __setattr__(self, name: str, value: Any) -> None:
            """Set an attribute. Raises ``AttributeError`` if the object has none of that name."""
            if name[0] != "_":
                self._check_name(name, value)
            object.__setattr__(self, name, value)

        def __getattr__(self, name: str) -> Any:
            """Raise ``AttributeError``: there is no such attribute."""
            text = f"{type(self).__name__!r} object has no attribute {name!r}"
            # The name is left out, or Python would add a guess of its own.
            raise AttributeError(text if name[0] == "_" else self._explain_get(name), name=None, obj=self)

    def _check_name(self, name: str, value: Any) -> None:
        if callable(getattr(type(self), name, None)):
            raise AttributeError(self._explain_method(name, value))
        if not self._has(name):
            raise AttributeError(self._explain_set(name, value))

    def _has(self, name: str) -> bool:
        """Return whether the object may have an attribute. A class of the user may have further ones."""
        cls = type(self)
        is_own = cls.__module__.partition(".")[0] == _PACKAGE
        if hasattr(cls, name) or any(name in getattr(each, "__annotations__", ()) for each in cls.__mro__):
            return True
        return not is_own and meant(name, ATTRIBUTES) is None


def meant(name: str, known: Iterable[str]) -> str | None:
    """Return the fault, of the known ones, that another word or a misspelled name stands for, or None."""
    known = tuple(known)
    word = _OTHER_WORDS.get(spelling.plain(name), name)
    return word if word in known else spelling.meant(name, known)


def question(name: str, known: Iterable[str], value: str = "") -> str:
    """Return the question for the fault that a name stands for, with a space before it, or nothing.

    :param value: the value that is set, as text, with the sign before it.
    """
    if name in _OF_NETWORK:
        return f" It is a method of the network: network.{name}()."
    found = meant(name, known)
    return f" Did you mean {found}{value if found in ATTRIBUTES else '()'}?" if found else ""


def listed(of: type) -> str:
    """Return the sentence about the faults that the objects of a class have."""
    return f"The faults are: {', '.join([*ATTRIBUTES, *(f'{each}()' for each in methods_of(of))])}."


def methods_of(of: type) -> list[str]:
    """Return the names of the methods that set faults."""
    return [each for each in METHODS if hasattr(of, each)]


def explain_set_on_network(name: str, value: Any) -> str:
    """Return the message for an attribute of a network that is set."""
    text = f"network.{name} = {value!r} sets nothing"
    if name in _ARGUMENTS:
        return (
            f"{text}: {name} is an argument of VirtualNetwork. Set network_factory on the class of the test to a "
            f"function that returns VirtualNetwork({name}={value!r})."
        )
    fault = meant(name, (*ATTRIBUTES, *METHODS))
    if fault is None:
        return f"{text}. {_ABOUT_NETWORK}"
    written = f"host.{fault} = {value!r}" if fault in ATTRIBUTES else f"host.{fault}()"
    return f"{text}: faults belong to a host, which network.serve() returns. Write {written}."


def explain_get_of_network(name: str, cls: type) -> str:
    """Return the message for an attribute that a network does not have.

    :param cls: the class of the network.
    """
    near = spelling.meant(name, _OF_NETWORK)
    hint = f" Did you mean {near}()?" if near else ""
    return f"{cls.__name__!r} object has no attribute {name!r}.{hint} {_ABOUT_NETWORK}"


_ABOUT_NETWORK = (
    f"A network has {', '.join(f'{each}()' for each in _OF_NETWORK)}; faults belong to a host, which serve() returns."
)


def check_options(url: str, options: Iterable[str]) -> None:
    """Raise ``TypeError`` for arguments of ``network.serve`` that are faults."""
    for name in options:
        fault = name if name in METHODS else _OTHER_WORDS.get(name, name)
        if fault in (*ATTRIBUTES, *METHODS):
            written = f"{fault} = ..." if fault in ATTRIBUTES else f"{fault}()"
            raise TypeError(
                f"network.serve({url!r}, ...) got {name}=, and faults are no arguments of it. Set them on the host "
                f"that it returns: host.{written}"
            )
