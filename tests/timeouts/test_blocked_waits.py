import asyncio
import sys
import time
import unittest
from typing import Any

from tornado import web

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase
from asynctest_tornado._util import debuggers
from tests.limits import limit_clock, run_past_limit
from tests.samples import stuck
from tests.support import run_body, run_case, run_code, run_python


class BlockedLoopTest(unittest.TestCase):
    def test_the_blocking_line_is_reported_and_the_test_ended(self) -> None:
        report = run_past_limit(stuck.Blocked, turns=2).report
        self.assertRegex(report, r"time.sleep\(30\)\n(?s:.*)TimeoutError: .*0.1 seconds.*blocked the event loop")

    def test_a_request_handler_that_blocks_is_named(self) -> None:
        class Slow(web.RequestHandler):
            def get(self) -> None:
                limit_clock.start()
                time.sleep(30)

        class Sample(AsyncHTTPTestCase):
            async_test_timeout = 0.01

            def get_app(self) -> web.Application:
                return web.Application([("/slow", Slow)])

            def test(self) -> None:
                self.fetch("/slow")

            async def test_coroutine(self) -> None:
                await self.fetch("/slow")

        with limit_clock.stopped():
            report = run_case(Sample).report
        with limit_clock.stopped():
            report = run_case(Sample, "test_coroutine").report
        self.assertIn("Slow, which serves GET /slow, blocked the event loop\n", report)
        self.assertNotIn("Pending tasks", report)
        self.assertRegex(report, r"; this line of .*Slow, which serves GET /slow, blocked the event loop")
        self.assertRegex(report, r"event loop\n\Z")
        self.assertNotIn("tornado/", report)

    def test_a_test_that_ends_by_itself_but_too_late_has_timed_out(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            time.sleep(0.01)

        sample = type("Sample", (AsyncTestCase,), {"test": body, "async_test_timeout": 0.005})
        self.assertIn("TimeoutError: Operation timed out after 0.005 seconds", run_case(sample).report)

    def test_a_callback_that_blocks_wait_is_ended(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.add_callback(limit_clock.advance)
            case.io_loop.add_callback(time.sleep, 30)
            case.wait(timeout=0.2)

        with limit_clock.stopped():
            self.assertIn("blocked the event loop", run_body(AsyncTestCase, body).report)

    def test_whichever_task_blocks_it_the_test_is_ended(self) -> None:
        async def block() -> None:
            await asyncio.sleep(0)
            limit_clock.start()
            time.sleep(30)

        async def in_group() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(block())

        async def gathered() -> None:
            await asyncio.gather(block(), asyncio.sleep(30))

        async def awaited_at_the_end() -> None:
            task = asyncio.ensure_future(block())
            try:
                await asyncio.sleep(30)
            finally:
                await task

        async def blocked_twice() -> None:
            task = asyncio.ensure_future(block())
            try:
                await asyncio.sleep(30)
            finally:
                time.sleep(30)
                await task

        for function in in_group, gathered, awaited_at_the_end, blocked_twice:
            with self.subTest(function.__name__):

                def body(case: AsyncTestCase) -> None:
                    case.run_sync(function, timeout=0.2)  # noqa: B023

                with limit_clock.stopped():
                    result = run_body(AsyncTestCase, body)
                self.assertEqual(result.verdicts, ["addError"])
                self.assertIn("blocked the event loop", result.report)

    def test_one_that_catches_everything_is_told(self) -> None:
        async def block() -> None:
            limit_clock.start()
            try:
                time.sleep(120)  # long, or it might end by itself if the watchdog gets no time
            except BaseException:
                return

        with limit_clock.stopped():
            result = run_body(AsyncTestCase, lambda case: case.run_sync(block, timeout=0.2))
        self.assertEqual(result.verdicts, ["addError"])
        self.assertRegex(result.report, r"caught the KeyboardInterrupt.*\nIt was blocked at:\n(?s:.*)time.sleep\(120\)")

    def test_what_blocks_it_again_in_its_cleanup_is_printed_while_it_hangs(self) -> None:
        done = run_code(IN_CLEANUP)
        self.assertIn("The event loop is still blocked after a KeyboardInterrupt", done.stderr)
        self.assertRegex(done.stderr, r'File "<string>", line \d+, in wait_for_release\n')

    def test_a_forked_child_is_watched_too(self) -> None:
        done = run_code(FORKED)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("blocked the event loop"), 2, done.stderr)

    def test_one_that_keeps_computing_is_ended(self) -> None:
        async def compute() -> None:
            limit_clock.advance()
            while True:
                sum(range(100))

        def body(case: AsyncTestCase) -> None:
            case.run_sync(compute, timeout=0.2)

        with limit_clock.stopped():
            self.assertIn("blocked the event loop", run_body(AsyncTestCase, body).report)

    def test_the_next_test_runs_unharmed(self) -> None:
        run_past_limit(stuck.Blocked, turns=2)
        result = run_body(AsyncTestCase, lambda case: case.run_sync(asyncio.sleep, 0.001))
        self.assertEqual(result.verdicts, ["addSuccess"])

    def test_a_busy_loop_is_not_a_blocked_one(self) -> None:
        async def busy() -> None:
            # Each turn is over soon, but there is always a next one.
            while True:
                await asyncio.sleep(0)

        result = run_body(AsyncTestCase, lambda case: case.run_sync(busy, timeout=0.4))
        self.assertIn("TimeoutError", result.report)
        self.assertNotIn("blocked the event loop", result.report)

    def test_it_is_ended_also_where_ctrl_c_is_ignored_or_handled_by_somebody_else(self) -> None:
        for setting in "signal.signal(signal.SIGINT, signal.SIG_IGN)", "unittest.installHandler()":
            with self.subTest(setting):
                done = run_code(f"{IMPORTS}\n{setting}\n{BLOCKED_AND_DEADLOCKED}")
                self.assertRegex(done.stderr, r", in test_1\n( .*\n)*TimeoutError: .*blocked the event loop\n")
                # A signal that was set up for that could wake no loop.
                self.assertIn("this is a deadlock", done.stderr)
                self.assertIn("FAILED (errors=2)", done.stderr)
                self.assertEqual(done.stdout, "True\n")

    def test_in_another_thread_the_report_is_printed_while_it_hangs(self) -> None:
        done = run_code(IN_A_THREAD)
        self.assertIn("The event loop is blocked: 0.1 seconds are over", done.stderr)
        self.assertRegex(done.stderr, r'File "<string>", line \d+, in test\n')


IMPORTS = """
import asyncio, signal, time, unittest
from asynctest_tornado import AsyncTestCase, gen_test
from tests.limits import limit_clock
"""


BLOCKED_AND_DEADLOCKED = """
before = signal.getsignal(signal.SIGINT)

class Sample(AsyncTestCase):
    @gen_test(timeout=0.1)
    async def test_1(self):
        limit_clock.start()
        time.sleep(30)

    @gen_test(timeout=30)
    async def test_2(self):
        await asyncio.Event().wait()

with limit_clock.stopped():
    unittest.main(exit=False)
print(signal.getsignal(signal.SIGINT) is before)
"""


#: Lets a test go on that blocks its loop, as soon as the report says so.
RELEASE = """
import sys, threading, time, unittest
from asynctest_tornado import AsyncTestCase, gen_test
from tests.limits import limit_clock

release = threading.Event()

class Stderr:
    def write(self, text):
        sys.__stderr__.write(text)
        if "blocked" in text:
            release.set()
    def flush(self):
        sys.__stderr__.flush()

sys.stderr = Stderr()
"""


IN_A_THREAD = f"""{RELEASE}
class Sample(AsyncTestCase):
    @gen_test(timeout=0.1)
    async def test(self):
        limit_clock.start()
        release.wait()

thread = threading.Thread(target=Sample("test").run)
with limit_clock.stopped():
    thread.start()
    thread.join()
"""


IN_CLEANUP = f"""{RELEASE}
class Sample(AsyncTestCase):
    @gen_test(timeout=0.1)
    async def test(self):
        limit_clock.start()
        try:
            time.sleep(30)
        finally:
            self.wait_for_release()

    def wait_for_release(self):
        release.wait()

with limit_clock.stopped():
    Sample("test").run()
"""


FORKED = """
import os, time, unittest
from asynctest_tornado import AsyncTestCase, gen_test
from tests.limits import limit_clock

class Sample(AsyncTestCase):
    @gen_test(timeout=0.1)
    async def test(self):
        limit_clock.start()
        time.sleep(30)

def run():
    with limit_clock.stopped():
        unittest.TextTestRunner().run(Sample("test"))

run()
pid = os.fork()
if pid == 0:
    run()
    os._exit(0)
os.waitpid(pid, 0)
"""


class DebuggerTest(unittest.TestCase):
    def test_time_stands_still_under_a_debugger(self) -> None:
        done = run_python("-c", DEBUGGED)
        self.assertRegex(done.stderr, r"Ran 1 test in .*\n\nOK\n", done.stderr)

    def test_a_coverage_tool_is_no_debugger(self) -> None:
        def trace(frame: Any, event: str, arg: Any) -> None:
            return None

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            self.assertFalse(debuggers.are_attached())
        finally:
            sys.settrace(before)


DEBUGGED = """
import asyncio, bdb, sys, unittest
from asynctest_tornado import AsyncTestCase, gen_test

class Debugger(bdb.Bdb):
    pass

class Sample(AsyncTestCase):
    @gen_test(timeout=0.01)
    async def test(self):
        await asyncio.sleep(0.1)

debugger = Debugger()
debugger.reset()
sys.settrace(debugger.trace_dispatch)
unittest.main()
"""
