"""How the methods that gen_test makes are called: by decorators above it, and by hand."""

import asyncio
import functools
import inspect
import os
from collections.abc import Callable, Generator
from typing import Any, ClassVar
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st
from tornado import gen
from tornado.ioloop import IOLoop

from asynctest_tornado import AsyncTestCase, gen_test
from asynctest_tornado._util import names
from tests.support import run_body, run_case, run_code


def hand_on(func: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return call


def by_keyword(func: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(func)
    def call(self: Any, **kwargs: Any) -> Any:
        return func(self=self, **kwargs)

    return call


class Called(AsyncTestCase):
    """Methods to be called, which return their arguments."""

    @gen_test
    async def native(self, n: int = 1, *, func: int = 0, timeout: int = 0) -> tuple[int, int, int]:
        await asyncio.sleep(0)
        return n, func, timeout

    @gen_test(timeout=5)
    def generator(self, n: int = 1) -> Generator[Any, Any, int]:
        yield gen.moment
        return n

    with_four = functools.partialmethod(native, 4)


class CallTest(Called):
    def test_self_may_be_given_by_keyword(self) -> None:
        self.assertEqual(Called.native(self=self, n=2), (2, 0, 0))
        self.assertEqual(Called.generator(n=2, self=self), 2)

    def test_arguments_may_have_the_names_of_its_own(self) -> None:
        self.assertEqual(self.native(func=3, timeout=4), (1, 3, 4))

    def test_partial_methods(self) -> None:
        self.assertEqual(self.with_four(func=5), (4, 5, 0))
        self.assertEqual(functools.partial(Called.native, self)(n=7), (7, 0, 0))

    def test_the_signature_is_that_of_the_method(self) -> None:
        self.assertEqual(list(inspect.signature(Called.native).parameters), ["self", "n", "func", "timeout"])
        self.assertEqual(list(inspect.signature(self.native).parameters), ["n", "func", "timeout"])
        inspect.signature(Called.native, follow_wrapped=False).bind(self=self, n=1)
        self.assertFalse(inspect.iscoroutinefunction(Called.native))
        self.assertFalse(inspect.isgeneratorfunction(Called.generator))

    def test_what_is_callable_without_being_a_function(self) -> None:
        class Callable:
            async def __call__(self, case: AsyncTestCase) -> str:
                await asyncio.sleep(0)
                return "called"

        self.assertEqual(gen_test(Callable())(self), "called")
        self.assertEqual(gen_test(functools.partial(vars(Called.native)["__wrapped__"], n=9))(self), (9, 0, 0))


class DecoratedTest(AsyncTestCase):
    @settings(max_examples=5, deadline=None, database=None)
    @given(st.integers(), st.text(max_size=3))
    @gen_test
    async def test_native_under_hypothesis(self, number: int, word: str) -> None:
        await asyncio.sleep(0)
        self.assertIsInstance(number, int)

    @settings(max_examples=5, deadline=None, database=None)
    @given(st.integers())
    async def test_not_at_all_under_hypothesis(self, number: int) -> None:
        await asyncio.sleep(0)
        self.assertIs(IOLoop.current(), self.io_loop)

    @settings(max_examples=5, deadline=None, database=None)
    @given(number=st.integers())
    @mock.patch("os.getcwd", return_value="patched")
    @gen_test(timeout=5)
    def test_generator_under_hypothesis_and_mock(self, getcwd: mock.Mock, number: int) -> Generator[Any, Any, None]:
        yield gen.moment
        self.assertEqual(os.getcwd(), "patched")

    @by_keyword
    @gen_test
    @hand_on
    async def test_between_two_decorators(self) -> None:
        await asyncio.sleep(0)
        self.assertIs(IOLoop.current(), self.io_loop)

    @mock.patch.multiple("os", getcwd=mock.DEFAULT)
    @gen_test
    async def test_under_a_mock_that_is_given_by_keyword(self, getcwd: mock.Mock) -> None:
        await asyncio.sleep(0)
        self.assertIs(os.getcwd, getcwd)

    @gen_test
    @staticmethod
    async def test_over_a_static_method(self: Any) -> None:
        await asyncio.sleep(0)

    def test_a_mock_may_have_its_signature(self) -> None:
        with mock.patch.object(Called, "native", autospec=True, return_value=None) as native:
            Called("native").native(n=3)
            with self.assertRaises(TypeError):
                Called("native").native(nonsense=3)  # type: ignore[call-arg]
        native.assert_called_once()

    def test_under_hypothesis_a_coroutine_is_run_once_for_each_input(self) -> None:
        seen: list[int] = []

        @settings(max_examples=20, deadline=None, database=None)
        @given(number=st.integers())
        async def test(case: Any, number: int) -> None:
            await asyncio.sleep(0)
            seen.append(number)
            case.assertLess(number, 50)

        inner = test.hypothesis.inner_test  # type: ignore[attr-defined]
        report = run_body(AsyncTestCase, test).report
        self.assertRegex(report, r"AssertionError: 50 not less than 50\n(?s:.*)number=50")
        self.assertGreater(len(seen), 1)
        self.assertIs(test.hypothesis.inner_test, inner)  # type: ignore[attr-defined]

    def test_over_hypothesis(self) -> None:
        @gen_test
        @settings(database=None)
        @given(st.integers())
        async def test(case: Any, number: int) -> None:
            raise AssertionError("It does not run.")

        self.assertIn("Write @given above @gen_test, or leave @gen_test out.", run_body(AsyncTestCase, test).report)

    def test_an_executor_of_the_user_runs_the_coroutines(self) -> None:
        class Sample(AsyncTestCase):
            seen: ClassVar[list[str]] = []

            def execute_example(self, call: Any) -> None:
                coro = call()
                self.seen.append(type(coro).__name__)
                self.run_sync(lambda: coro)

        @settings(max_examples=1, database=None)
        @given(st.integers())
        async def test(case: Any, number: int) -> None:
            await asyncio.sleep(0)

        self.assertEqual(run_body(Sample, test).verdicts, ["addSuccess"])
        self.assertEqual(set(Sample.seen), {"coroutine"})

    def test_a_failure_under_hypothesis_is_told(self) -> None:
        class Fails(AsyncTestCase):
            @settings(max_examples=20, deadline=None, database=None)
            @given(n=st.integers())
            @gen_test
            async def test(self, n: int) -> None:
                asyncio.get_running_loop().call_soon(self.check, n)
                await asyncio.sleep(60)

            def check(self, n: int) -> None:
                raise AssertionError(f"planted for {n}")

        result = run_case(Fails)
        self.assertFalse(result.wasSuccessful())
        self.assertIn("planted for 0", result.report)


class TwiceTest(AsyncTestCase):
    @gen_test
    @gen_test
    async def test_twice(self) -> None:
        await asyncio.sleep(0)

    def test_the_outer_limit_counts(self) -> None:
        async def method(case: TwiceTest) -> None:
            await asyncio.sleep(60)

        for decorated in gen_test(gen_test(timeout=0.01)(method)), gen_test(timeout=0.01)(gen_test(timeout=60)(method)):
            with self.assertRaisesRegex(TimeoutError, "0.01 seconds"):
                decorated(self)


class WithLoop:
    """No test case, but it has a loop."""

    def __init__(self, io_loop: IOLoop) -> None:
        self.io_loop = io_loop

    @gen_test
    async def native(self, n: int) -> int:
        await asyncio.sleep(0)
        return n

    @gen_test(timeout=5)
    def generator(self) -> Generator[Any, Any, str]:
        yield [gen.moment, gen.sleep(0)]
        return "end"

    @gen_test(timeout=0.01)
    async def forever(self) -> None:
        await asyncio.sleep(60)

    @gen_test
    async def name(self) -> str:
        task = asyncio.current_task()
        assert task is not None
        return names.name_of_task(task)


class OtherObjectsTest(AsyncTestCase):
    def test_another_object_that_has_the_loop_of_a_test(self) -> None:
        other = WithLoop(self.io_loop)
        self.assertEqual(other.native(n=3), 3)
        self.assertEqual(other.generator(), "end")
        with self.assertRaisesRegex(TimeoutError, "0.01 seconds"):
            other.forever()

    def test_the_task_has_the_name_of_the_method(self) -> None:
        self.assertEqual(WithLoop(self.io_loop).name(), "WithLoop.name")

    def test_a_loop_of_its_own(self) -> None:
        done = run_code(
            "import unittest\nfrom tornado.ioloop import IOLoop\nfrom tests.unittest.test_gen_test import WithLoop\n"
            "class Test(WithLoop, unittest.TestCase):\n"
            "    __init__ = unittest.TestCase.__init__\n"
            "    def setUp(self): self.io_loop = IOLoop(make_current=False)\n"
            "    def tearDown(self): self.io_loop.close()\n"
            "    def test(self): self.assertEqual((self.native(3), self.generator()), (3, 'end'))\n"
            "    def test_time(self): self.assertRaises(TimeoutError, self.forever)\n"
            "del WithLoop\nunittest.main()"
        )
        self.assertRegex(done.stderr, r"Ran 2 tests in .*\s+OK")
