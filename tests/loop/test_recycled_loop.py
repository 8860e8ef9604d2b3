import asyncio
import gc
import os
import selectors
import signal
import socket
import sys
import threading
import time
import unittest
import weakref
from collections.abc import AsyncIterator
from typing import Any
from unittest import mock

from tornado.util import Configurable

from asynctest_tornado import AsyncTestCase
from asynctest_tornado._loop.recycled_loop import RecyclingLoop
from asynctest_tornado._loop.selector import Selector
from tests.support import environ, run_body, run_code


def files() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


class RecyclingTest(unittest.TestCase):
    def setUp(self) -> None:
        RecyclingLoop().close()
        #: The self-pipe that each next loop takes over, if the loop before was closed in good order.
        self.number = self.used()

    def used(self) -> int:
        """Return the file of the socket that a new loop is woken by."""
        loop: Any = RecyclingLoop()
        number: int = loop._ssock.fileno()
        loop.close()
        return number

    def check_is_closed_for_good(self, loop: Any) -> None:
        """Close a loop that got the parts of another one, which must not get any further."""
        self.assertEqual(loop._ssock.fileno(), self.number)
        reading = loop._ssock
        selector = loop._selector
        loop.close()
        self.assertEqual(reading.fileno(), -1)
        self.assertIsNone(selector.get_map())

    def test_a_loop_in_good_order_hands_its_parts_on(self) -> None:
        before = files()
        for _ in range(3):
            self.assertEqual(self.used(), self.number)
        self.assertEqual(files(), before)

    def test_a_loop_knows_nothing_of_the_one_before(self) -> None:
        fresh: Any = asyncio.SelectorEventLoop()
        self.addCleanup(fresh.close)
        old: Any = RecyclingLoop()
        old.run_until_complete(asyncio.sleep(0))
        old._asynctest_system.selector.alarm = (0.0, self.fail)
        old._asynctest_system.selector.users.append(mock.Mock())
        old._asynctest_system.selector.watchers.append(mock.Mock())
        old.close()
        self.assertIsNone(old._selector)
        new: Any = RecyclingLoop()
        self.addCleanup(new.close)
        selector, unused = new._asynctest_system.selector, Selector()
        self.addCleanup(unused.close)
        for name in "alarm", "users", "was_quiet", "watchers":
            self.assertEqual(getattr(selector, name), getattr(unused, name))
        (key,) = selector.get_map().values()
        (other,) = fresh._selector.get_map().values()
        self.assertEqual((key.fd, key.events), (new._ssock.fileno(), other.events))
        self.assertEqual(key.data[0]._callback, new._read_from_self)
        own = {name: value for name, value in vars(new).items() if not name.startswith("_asynctest_")}
        self.assertEqual(own.keys(), vars(fresh).keys())
        for name, value in vars(fresh).items():
            with self.subTest(name):
                if name in ("_selector", "_ssock", "_csock"):
                    continue
                self.assertIs(type(own[name]), type(value))
                if value is None or isinstance(value, (bool, int, float)):
                    self.assertEqual(own[name], value)
                    continue
                self.assertIsNot(own[name], vars(old)[name])
                if type(value).__module__ == "asyncio.unix_events":  # from Python 3.14 on, there is one
                    self.assertEqual(vars(own[name]), vars(value))
                else:
                    self.assertFalse(own[name])

    def test_a_loop_is_debugged_where_the_environment_says_so(self) -> None:
        with environ(PYTHONASYNCIODEBUG="1"):
            for loop in RecyclingLoop(), RecyclingLoop():
                self.assertTrue(loop.get_debug())
                loop.close()
        loop = RecyclingLoop()
        self.addCleanup(loop.close)
        self.assertFalse(loop.get_debug())

    def test_what_others_add_to_the_constructors_is_called_for_each_loop(self) -> None:
        for cls in asyncio.BaseEventLoop, asyncio.SelectorEventLoop:
            made: list[Any] = []
            original = cls.__init__

            def init(loop: Any, *args: Any, original: Any = original, made: Any = made) -> None:
                original(loop, *args)
                loop.number = len(made)
                loop.file = loop._asynctest_system.selector.fileno()
                made.append(loop)

            with self.subTest(cls.__name__), mock.patch.object(cls, "__init__", init):
                loops: list[Any] = [RecyclingLoop(), RecyclingLoop()]
                for loop in loops:
                    loop.close()
                loops.append(RecyclingLoop())
                loops[-1].close()
                self.assertEqual(made, loops)
                self.assertEqual([loop.number for loop in loops], [0, 1, 2])
                self.assertEqual(loops[0].file, loops[2].file)
                self.assertNotEqual(loops[0].file, loops[1].file)

    def test_what_others_put_in_the_place_of_what_these_call_is_called_for_each_loop(self) -> None:
        for owner, name in (
            (asyncio.BaseEventLoop, "set_debug"),
            (asyncio.coroutines, "_is_debug_mode"),
            (time, "get_clock_info"),
        ):
            with (
                self.subTest(name),
                mock.patch.object(owner, name, autospec=True, side_effect=getattr(owner, name)) as put,
            ):
                RecyclingLoop().close()
                RecyclingLoop().close()
                self.assertEqual(put.call_count, 2)

    def test_a_constructor_that_was_given_other_code_is_called_for_each_loop(self) -> None:
        init: Any = asyncio.BaseEventLoop.__init__
        original = init.__code__
        self.addCleanup(setattr, init, "__code__", original)
        # As an instrumentation does, which leaves the function in its place: here, it has another constant.
        constants = tuple(0.25 if value == 0.1 else value for value in original.co_consts)
        init.__code__ = original.replace(co_consts=constants)
        for _ in range(2):
            loop = RecyclingLoop()
            loop.close()
            self.assertEqual(loop.slow_callback_duration, 0.25)

    def test_what_others_put_around_the_constructor_of_tornado_is_called(self) -> None:
        made: list[Any] = []
        original = Configurable.__new__

        def new(cls: Any, *args: Any, **kwargs: Any) -> Any:
            made.append(original(cls, *args, **kwargs))
            return made[-1]

        def body(case: AsyncTestCase) -> None:
            case.assertIs(case.io_loop, made[-1])

        with mock.patch.object(Configurable, "__new__", new):
            self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_nothing_keeps_a_loop_that_was_closed(self) -> None:
        loop = RecyclingLoop()
        reference = weakref.ref(loop)
        loop.close()
        del loop
        gc.collect()
        self.assertIsNone(reference())

    def test_nested_loops_have_their_own(self) -> None:
        outer: Any = RecyclingLoop()
        inner: Any = RecyclingLoop()
        self.assertNotEqual(outer._ssock.fileno(), inner._ssock.fileno())
        inner.close()
        outer.run_until_complete(asyncio.sleep(0))
        outer.close()

    def test_what_is_empty_goes_to_one_loop_and_leaves_the_one_before(self) -> None:
        old: Any = RecyclingLoop()
        containers = old._asyncgens, old._transports
        old.close()
        new: Any = RecyclingLoop()
        self.addCleanup(new.close)
        other: Any = RecyclingLoop()
        self.addCleanup(other.close)
        for name, handed_on in zip(("_asyncgens", "_transports"), containers, strict=True):
            with self.subTest(name):
                self.assertIs(getattr(new, name), handed_on)
                self.assertIsNot(getattr(old, name), handed_on)
                self.assertIsNot(getattr(other, name), handed_on)
        # Who still has the closed loop has no part in the next one.
        old._transports[0] = self
        self.assertFalse(new._transports)

    def test_a_generator_that_was_left_stays_with_its_loop(self) -> None:
        async def generate() -> AsyncIterator[int]:
            yield 1

        async def begin() -> int:
            return await anext(generator)

        generator = generate()
        old: Any = RecyclingLoop()
        self.assertEqual(old.run_until_complete(begin()), 1)
        old.close()
        new: Any = RecyclingLoop()
        self.addCleanup(new.close)
        self.assertEqual(list(old._asyncgens), [generator])
        self.assertFalse(new._asyncgens)

    def test_a_file_that_was_left(self) -> None:
        loop = RecyclingLoop()
        with socket.socket() as sock:
            loop.add_reader(sock, self.fail)
            self.check_is_closed_for_good(loop)

    def test_a_file_that_asyncio_does_not_know(self) -> None:
        loop: Any = RecyclingLoop()
        with socket.socket() as sock:
            loop._selector.register(sock, selectors.EVENT_WRITE, (None, None))
            self.check_is_closed_for_good(loop)

    def test_signal_handlers(self) -> None:
        loop = RecyclingLoop()
        loop.add_signal_handler(signal.SIGUSR1, self.fail)
        self.check_is_closed_for_good(loop)

    def test_a_thread_that_may_wake_the_loop(self) -> None:
        end = threading.Event()
        thread = threading.Thread(target=end.wait)
        thread.start()
        try:
            self.check_is_closed_for_good(RecyclingLoop())
        finally:
            end.set()
            thread.join()

    def test_a_loop_that_was_woken_and_has_not_noticed(self) -> None:
        loop = RecyclingLoop()

        def wake() -> None:
            loop.call_soon_threadsafe(self.fail)
            loop.stop()

        loop.call_soon(wake)
        loop.run_forever()
        self.check_is_closed_for_good(loop)

    def test_a_loop_that_does_not_run_yet_need_not_be_woken(self) -> None:
        loop = RecyclingLoop()
        self.addCleanup(loop.close)
        loop.call_soon_threadsafe(loop.stop)
        self.assertFalse(loop._asynctest_system.selector.has_events())
        loop.run_forever()

    def test_a_loop_that_is_dropped_closes_what_it_has(self) -> None:
        hook = self.enterContext(mock.patch.object(sys, "unraisablehook"))
        with self.assertWarnsRegex(ResourceWarning, "unclosed event loop"):
            loop = RecyclingLoop()
            del loop
            gc.collect()
        hook.assert_not_called()
        self.assertEqual(self.used(), self.used())

    def test_a_child_process_leaves_the_parts_to_its_parent(self) -> None:
        done = run_code(FORK)
        self.assertEqual((done.stdout, done.stderr), ("child: other\nparent: same\n", ""))

    def test_a_child_process_closes_a_loop_of_its_parent_for_good(self) -> None:
        done = run_code(FORK_INSIDE)
        self.assertEqual((done.stdout, done.stderr), ("child: other\n", ""))

    def test_tests_use_it(self) -> None:
        numbers: list[int] = []

        async def body(case: AsyncTestCase) -> None:
            loop: Any = asyncio.get_running_loop()
            numbers.append(loop._ssock.fileno())

        for _ in range(3):
            self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])
        self.assertEqual(len(set(numbers)), 1)

    def test_a_test_is_freed_without_the_garbage_collector(self) -> None:
        done = run_code(GARBAGE)
        self.assertEqual((done.stdout, done.stderr), ("3 tests passed, and left no garbage\n", ""))

    def test_nothing_is_left_when_the_program_ends(self) -> None:
        done = run_code("from asynctest_tornado._loop.recycled_loop import RecyclingLoop; RecyclingLoop().close()")
        self.assertEqual((done.returncode, done.stderr), (0, ""))


GARBAGE = """
import asyncio, gc, unittest
from tornado.util import Configurable

from asynctest_tornado import AsyncTestCase

class Sample(AsyncTestCase):
    async def test_coroutine(self):
        await asyncio.sleep(0)

    def test_wait(self):
        self.io_loop.add_callback(self.stop)
        self.wait()

    def test_synchronous(self):
        pass

def run():
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Sample).run(result)
    return result

run()
gc.collect()
gc.disable()
result = run()
gc.set_debug(gc.DEBUG_SAVEALL)
gc.collect()
gc.set_debug(0)
assert result.wasSuccessful(), result.errors
print(result.testsRun, "tests passed, and left", gc.garbage or "no garbage")
"""

FORK = """
import asyncio, os, sys
from asynctest_tornado._loop.recycled_loop import RecyclingLoop

RecyclingLoop().close()
loop = RecyclingLoop()
number, inode = loop._ssock.fileno(), os.fstat(loop._ssock.fileno()).st_ino
loop.close()
child = os.fork()
loop = RecyclingLoop()
same = os.fstat(loop._ssock.fileno()).st_ino == inode
loop.run_until_complete(asyncio.sleep(0))
if child == 0:
    print("child:", "same" if same else "other", flush=True)
    loop.close()
    os._exit(0)
os.waitpid(child, 0)
loop.call_soon_threadsafe(loop.stop)
loop.run_forever()
print("parent:", "same" if same else "other")
loop.close()
"""

FORK_INSIDE = """
import os
from asynctest_tornado._loop.recycled_loop import RecyclingLoop

loop = RecyclingLoop()
inode = os.fstat(loop._ssock.fileno()).st_ino
child = os.fork()
if child == 0:
    loop.close()
    loop = RecyclingLoop()
    print("child:", "same" if os.fstat(loop._ssock.fileno()).st_ino == inode else "other", flush=True)
    os._exit(0)
os.waitpid(child, 0)
loop.close()
"""
