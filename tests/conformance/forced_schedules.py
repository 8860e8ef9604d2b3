"""Tornado's own tests, each under 20 orders of ready callbacks and tasks.

python -m tests.conformance.forced_schedules [MODULE...]

prints a table, and then each test that fails.
"""

import os

import asynctest_tornado.replace  # noqa: F401  # before anything imports tornado.testing
from tests.conformance import forced

MODULES = "gen_test", "ioloop_test", "locks_test", "queues_test"

#: Tests that rely on more than asyncio promises, and why that is no mistake.
EXCEPTIONS = {
    "gen_test.GenCoroutineTest.test_moment": "spells out that gen.moment is one turn of the loop for each of two "
    "coroutines, which Tornado promises",
}

if __name__ == "__main__":
    os.environ.setdefault("ASYNC_TEST_SCHEDULES", "20")
    forced.main(MODULES, EXCEPTIONS)
