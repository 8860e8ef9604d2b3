"""The fixture that runs the tests of a Jupyter extension on the loop of this library, for a ``conftest.py``."""

import pytest


@pytest.fixture(autouse=True)
def jp_asyncio_loop(asynctest_tornado_io_loop):
    return asynctest_tornado_io_loop.asyncio_loop
