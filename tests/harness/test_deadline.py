import asyncio
import contextlib
import unittest
from typing import Any
from unittest import mock

from asynctest_tornado import AsyncTestCase
from asynctest_tornado._util import names
from tests.samples import cases
from tests.support import run_body, run_case, run_code


class AbandonedTest(unittest.TestCase):
    def test_a_test_that_refuses_to_end_is_abandoned(self) -> None:
        with mock.patch("asynctest_tornado._harness.deadline.CANCEL_RETRY_SECONDS", 0.01):
            report = run_case(cases.RefusesToEndInDeadlock).report
        self.assertRegex(report, "this is a deadlock.*is abandoned")

    def test_a_test_that_is_abandoned_keeps_its_name(self) -> None:
        async def body(case: Any) -> None:
            tasks.append(asyncio.current_task())
            while True:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()

        tasks: list[Any] = []
        with mock.patch("asynctest_tornado._harness.deadline.CANCEL_RETRY_SECONDS", 0.01):
            run_body(AsyncTestCase, body)
        self.assertRegex(names.name_of_task(tasks[0]), r"\.body$")


class InterruptTest(unittest.TestCase):
    def test_ctrl_c_ends_the_run_and_shows_where_the_test_stood(self) -> None:
        done = run_code(INTERRUPTED)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("KeyboardInterrupt", done.stderr)
        self.assertRegex(done.stderr, r"KeyboardInterrupt\nPending tasks:\n.*\n.* in test_1.*\n.* in helper")
        self.assertNotIn("second test", done.stdout)


INTERRUPTED = """
import asyncio, os, signal, threading, unittest
from asynctest_tornado import AsyncTestCase

class Sample(AsyncTestCase):
    async def helper(self):
        self.io_loop.add_callback(threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start)
        await asyncio.Event().wait()

    async def test_1(self):
        await self.helper()

    def test_2(self):
        print("second test")

unittest.main()
"""
