"""Read environment variables, at less cost than by ``os.environ``."""

import os
from typing import Any

__unittest = True

#: The class of the environment, whose names can be encoded once for all.
_Environ = type(os.environ)


def get(name: str) -> str | None:
    """Return the value of a variable as it is now, or None if it is not set.

    The same as ``os.environ.get``, at a third of its cost for a variable that is not set: that raises ``KeyError``
    twice, which takes about 1 us for each setting of each test.
    """
    environ: Any = os.environ  # a test may have replaced it
    found: object
    try:
        value = environ._data.get(_encoded[name])
        if value is None:
            return None  # mostly
        found = environ.decodevalue(value)
    except KeyError:
        if type(environ) is _Environ:
            _encoded[name] = environ.encodekey(name)
        found = environ.get(name)
    except AttributeError:
        found = environ.get(name)
    return found if isinstance(found, str) else None  # a mock has a value for each name


#: The names of variables as the system has them. There are a handful.
_encoded: dict[str, Any] = {}


def is_any_set(names: frozenset[str]) -> bool:
    """Return whether one of several variables is set now.

    A test looks for several variables at once, because `get` for each of them would cost three times as much.
    """
    environ: Any = os.environ
    try:
        is_none_set: object = environ._data.keys().isdisjoint(_encoded_names[names])
    except KeyError:
        if type(environ) is _Environ:
            _encoded_names[names] = frozenset(map(environ.encodekey, names))
    except AttributeError:
        pass
    else:
        return is_none_set is False
    return any(get(name) is not None for name in names)


#: The same for sets of variables.
_encoded_names: dict[frozenset[str], frozenset[Any]] = {}
