"""A suite for tornado.testing, with errors that tornado.testing hides."""

import sys
import threading
from typing import Any

from tornado import gen
from tornado.testing import AsyncTestCase, gen_test


class Unmodified(AsyncTestCase):
    def test_error_in_callback(self) -> None:
        self.io_loop.add_callback(lambda: [][0])
        self.io_loop.add_callback(self.stop)
        self.wait()

    def test_timer(self) -> None:
        self.io_loop.call_later(60, self.stop)

    @gen_test
    def test_sleep(self) -> Any:
        yield gen.sleep(0.11)


class Arguments(AsyncTestCase):
    """Only for runs that name it: a program sees its own name and arguments."""

    def test_arguments(self) -> None:
        main = sys.modules["__main__"]
        print(sys.argv, main.__name__, main.__spec__ and main.__spec__.name, threading.active_count())


def load_tests(loader: Any, tests: Any, pattern: object) -> Any:
    return loader.loadTestsFromTestCase(Unmodified)
