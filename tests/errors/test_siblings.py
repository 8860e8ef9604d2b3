import asyncio
import unittest

from asynctest_tornado import AsyncTestCase
from asynctest_tornado._errors import siblings
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._features.loop_classes import GATHER
from asynctest_tornado._harness.feature import Features
from tests.support import run_body


class SiblingsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.trap = Trap(lambda: "it", Features([GATHER]))
        self.first, self.second, self.third = ValueError(1), ValueError(2), ValueError(3)

    def errors(self) -> tuple[BaseException, ...]:
        error = self.trap.take()
        assert isinstance(error, BaseExceptionGroup)
        return tuple(error.exceptions)

    def test_a_test_fails_of_the_errors_that_are_dropped_for_its_error(self) -> None:
        siblings.add(self.trap, self.first, self.second)
        self.assertFalse(self.trap.has_errors)
        self.trap.add(self.first)
        siblings.add(self.trap, self.first, self.third)
        self.assertEqual(self.errors(), (self.first, self.second, self.third))

    def test_of_a_cause(self) -> None:
        siblings.add(self.trap, self.first, self.second)
        self.third.__cause__ = self.first
        self.trap.record_failure(self.third)
        self.assertIs(self.trap.take(), self.second)

    def test_an_error_that_is_expected_has_none(self) -> None:
        siblings.add(self.trap, self.first, self.second)
        self.trap.expectations.append(lambda error: error is self.first)
        self.trap.add(self.first)
        self.assertIsNone(self.trap.take())

    def test_of_a_gather_in_a_gather(self) -> None:
        async def fail(message: str) -> None:
            raise ValueError(message)

        async def fail_twice() -> None:
            await asyncio.gather(fail("second"), fail("third"))

        async def body() -> None:
            await asyncio.gather(fail("first"), fail_twice())

        report = run_body(AsyncTestCase, lambda case: case.run_sync(body)).report
        for message in "first", "third":
            self.assertIn(f"ValueError: {message}", report)
