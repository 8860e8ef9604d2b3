"""A test that closes its loop, as tornado.testing forbids by a KeyError in tearDown()."""

import unittest
from typing import Any

from tornado import web
from tornado.ioloop import IOLoop

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase
from tests.support import RecordingResult, run_body, run_case


def close(case: Any) -> None:
    case.io_loop.close()


class MistakeTest(unittest.TestCase):
    def check(self, result: RecordingResult, place: str = "") -> None:
        self.assertEqual(result.verdicts, ["addError"], result.report)
        lines = rf"closes the loop, which tearDown\(\) does{place}\. Take io_loop\.close\(\) away\.\n\Z"
        self.assertRegex(result.report, r"RuntimeError: \S+Sample\.test " + lines)
        self.assertNotIn("KeyError", result.report)

    def test_in_a_coroutine_it_is_refused_at_once(self) -> None:
        async def body(case: Any) -> None:
            close(case)

        result = run_body(AsyncTestCase, body)
        self.check(result)
        self.assertIn("case.io_loop.close()", result.report)

    def test_in_synchronous_code_tear_down_says_where(self) -> None:
        def body(case: Any) -> None:
            case.io_loop.close(all_fds=True)

        self.check(run_body(AsyncTestCase, body), r" \(.*test_closed_loop.py:\d+ in body: case\.io_loop\.close\(.*\)\)")

    def test_in_set_up_and_tear_down(self) -> None:
        class SetUp(AsyncTestCase):
            def setUp(self) -> None:
                super().setUp()
                close(self)

        class TearDown(AsyncTestCase):
            def tearDown(self) -> None:
                close(self)
                super().tearDown()

        for cls in SetUp, TearDown:
            self.check(run_body(cls, lambda case: None), r" \(.* in close: case\.io_loop\.close\(\)\)")

    def test_what_needs_the_loop_afterwards_says_so_once(self) -> None:
        class Served(AsyncHTTPTestCase):
            def get_app(self) -> web.Application:
                return web.Application()

        def fetch(case: Any) -> None:
            close(case)
            case.fetch("/")

        for body in fetch, close:
            self.check(run_body(Served, body), r" \(.* in close: .*\)")

    def test_the_loop_of_a_class_is_not_closed(self) -> None:
        class Sample(AsyncTestCase):
            loop_scope = "class"

            def test_1(self) -> None:
                close(self)

            async def test_2(self) -> None: ...

        result = RecordingResult()
        unittest.TestSuite([Sample("test_1"), Sample("test_2")]).run(result)
        self.assertEqual(result.verdicts, ["addError", "addSuccess"])
        self.assertRegex(result.report, r"closes the loop of its class, which tearDownClass\(\) does\. Take")


class TruthTest(unittest.TestCase):
    """Tests that close their loop, and pass on tornado.testing."""

    def check(self, cls: type[unittest.TestCase]) -> None:
        self.assertEqual(run_case(cls).verdicts, ["addSuccess"])

    def test_the_loop_of_asyncio_is_closed(self) -> None:
        class Sample(AsyncTestCase):
            def test(self) -> None:
                self.io_loop.asyncio_loop.close()  # type: ignore[attr-defined]

        self.check(Sample)

    def test_a_tear_down_that_does_not_call_that_of_its_base(self) -> None:
        class Sample(AsyncTestCase):
            def tearDown(self) -> None:
                close(self)

            def test(self) -> None: ...

        self.check(Sample)

    def test_another_loop_is_put_in_its_place(self) -> None:
        class Sample(AsyncTestCase):
            def test(self) -> None:
                close(self)
                self.io_loop = IOLoop(make_current=False)

        self.check(Sample)

    def test_a_loop_that_the_user_supplied_is_the_users(self) -> None:
        loop: Any = IOLoop(make_current=False)

        class Sample(AsyncTestCase):
            def get_new_ioloop(self) -> IOLoop:
                return loop  # type: ignore[no-any-return]

            def test(self) -> None:
                close(self)

        self.check(Sample)
        self.assertTrue(loop.asyncio_loop.is_closed())
