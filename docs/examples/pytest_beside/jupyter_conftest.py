"""The fixture that runs the tests of a Jupyter extension on the loop of this library, for a ``conftest.py``."""

import asyncio

import pytest
from tornado.ioloop import IOLoop


@pytest.fixture(autouse=True)
def jp_asyncio_loop(asynctest_tornado_io_loop: IOLoop) -> asyncio.AbstractEventLoop:
    return asynctest_tornado_io_loop.asyncio_loop  # type: ignore[attr-defined, no-any-return]
