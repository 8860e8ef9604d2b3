"""A test for each outcome that unittest knows."""

import threading
import unittest
from typing import ClassVar

from asynctest_tornado import AsyncTestCase


class OwnError(Exception):
    pass


class Outcomes(AsyncTestCase):
    def test_passes(self) -> None:
        pass

    def test_fails(self) -> None:
        self.assertEqual(1, 2, "not the same \x1b[1m")

    def test_error(self) -> None:
        self.io_loop.add_callback(lambda: 1 / 0)
        self.wait()

    @unittest.skip("not today")
    def test_skipped(self) -> None:
        pass

    def test_subtests(self) -> None:
        for number in range(3):
            with self.subTest(number=number):
                self.assertEqual(number, 1)

    def test_mixed_subtests(self) -> None:
        for number in range(3):
            with self.subTest(number=number):
                if number == 0:
                    self.skipTest("not this one")
                if number == 2:
                    raise KeyError(number)
                self.assertEqual(number, 0)

    def test_own_error(self) -> None:
        raise OwnError("<planted>")

    @unittest.expectedFailure
    def test_expected(self) -> None:
        raise AssertionError("known")

    @unittest.expectedFailure
    def test_unexpected(self) -> None:
        pass

    def test_late(self) -> None:
        self.io_loop.call_later(60, print)
        self.fail("leaks as well")


# As programs make them from data.
setattr(Outcomes, "test GET /a.b (json)", lambda self: None)


class BadClass(AsyncTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        raise OSError("no database")

    def test(self) -> None:
        pass


class Late(AsyncTestCase):
    """The second test waits until the first one, which is over, has failed in a thread."""

    begin = threading.Event()
    threads: ClassVar[list[threading.Thread]] = []
    allowed_leaks = (threading.Thread,)

    def fail_late(self) -> None:
        self.begin.wait()
        raise ValueError("too late")

    def test_1_causes(self) -> None:
        self.threads.append(threading.Thread(target=self.fail_late))
        self.threads[0].start()

    def test_2_waits(self) -> None:
        self.begin.set()
        self.threads[0].join()


class Interrupted(AsyncTestCase):
    def test_1_passes(self) -> None:
        pass

    def test_2_is_interrupted(self) -> None:
        raise KeyboardInterrupt
