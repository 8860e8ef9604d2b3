import asyncio
import gc
import sys
from collections.abc import Generator
from typing import Any

from tornado import gen

from asynctest_tornado import AsyncTestCase, gen_test
from asynctest_tornado._timeouts import pending_report
from asynctest_tornado._util import coroutines


def work() -> Generator[Any, Any, None]:
    yield gen.moment


class GeneratorTest(AsyncTestCase):
    @gen_test
    def test_a_report_has_its_line(self) -> Generator[Any, Any, None]:
        async def describe() -> str:
            return pending_report.describe(self.io_loop, asyncio.all_tasks())

        reports = yield [describe()]
        self.assertRegex(reports[0], r"at .* in test_a_report_has_its_line: reports = yield \[describe\(\)\]")

    def test_nothing_is_noted_of_one_that_has_ended(self) -> None:
        before = dict(coroutines._generators)
        self.run_sync(work)
        self.assertEqual(coroutines._generators, before)

    def test_a_note_does_not_keep_it(self) -> None:
        note = coroutines.begin(work())
        self.addCleanup(coroutines.end, note)
        gc.collect()
        self.assertIsNone(coroutines.generator_of(sys._getframe()))

    def test_one_of_a_class_of_the_user_runs(self) -> None:
        class Own(Generator[Any, Any, str]):
            __slots__ = ()

            def send(self, value: Any) -> Any:
                raise StopIteration("end")

            def throw(self, *args: Any) -> Any:
                raise AssertionError

        self.assertEqual(self.run_sync(Own), "end")
