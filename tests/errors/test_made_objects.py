import asyncio
import contextvars
import threading
import unittest
from typing import Any

from tornado import gen
from tornado.ioloop import IOLoop, PeriodicCallback

from asynctest_tornado import AsyncTestCase, ExceptionStackContext, NullContext
from asynctest_tornado._errors import contexts, made_objects, owner
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.feature import NO_FEATURES
from asynctest_tornado._sources import lent_loop
from asynctest_tornado._sources.outliving_threads import InThread
from asynctest_tornado._util import origins
from tests.support import run_body, run_case


class Thing:
    """A class of the user: its objects can be referred to weakly."""


class ChainTest(unittest.TestCase):
    """The outermost context of the running code owns the objects that the code makes, if it is a test."""

    def setUp(self) -> None:
        self.trap = Trap(self.id, NO_FEATURES)
        self.thing: Any = Thing()

    def recorded(self, chain: contexts.Chain) -> bool:
        """Record the thing for code in these contexts; return whether a test owns it."""

        def make() -> bool:
            contexts.contexts.set(chain)
            return made_objects.record_made_at(self.thing, None)

        return contextvars.Context().run(make)

    def test_a_test_owns_what_it_makes(self) -> None:
        self.assertTrue(self.recorded((self.trap,)))
        self.assertEqual(made_objects.of(self.trap).known(), [(self.thing, None)])

    def test_handlers_inside_of_it_own_nothing(self) -> None:
        handler = InThread(threading.current_thread())
        self.assertTrue(self.recorded((self.trap, handler)))
        self.assertEqual(made_objects.of(self.trap).known(), [(self.thing, None)])

    def test_without_a_test_there_is_no_owner(self) -> None:
        for chain in (), lent_loop.OTHERS, (owner.Owner(self.trap),), (InThread(threading.Thread()),):
            self.assertFalse(self.recorded(chain), chain)
        self.assertEqual(made_objects.of(self.trap), {})

    def test_an_object_that_cannot_be_referred_to_weakly_is_left_out(self) -> None:
        self.thing = object()
        self.assertTrue(self.recorded((self.trap,)))
        self.assertEqual(made_objects.of(self.trap), {})

    def test_a_thing_that_is_gone_is_forgotten(self) -> None:
        self.recorded((self.trap,))
        self.thing = None
        self.assertEqual(made_objects.of(self.trap), {})


class Tidy(AsyncTestCase):
    leaks = "fail"


class LineTest(AsyncTestCase):
    """An object is recorded with the line of the user that makes it."""

    leaks = "fail"

    def test_the_caller_of_the_function_that_records(self) -> None:
        def make() -> bool:
            return made_objects.record(thing, origins.TIMERS, depth=2)

        thing = Thing()
        self.assertTrue(make())
        trap = contexts.contexts.get()[0]
        assert isinstance(trap, Trap)
        (origin,) = (origin for each, origin in made_objects.of(trap).known() if each is thing)
        assert origin is not None
        self.assertIs(origin.code, make.__code__)

    async def test_objects_that_libraries_make_for_themselves_have_no_owner(self) -> None:
        trap = contexts.contexts.get()[0]
        assert isinstance(trap, Trap)
        before = dict(made_objects.of(trap))
        self.future = gen.sleep(60)
        with self.assertRaises(TimeoutError):
            await gen.with_timeout(self.io_loop.time(), asyncio.get_running_loop().create_future())
        self.assertEqual(made_objects.of(trap), before)


class OwnerTest(unittest.TestCase):
    """The leak check of a test finds the objects of this test."""

    def test_what_tasks_callbacks_and_threads_of_a_test_make(self) -> None:
        def set_timer(case: Tidy) -> None:
            case.io_loop.asyncio_loop.call_later(60, case.id)  # type: ignore[attr-defined]
            case.stop()

        async def in_task(case: Tidy) -> None:
            await asyncio.create_task(asyncio.to_thread(set_timer, case))

        def in_callback(case: Tidy) -> None:
            case.io_loop.add_callback(set_timer, case)
            case.wait()

        def in_thread(case: Tidy) -> None:
            thread = threading.Thread(target=set_timer, args=[case])
            thread.start()
            thread.join()

        def in_handler(case: Tidy) -> None:
            with ExceptionStackContext(lambda *error: True):
                set_timer(case)

        def in_no_handler(case: Tidy) -> None:
            with NullContext():
                set_timer(case)

        for body in in_task, in_callback, in_thread, in_handler, in_no_handler:
            with self.subTest(body.__name__):
                self.assertRegex(run_body(Tidy, body).report, "pending timer TestCase.id, .*\n.*in set_timer")

    def test_what_code_that_inherits_no_context_makes_on_the_loop_of_a_test(self) -> None:
        def start(periodic: PeriodicCallback) -> None:
            periodic.start()

        def body(case: Any) -> None:
            case.periodic = PeriodicCallback(case.id, 60_000)
            case.io_loop.asyncio_loop.call_soon(start, case.periodic, context=contextvars.Context())
            case.run_sync(asyncio.sleep, 0)

        self.assertRegex(run_body(Tidy, body).report, "running PeriodicCallback .*\n.*in start")

    def test_what_a_thread_makes_after_its_test_is_not_of_the_next_one(self) -> None:
        go, end = threading.Event(), threading.Event()
        inner: list[threading.Thread] = []

        def start_another() -> None:
            go.wait()
            inner.append(threading.Thread(target=end.wait, daemon=True))
            inner[0].start()

        thread = threading.Thread(target=start_another, daemon=True)

        class Sample(Tidy):
            allowed_leaks = ("start_another",)

            def test(self) -> None:
                thread.start()

            def test_next(self) -> None:
                go.set()
                thread.join()

        self.addCleanup(end.set)
        self.addCleanup(go.set)
        self.assertEqual(run_case(Sample).report, "")
        self.assertEqual(run_case(Sample, "test_next").report, "")
        self.assertTrue(inner[0].is_alive())

    def test_what_others_make_on_a_loop_that_a_test_was_lent(self) -> None:
        io_loop = IOLoop(make_current=False)
        self.addCleanup(io_loop.close)
        periodic = PeriodicCallback(print, 60_000)
        io_loop.asyncio_loop.call_soon(periodic.start)
        base = type("Lent", (Tidy,), {"get_new_ioloop": lambda case: io_loop})

        def body(case: Tidy) -> None:
            case.run_sync(asyncio.sleep, 0)
            self.assertTrue(periodic.is_running())

        self.assertEqual(run_body(base, body).report, "")
        periodic.stop()
