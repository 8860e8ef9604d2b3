"""The owner of an error: if it is certain, the error fails its test; if not, it fails none, and says "perhaps"."""

import tempfile
import unittest
from pathlib import Path

from tests.support import run_code, run_python

IMPORTS = """
import asyncio, gc, queue, threading, unittest
from tornado.ioloop import IOLoop
from asynctest_tornado import AsyncTestCase

class Bad:
    def __del__(self):
        raise ValueError("planted")

class Cyclic(Bad):
    def __init__(self):
        self.me = self

async def never():
    pass

"""


class GarbageTest(unittest.TestCase):
    """An object that the garbage collector finds fails a test only if no other code can have left it."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def run_tests(self, code: str) -> tuple[int, str]:
        done = run_code(f"{IMPORTS}{code}\nunittest.main(verbosity=2)")
        return done.returncode, done.stderr

    def check_is_a_guess(self, code: str) -> None:
        status, report = self.run_tests(code)
        self.assertRegex(report, r"Exception ignored (?:in|while)(?s:.*)ValueError: planted\n")
        self.assertRegex(
            report, r"Perhaps it was left by one of these tests, or by code outside of them: .*Ours\.test_1"
        )
        self.assertEqual(status, 0, report)

    def test_that_of_a_plain_test(self) -> None:
        self.check_is_a_guess(BESIDE.replace("BASE", "unittest.TestCase").replace("ASYNC ", ""))

    def test_that_of_a_test_of_asyncio(self) -> None:
        self.check_is_a_guess(BESIDE.replace("BASE", "unittest.IsolatedAsyncioTestCase").replace("ASYNC", "async"))

    def test_that_of_a_plain_test_which_a_test_of_ours_finds(self) -> None:
        self.check_is_a_guess(BETWEEN)

    def test_that_of_a_test_of_ours(self) -> None:
        status, report = self.run_tests(OURS_ALONE)
        self.assertIn("ERROR: test_1 (__main__.Ours.test_1) or a later test up to test_2", report)
        self.assertIn("ValueError: planted", report)
        self.assertEqual(status, 1)

    def test_what_was_there_before_the_first_test(self) -> None:
        status, report = self.run_tests(BEFORE)
        self.assertIn("ValueError: planted", report)
        self.assertEqual(status, 0, report)

    def test_a_coroutine_of_a_plain_test(self) -> None:
        status, report = self.run_tests(COROUTINE)
        self.assertRegex(report, "coroutine 'never' was never awaited")
        self.assertEqual(status, 0, report)

    def test_that_of_a_function_of_pytest(self) -> None:
        path = self.folder / "test_sample.py"
        path.write_text(IMPORTS + FUNCTIONS)
        done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", str(path), cwd=self.folder)
        self.assertRegex(done.stdout, r"ValueError: planted")
        self.assertIn("Perhaps it was left by one of these tests", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_that_of_a_test_of_ours_under_pytest(self) -> None:
        path = self.folder / "test_sample.py"
        path.write_text(IMPORTS + OURS_ALONE)
        done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", str(path), cwd=self.folder)
        self.assertRegex(done.stdout, r"ValueError: planted")
        self.assertEqual(done.returncode, 1, done.stdout)


BESIDE = """
gc.disable()

class Ours(AsyncTestCase):
    async def test_1(self):
        pass

class Plain(BASE):
    ASYNC def test_2_leaves_it(self):
        Cyclic()

    ASYNC def test_3_finds_it(self):
        gc.collect()
"""

BETWEEN = """
gc.disable()

class Ours(AsyncTestCase):
    async def test_1(self):
        pass

class Plain(unittest.TestCase):
    def test_2_leaves_it(self):
        Cyclic()

class ThenOurs(AsyncTestCase):
    async def test_3_finds_it(self):
        gc.collect()
"""

OURS_ALONE = """
gc.disable()

class Ours(AsyncTestCase):
    async def test_1(self):
        Cyclic()

    async def test_2(self):
        gc.collect()
"""

BEFORE = """
gc.disable()
Cyclic()

class Ours(AsyncTestCase):
    async def test_1(self):
        gc.collect()
"""

COROUTINE = """
gc.disable()
import warnings
warnings.simplefilter("default")

class Ours(AsyncTestCase):
    async def test_1(self):
        pass

class Plain(unittest.TestCase):
    def test_2(self):
        cyclic = type("Cyclic", (), {})()
        cyclic.me, cyclic.coro = cyclic, never()

    def test_3(self):
        gc.collect()
"""

FUNCTIONS = """
gc.disable()

class TestOurs(AsyncTestCase):
    async def test_1(self):
        pass

def test_2_leaves_it():
    Cyclic()

def test_3_finds_it():
    gc.collect()
"""


class FutureTest(unittest.TestCase):
    """A future that is not recorded is known by its loop, whichever test runs when it is dropped."""

    #: Each leaves a future whose error is never retrieved, and which no coroutine or task of its own stands for.
    LEAVES = (
        "future = asyncio.Future(); future.set_exception(ValueError('planted'))",
        "future = asyncio.gather(fail(), other())",
        "future = asyncio.shield(fail())",
    )

    def test_its_own_test_fails_and_not_the_one_in_which_it_is_collected(self) -> None:
        for leave in self.LEAVES:
            with self.subTest(leave):
                report = self.run_tests(FUTURES, leave, "Cyclic(future)", "gc.collect()")
                self.assertRegex(report, r"ERROR: test_1 \(__main__\.Ours\.test_1\)\n(?s:.*)ValueError: planted")
                self.assertNotIn("ERROR: test_2", report)
                self.assertIn("FAILED (errors=1)", report)

    def test_nor_the_one_which_drops_it(self) -> None:
        for leave in self.LEAVES:
            with self.subTest(leave):
                report = self.run_tests(FUTURES, leave, "left.append(future)", "left.clear()")
                self.assertRegex(report, r"ERROR: test_1 \(__main__\.Ours\.test_1\)\n(?s:.*)ValueError: planted")
                self.assertNotIn("ERROR: test_2", report)

    def test_an_automatic_collection_is_no_other(self) -> None:
        allocate = "gc.set_threshold(10); self.lists = [[] for _ in range(100_000)]"
        report = self.run_tests(FUTURES, self.LEAVES[0], "Cyclic(future)", allocate)
        self.assertIn("ERROR: test_1 (__main__.Ours.test_1)\n", report)
        self.assertNotIn("ERROR: test_2", report)

    def test_on_the_loop_of_a_class_it_is_of_one_of_the_tests(self) -> None:
        code = FUTURES.replace("left = []\n", "left = []\nAsyncTestCase.loop_scope = 'class'\n")
        report = self.run_tests(code, self.LEAVES[0], "Cyclic(future)", "gc.collect()")
        self.assertIn("ERROR: Ours (__main__.Ours) or a later test up to test_2 (__main__.Ours.test_2)", report)
        self.assertIn("code outside of them: __main__.Ours, __main__.Ours.test_1, __main__.Ours.test_2", report)
        self.assertIn("FAILED (errors=1)", report)

    def test_also_when_the_class_is_over(self) -> None:
        code = FUTURES.replace("left = []\n", "left = []\nAsyncTestCase.loop_scope = 'class'\n")
        code = code.replace("    async def test_2", "class Then(AsyncTestCase):\n    async def test_2")
        for keep, find in ("Cyclic(future)", "gc.collect()"), ("left.append(future)", "left.clear()"):
            with self.subTest(find):
                report = self.run_tests(code, self.LEAVES[0], keep, find)
                self.assertIn("ERROR: Ours (__main__.Ours) or a later test up to test_1 (__main__.Ours.test_1)", report)
                self.assertIn("FAILED (errors=1)", report)
                self.assertEqual("Garbage collection found it." in report, find == "gc.collect()", report)

    def run_tests(self, code: str, leave: str, keep: str, find: str) -> str:
        done = run_code(IMPORTS + code.replace("LEAVE", leave).replace("KEEP", keep).replace("FIND", find))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stderr.count("ValueError: planted"), 1, done.stderr)
        return done.stderr


FUTURES = """
gc.disable()
left = []

class Cyclic:
    def __init__(self, future):
        self.me, self.future = self, future

async def fail():
    raise ValueError("planted")

async def other():
    await asyncio.sleep(0)

class Ours(AsyncTestCase):
    async def test_1(self):
        LEAVE
        await asyncio.sleep(0.001)
        KEEP

    async def test_2(self):
        gc.enable()
        FIND

unittest.main(verbosity=2)
"""


class AttributeTest(unittest.TestCase):
    """An object that goes together with a test, when the runner drops that, belongs to the test."""

    def test_attributes_of_a_plain_test_are_none_of_ours(self) -> None:
        done = run_code(IMPORTS + ATTRIBUTES)
        self.assertIn("ValueError: planted", done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_attributes_of_a_test_of_ours_fail_it_also_where_others_run_by_then(self) -> None:
        done = run_code(IMPORTS + ATTRIBUTES.replace("Middle(unittest.TestCase)", "Middle(AsyncTestCase)"))
        self.assertRegex(done.stderr, r"ERROR: test_2 \(__main__.Middle.test_2\)\n(?s:.*)ValueError: planted")
        self.assertEqual(done.stderr.count("ERROR: "), 1, done.stderr)

    def test_a_test_that_is_dropped_in_the_middle_of_another_one(self) -> None:
        done = run_code(IMPORTS + DROPPED)
        self.assertRegex(done.stderr, r"ERROR: test_1 \(__main__.Ours.test_1\)\n(?s:.*)ValueError: planted")
        self.assertEqual(done.stderr.count("ERROR: "), 1, done.stderr)


ATTRIBUTES = """
class First(AsyncTestCase):
    def test_1(self):
        pass

class Middle(unittest.TestCase):
    def test_2(self):
        self.bad = Bad()

class Others(unittest.TestCase):
    def test_3(self):
        pass

unittest.main(verbosity=2)
"""

DROPPED = """
class Ours(AsyncTestCase):
    def test_1(self):
        self.bad = Bad()

    async def test_2(self):
        del tests[0]

tests = [Ours("test_1")]

class Suite(unittest.TestSuite):
    def run(self, result, debug=False):
        tests[0](result)
        Ours("test_2")(result)
        return result

result = unittest.TextTestRunner().run(Suite())
"""


class ThreadTest(unittest.TestCase):
    """A thread that has outlived its test may work for others."""

    def test_an_item_of_a_plain_test_is_none_of_ours(self) -> None:
        for item in "Bad()", "never()", "logging.getLogger('tornado.application').error('x', exc_info=e)":
            with self.subTest(item):
                done = run_code(IMPORTS + WORKER.replace("ITEM", item))
                self.assertRegex(done.stderr, "planted|never awaited")
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_report_says_perhaps(self) -> None:
        done = run_code(IMPORTS + WORKER.replace("ITEM", "Bad()"))
        self.assertRegex(
            done.stderr, r"Perhaps it belongs to __main__.Ours.test_1, which has started the thread worker\."
        )

    def test_an_item_of_its_own_test_fails_it(self) -> None:
        code = WORKER.replace("ITEM", "Bad()").replace(
            "worker.start()", "worker.start(); items.put(work); items.join()"
        )
        done = run_code(IMPORTS + code)
        self.assertIn("ERROR: test_1", done.stderr)


WORKER = """
import logging
items = queue.Queue()

def run():
    while True:
        item = items.get()
        item()
        items.task_done()

def work():
    e = ValueError("planted")
    ITEM

worker = threading.Thread(target=run, daemon=True, name="worker")

class Ours(AsyncTestCase):
    leaks = "ignore"

    def test_1(self):
        worker.start()

class Plain(unittest.TestCase):
    def test_2(self):
        items.put(work)
        items.join()

unittest.main(verbosity=2)
"""


class LentLoopTest(unittest.TestCase):
    """Callbacks and tasks that were on a loop before a test got it do not belong to the test."""

    def check(self, leave: str) -> None:
        for wait in "self.io_loop.add_callback(self.work, self.stop)\n        self.wait()", "self.run_sync(self.work)":
            with self.subTest(leave=leave, wait=wait):
                done = run_code(IMPORTS + LENT.replace("LEAVE", leave).replace("WAIT", wait))
                self.assertIn("ValueError: planted", done.stderr)
                self.assertIn("on the event loop before the test, perhaps", done.stderr)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_callbacks(self) -> None:
        self.check("io_loop.add_callback(boom)")
        self.check("asyncio_loop.call_soon(boom)")

    def test_timers(self) -> None:
        self.check("io_loop.call_later(0.01, boom)")
        self.check("asyncio_loop.call_later(0.01, boom)")

    def test_what_these_schedule(self) -> None:
        self.check("io_loop.call_later(0.01, io_loop.add_callback, boom)")

    def test_handlers_of_files(self) -> None:
        self.check("ours.send(b'x'); asyncio_loop.add_reader(theirs, boom)")

    def test_tasks(self) -> None:
        self.check("asyncio_loop.create_task(fail())")
        self.check("tasks.append(asyncio_loop.create_task(fail())); turn()")
        self.check("io_loop.add_callback(fail); turn()")

    def test_errors_of_the_test_itself_count(self) -> None:
        for schedule in "io_loop.add_callback", "asyncio_loop.call_soon", "asyncio_loop.call_soon_threadsafe":
            code = LENT.replace("LEAVE", "pass").replace("WAIT", f"{schedule}(boom); self.run_sync(self.work)")
            with self.subTest(schedule):
                self.assertIn("ERROR: test_2", run_code(IMPORTS + code).stderr)


LENT = """
import socket
asyncio_loop = asyncio.new_event_loop()
io_loop = IOLoop(make_current=False, asyncio_loop=asyncio_loop)
ours, theirs = socket.socketpair()
tasks = []
raised = []

def boom():
    raised.append(True)
    asyncio_loop.remove_reader(theirs)
    raise ValueError("planted")

async def fail():
    await asyncio.sleep(0.01)
    raised.append(True)
    raise ValueError("planted")

def turn():
    asyncio_loop.call_soon(asyncio_loop.stop)
    asyncio_loop.run_forever()

class Earlier(unittest.TestCase):
    def test_1(self):
        LEAVE

class Ours(AsyncTestCase):
    leaks = "ignore"

    def get_new_ioloop(self):
        return io_loop

    async def work(self, and_then=int):
        while not raised:
            await asyncio.sleep(0.001)
        for _ in range(10):  # turns, in which Tornado and asyncio log it
            await asyncio.sleep(0)
        and_then()

    def test_2(self):
        WAIT
        tasks.clear()

program = unittest.main(verbosity=2, exit=False)
ours.close()
theirs.close()
io_loop.close()
raise SystemExit(not program.result.wasSuccessful())
"""
