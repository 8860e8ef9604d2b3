"""The environment variables that are settings of this library."""

import os
from typing import Any

__unittest = True


def get(name: str) -> str | None:
    """Return the value of a variable as it is now.

    The same as ``os.environ.get``, at a third of its cost for a variable that is not set: that raises ``KeyError``
    twice, which takes about 1 us for each setting of each test.
    """
    environ: Any = os.environ  # which a test may have replaced
    data = getattr(environ, "_data", None)
    if data is None:
        value: str | None = environ.get(name)
        return value
    encoded = data.get(environ.encodekey(name))
    return None if encoded is None else str(environ.decodevalue(encoded))
