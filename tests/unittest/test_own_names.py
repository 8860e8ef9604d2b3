import unittest
from typing import Any, ClassVar

import tornado.testing

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, gen_test
from asynctest_tornado._unittest import own_names
from asynctest_tornado._unittest.misspelled_settings import ATTRIBUTES, HOOKS
from tests.samples.untouched import APPLICATION
from tests.support import run_case


class Mixin:
    def begin(self) -> None:
        self.cookies = ["own"]


class Sample(Mixin, AsyncHTTPTestCase):  # type: ignore[misc]
    def get_app(self) -> Any:
        return APPLICATION

    @gen_test
    async def open(self) -> None:
        self.stream: Any = "own"

    def test(self) -> None:
        self.assertFalse(hasattr(self, "stream") or hasattr(self, "cookies") or hasattr(self, "logs"))
        self.open()
        self.begin()

        def nested() -> None:
            self.logs = "own"  # type: ignore[misc,assignment]

        nested()
        self.assertEqual((self.stream, self.cookies, self.logs), ("own", ["own"], "own"))
        del self.stream

    def tearDown(self) -> None:
        self.assertFalse(hasattr(self, "stream"))
        super().tearDown()


class LaterMixin:
    cookies: ClassVar = ["own"]

    def sign_in(self, user: str) -> str:
        return user

    def settle(self) -> str:
        return "own"


class OfAnotherObject(AsyncHTTPTestCase):
    def get_app(self) -> Any:
        return APPLICATION

    def test(self) -> None:
        other: Any = type("Other", (), {})()
        other.logs = other.stream = 1
        self.assertEqual(self.logs.messages, [])
        self.assertTrue(callable(self.stream))


class OwnNamesTest(unittest.TestCase):
    def test_a_class_that_sets_an_attribute_has_no_other_one(self) -> None:
        for cls in Sample, type("Derived", (Sample,), {}), OfAnotherObject:
            result = run_case(cls)
            self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_the_error_says_why(self) -> None:
        class Early(AsyncTestCase):
            def test(self) -> None:
                print(self.logs)
                self.logs = 1  # type: ignore[misc,assignment]

        self.assertIn("Early sets an attribute logs of its own, and has not set it yet.", run_case(Early).report)

    def test_a_class_that_asks_for_an_attribute_has_no_other_one(self) -> None:
        class Asks(AsyncTestCase):
            def test(self) -> None:
                pass

            def tearDown(self) -> None:
                if hasattr(self, "stream"):
                    self.stream.close()
                self.assertIsNone(getattr(self, "logs", None))
                super().tearDown()

        class AsksForServer(Asks, AsyncHTTPTestCase):
            def get_app(self) -> Any:
                return APPLICATION

        for cls in Asks, AsksForServer:
            result = run_case(cls)
            self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_a_method_of_that_name_stays(self) -> None:
        class Own(AsyncTestCase):
            def logs(self) -> int:  # type: ignore[override]
                return 1

            def test(self) -> None:
                self.assertEqual(self.logs(), 1)
                self.logs = 2  # type: ignore[method-assign,assignment]

        self.assertEqual(run_case(Own).verdicts, ["addSuccess"])

    def test_a_mixin_after_our_class_has_its_own(self) -> None:
        for base in AsyncTestCase, AsyncHTTPTestCase:

            class WithMixin(base, LaterMixin):  # type: ignore[misc,valid-type]
                def get_app(self) -> Any:
                    return APPLICATION

                def test(self) -> None:
                    self.assertEqual((self.sign_in("Ann"), self.settle(), self.cookies), ("Ann", "own", ["own"]))

            self.assertEqual(run_case(WithMixin).verdicts, ["addSuccess"])

    def test_all_names_are_listed(self) -> None:
        own = {name for name in dir(AsyncHTTPTestCase) if name[0] != "_"} - set(dir(tornado.testing.AsyncHTTPTestCase))
        of_unittest = {"addAsyncCleanup", "enterAsyncContext", *HOOKS}
        # Tests of tornado.testing have these, too, or they explain themselves that they are not there.
        self.assertEqual(own - of_unittest - set(ATTRIBUTES) - _OF_TORNADO, own_names.NAMES)


_OF_TORNADO = {"clock", "get_http_socket", "http_client", "http_server", "io_loop"}
