import asyncio
import unittest
from typing import Any

from asynctest_tornado import AsyncTestCase
from tests.support import run_body


class UnshowableTest(unittest.TestCase):
    """Code of the user does not get in the way of the report."""

    def test_a_callback_that_is_not_complete_yet(self) -> None:
        async def wait() -> None:
            future = asyncio.get_running_loop().create_future()
            future.add_done_callback(lambda future: results.append(future))
            await future
            results: list[Any] = []

        report = run_body(AsyncTestCase, lambda case: case.run_sync(wait, timeout=0)).report
        self.assertIn("this is a deadlock", report)
        self.assertNotIn("cannot be shown", report)

    def test_an_object_that_cannot_be_shown(self) -> None:
        class Unshowable(asyncio.Future[None]):
            def __repr__(self) -> str:
                raise ZeroDivisionError

        async def wait() -> None:
            await Unshowable()

        report = run_body(AsyncTestCase, lambda case: case.run_sync(wait, timeout=0)).report
        self.assertIn("this is a deadlock", report)

    def test_an_argument_of_a_job_is_not_shown_before_it_must_be(self) -> None:
        class Unshowable:
            def __repr__(self) -> str:
                raise ZeroDivisionError

        async def work() -> None:
            await asyncio.to_thread(id, Unshowable())

        self.assertEqual(run_body(AsyncTestCase, lambda case: case.run_sync(work)).verdicts, ["addSuccess"])
