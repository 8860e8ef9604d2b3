import gc
import queue
import sys
import threading
import unittest
from typing import Any

from asynctest_tornado._util.stacks import outermost_frames, outwards, stack_of


class StacksTest(unittest.TestCase):
    def setUp(self) -> None:
        jobs: queue.SimpleQueue[None] = queue.SimpleQueue()
        has_begun = threading.Event()

        def wait() -> None:
            has_begun.set()
            jobs.get()

        self.thread = threading.Thread(target=wait)
        self.thread.start()
        self.addCleanup(self.thread.join)
        self.addCleanup(jobs.put, None)
        has_begun.wait()

    def names(self) -> list[str]:
        assert self.thread.ident is not None
        return [frame.f_code.co_name for frame in stack_of(self.thread.ident)]

    def test_the_innermost_is_first(self) -> None:
        self.assertEqual(self.names()[-4:], ["wait", "run", "_bootstrap_inner", "_bootstrap"])

    def test_own_thread(self) -> None:
        own = list(outwards(sys._getframe()))
        self.assertEqual(stack_of(threading.get_ident())[-len(own) :], own)

    def test_a_thread_that_has_ended_has_none(self) -> None:
        self.assertEqual(stack_of(-1), [])

    def test_outermost_frames(self) -> None:
        assert self.thread.ident is not None
        self.assertEqual(outermost_frames()[self.thread.ident].f_code.co_name, "_bootstrap")

    def test_the_collection_stays_as_it_was(self) -> None:
        self.names()
        self.assertTrue(gc.isenabled())
        gc.disable()
        self.addCleanup(gc.enable)
        self.names()
        self.assertFalse(gc.isenabled())

    @unittest.skipIf(sys.version_info >= (3, 12), "a collection runs between two instructions only")
    def test_no_collection_begins_meanwhile(self) -> None:
        """A finalizer that runs within ``f_back`` lets the other thread go on, and its frame end."""
        collections: list[Any] = []

        def note(phase: str, info: dict[str, int]) -> None:
            collections.append(sys._getframe(1).f_code.co_name)

        thresholds = gc.get_threshold()
        self.addCleanup(gc.set_threshold, *thresholds)
        self.addCleanup(gc.callbacks.remove, note)
        gc.callbacks.append(note)
        gc.set_threshold(1)
        self.names()
        outermost_frames()
        gc.set_threshold(*thresholds)
        self.assertNotIn("outwards", collections)
